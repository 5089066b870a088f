//! The gateway's side of the reader: starts it, asks it, kills it when its time is up.
//!
//! A reader's death is an answer like any other ([`Attempt::Died`]); the caller counts
//! strikes. The process inherits an empty environment and, of what we
//! open, no descriptor but its socket.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::wire::{Answer, Answered, Request, WireError, claimed_len, frame};
use super::write::{Drafted, Serving};
use crate::digest::Digest;
use crate::infer::bundle::Vouched;
use crate::infer::findings::BundleIdentity;
use crate::models::Selection;
use crate::os::sandbox::Walls;
use crate::pulse::Pulse;
use crate::report::facts::Facts;

/// Longest time for loading bundles and their golden check, on the slowest board.
const START_LIMIT: Duration = Duration::from_mins(2);

/// What a reader needs to start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is to serve.
    pub models: Selection,
    /// What it may read beside the bundles: folders of instances, or instances.
    pub image_dirs: Vec<PathBuf>,
    /// Address space of the process, bytes.
    pub memory_bytes: u64,
    /// CPUs that it runs on; none: those that the gateway runs on.
    pub cpus: Vec<u16>,
    /// Longest time for one image.
    pub time_limit: Duration,
    /// Beats while an answer is awaited that may still come.
    pub pulse: Arc<Pulse>,
}

/// A running reader process; dropped, it is killed.
pub struct Supervised {
    child: Child,
    socket: UnixStream,
    time_limit: Duration,
    pulse: Arc<Pulse>,
    /// What serves, as it was chosen: the process has no say in it.
    pub bundles: Vec<BundleIdentity>,
    /// What judges fitness, likewise; none where no image is held to more than its pixels.
    pub fitness: Vec<BundleIdentity>,
    /// Which walls stand.
    pub walls: Walls,
    /// What became of the writer, where one is in use.
    pub writer: Option<Serving>,
}

/// What came of asking.
pub enum Attempt {
    /// An answer.
    Read(Box<Answered>),
    /// The process died or ran out of time, in words; start another.
    Died(String),
}

/// Why there is no reader.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// The process could not be started.
    #[error("cannot start the reader process: {0}")]
    Spawn(std::io::Error),
    /// It says itself that it cannot serve.
    #[error("{why}")]
    Unusable {
        /// The bundle that keeps it, by name.
        bundle: Option<String>,
        /// Why.
        why: String,
    },
    /// It died or fell silent while starting.
    #[error("the reader process did not become ready: {0}")]
    NotReady(String),
}

impl Supervised {
    /// Every bundle that images go through: those that read, then those that judge fitness.
    pub fn identities(&self) -> impl Iterator<Item = &BundleIdentity> {
        self.bundles.iter().chain(&self.fitness)
    }

    /// Starts a reader and waits until every bundle reproduced its golden output.
    ///
    /// # Errors
    /// See [`ReaderError`].
    pub async fn start(settings: &Settings) -> Result<Self, ReaderError> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(ReaderError::Spawn)?;
        ours.set_nonblocking(true).map_err(ReaderError::Spawn)?;
        // Not by path: after an upgrade under a running gateway that would be another program.
        let child = Command::new("/proc/self/exe")
            .arg("reader")
            .env_clear()
            .envs(std::env::var_os("RUST_LOG").map(|level| ("RUST_LOG", level)))
            .envs(crate::os::for_reader())
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            // What it would print comes from strangers' bytes: not into our log, nor to a terminal.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(ReaderError::Spawn)?;
        let mut socket = UnixStream::from_std(ours).map_err(ReaderError::Spawn)?;
        let start = Request::Start {
            bundles: settings.models.images.clone(),
            asleep: settings.models.asleep.clone(),
            fitness: settings.models.fitness.clone(),
            image_dirs: settings.image_dirs.clone(),
            memory_bytes: settings.memory_bytes,
            cpus: settings.cpus.clone(),
            writer: settings.models.writer.clone().and_then(Result::ok).map(Box::new),
        };
        match ask(&mut socket, &start, START_LIMIT, &settings.pulse).await {
            Ok(Answer::Ready { walls, writer }) => Ok(Self {
                child,
                socket,
                time_limit: settings.time_limit,
                pulse: settings.pulse.clone(),
                bundles: who(&settings.models.images),
                fitness: who(&settings.models.fitness),
                walls,
                writer: match &settings.models.writer {
                    Some(Err(why)) => Some(Serving::Unusable(why.clone())),
                    _ => writer,
                },
            }),
            Ok(Answer::Unusable { bundle, why }) => Err(ReaderError::Unusable { bundle, why }),
            Ok(Answer::Read(_) | Answer::Written(_)) => {
                Err(ReaderError::NotReady("it answered what was not asked".into()))
            }
            Err(why) => Err(ReaderError::NotReady(why)),
        }
    }

    /// Reads one file. After [`Attempt::Died`] this reader is spent.
    pub async fn read(&mut self, path: PathBuf, sha256: Option<Digest>) -> Attempt {
        match ask(&mut self.socket, &Request::Read { path, sha256 }, self.time_limit, &self.pulse).await {
            Ok(Answer::Read(answered)) => Attempt::Read(answered),
            Ok(_) => self.died("it answered what was not asked".into()).await,
            Err(why) => self.died(why).await,
        }
    }

    /// Drafts the words of `facts`, which are of the file that was read last. After an error, in
    /// words, this reader is spent.
    ///
    /// # Errors
    /// The process died or ran out of time.
    pub async fn write(&mut self, facts: Box<Facts>) -> Result<Drafted, String> {
        match ask(&mut self.socket, &Request::Write(facts), self.time_limit, &self.pulse).await {
            Ok(Answer::Written(drafted)) => Ok(drafted),
            Ok(_) => Err(self.ended("it answered what was not asked".into()).await),
            Err(why) => Err(self.ended(why).await),
        }
    }

    /// True while the process runs; one that died idle must not cost the next image a strike.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    async fn died(&mut self, why: String) -> Attempt {
        Attempt::Died(self.ended(why).await)
    }

    async fn ended(&mut self, why: String) -> String {
        let status = if let Ok(Some(status)) = self.child.try_wait() {
            Ok(status)
        } else {
            let _ = self.child.start_kill();
            self.child.wait().await
        };
        status.map_or_else(|_| why.clone(), |status| format!("{why} ({status})"))
    }
}

fn who(bundles: &[Vouched]) -> Vec<BundleIdentity> {
    bundles.iter().map(|vouched| vouched.identity.clone()).collect()
}

async fn ask(socket: &mut UnixStream, request: &Request, limit: Duration, pulse: &Pulse) -> Result<Answer, String> {
    match pulse.within(limit, tokio::time::timeout(limit, exchange(socket, request))).await {
        Ok(answer) => answer.map_err(|e| e.to_string()),
        Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
    }
}

async fn exchange<Q: Serialize, A: DeserializeOwned>(socket: &mut UnixStream, question: &Q) -> Result<A, WireError> {
    socket.write_all(&frame(question)?).await?;
    let mut head = [0; 4];
    socket.read_exact(&mut head).await?;
    let mut body = vec![0; claimed_len(head)?];
    socket.read_exact(&mut body).await?;
    Ok(serde_json::from_slice(&body)?)
}
