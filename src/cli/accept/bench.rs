//! The box on the bench: its own configuration, key and store, its daemon as a child of ours,
//! and a way to its broker that can be cut.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::observer::Observer;
use super::proxy::{Proxy, Way};
use crate::cli::exit;
use crate::cli::running::{Running, free_ports};
use crate::config::{Configuration, Dicom, File};
use crate::deliver;
use crate::doctor::{closed_to_us, reachable};
use crate::instance::uid::{AeTitle, Uid};
use crate::mqtt::Access;
use crate::os::{self, Scratch};
use crate::phantom::{self, Kind};
use crate::publish::Topics;
use crate::seal::header::Header;
use crate::seal::jws;
use crate::seal::public::PublicKey;
use crate::store::{Fate, Glance};

/// Loading bundles may take two minutes on the slowest board.
const START_LIMIT: Duration = Duration::from_mins(3);
/// Between two looks at what is awaited.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Beyond what reading itself may take.
const BESIDE_READING: Duration = Duration::from_secs(20);

/// The box, and what is around it for the trial.
pub struct Bench {
    pub config: Configuration,
    pub keys: [PublicKey; 1],
    pub topics: Topics,
    pub observer: Result<Observer, String>,
    /// Phantoms that the box answered with success, oldest first.
    pub taken: Vec<Uid>,
    pub address: SocketAddr,
    called: AeTitle,
    calling: AeTitle,
    run_config: PathBuf,
    log: PathBuf,
    way: Option<Proxy>,
    child: Option<Running>,
    seed: u64,
    folder: Scratch,
}

impl Bench {
    /// Sets everything up; nothing runs yet but an embedded broker, where the box has one.
    pub async fn set_up(config: Configuration, out: &Path, seed: u64) -> anyhow::Result<Self> {
        let file = &config.file;
        let public = file.device.key_file.with_extension("pub.pem");
        let keys = [PublicKey::load(&public).map_err(|e| exit::coded(exit::DATA, e.to_string()))?];
        let folder = Scratch::new("accept").context("cannot make a temporary folder")?;
        #[cfg(feature = "broker")]
        if let Some(broker) = &file.broker {
            crate::publish::EmbeddedBroker::start(broker.listen)
                .map_err(|e| exit::coded(exit::UNAVAILABLE, e.to_string()))?;
        }
        let way = match &file.mqtt.tls {
            None => Some(Proxy::start(format!("{}:{}", file.mqtt.host, file.mqtt.port), None).await?),
            Some(_) => None,
        };
        let client_id = format!("{}-{}-accept", file.device.site, file.device.name);
        let topics = Topics::of(&file.mqtt, &file.device);
        let observer = match Access::read(&file.mqtt, client_id, os::now) {
            Ok(access) => Observer::listen(&access, &[topics.report.clone(), topics.alert.clone()]).await,
            Err(e) => Err(e.to_string()),
        };
        let (dicom, calling) = trial_dicom(&file.dicom)?;
        let address = reachable(dicom.listen);
        let run_config = folder.path().join("residentd.toml");
        let mut trial = file.clone();
        trial.dicom = dicom;
        trial.broker = None;
        if let Some(way) = &way {
            (trial.mqtt.host, trial.mqtt.port) = (way.address().ip().to_string(), way.address().port());
        }
        std::fs::write(&run_config, toml::to_string(&trial)?)?;
        Ok(Self {
            keys,
            topics,
            observer,
            taken: Vec::new(),
            address,
            called: file.dicom.ae_title.clone(),
            calling,
            run_config,
            log: out.join("daemon.log"),
            way,
            child: None,
            seed,
            folder,
            config,
        })
    }

    /// Starts the daemon; how long until it answered.
    pub async fn start(&mut self) -> Result<Duration, String> {
        let start = Instant::now();
        let log = OpenOptions::new().create(true).append(true).open(&self.log).map_err(|e| e.to_string())?;
        let mut child = Running::start(&self.run_config, Stdio::from(log)).map_err(|e| e.to_string())?;
        let up = async {
            while tokio::net::TcpStream::connect(self.address).await.is_err() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            up = tokio::time::timeout(START_LIMIT, up) => up.map_err(|_| format!("it did not answer within {} s", START_LIMIT.as_secs()))?,
            ended = child.ended() => return Err(format!("{ended}: {}", self.log.display())),
        }
        self.child = Some(child);
        Ok(start.elapsed())
    }

    /// Starts the daemon on the box's own configuration, unchanged but for an embedded broker:
    /// that runs here, and cannot be stopped before this process ends.
    pub async fn start_as_it_is(&mut self) -> Result<Duration, String> {
        if self.config.file.broker.is_some() {
            let own = toml::to_string(&File { broker: None, ..self.config.file.clone() }).map_err(|e| e.to_string())?;
            std::fs::write(&self.run_config, own).map_err(|e| format!("{}: {e}", self.run_config.display()))?;
        } else {
            self.run_config.clone_from(&self.config.path);
        }
        self.address = reachable(self.config.file.dicom.listen);
        self.start().await
    }

    /// Pulls the plug.
    pub fn cut_power(&mut self) -> Result<(), String> {
        self.child.take().ok_or("the daemon does not run")?.kill().map_err(|e| e.to_string())
    }

    /// Stops the daemon in order.
    pub fn stop(&mut self) -> Result<(), String> {
        self.child.take().ok_or("the daemon does not run")?.stop().map_err(|e| e.to_string())
    }

    /// Cuts or mends the way to the broker; false where it cannot be cut.
    pub fn set_way(&self, to: Way) -> bool {
        self.way.as_ref().inspect(|way| way.set(to)).is_some()
    }

    /// C-ECHO.
    pub async fn echo(&self) -> Result<Duration, String> {
        let start = Instant::now();
        let status = deliver::echo(&self.address.to_string(), &self.calling, &self.called).await;
        match status.map_err(|e| e.to_string())? {
            0 => Ok(start.elapsed()),
            status => Err(format!("answered with status 0x{status:04X}")),
        }
    }

    /// A new phantom in a file.
    pub async fn phantom(&mut self, kind: Kind, (columns, rows): (u16, u16)) -> Result<(PathBuf, Uid), String> {
        self.seed += 1;
        let seed = self.seed;
        let path = self.folder.path().join(format!("{seed}.dcm"));
        let image = tokio::task::spawn_blocking(move || phantom::image(kind, seed, columns, rows)).await;
        std::fs::write(&path, image.map_err(|e| e.to_string())?).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok((path, phantom::image_uid(kind, seed, columns, rows)))
    }

    /// C-STORE of a file to `address`, which must be answered with success.
    pub async fn store(&mut self, path: &Path, uid: &Uid) -> Result<Duration, String> {
        let start = Instant::now();
        match self.status(self.address, path).await? {
            0 => {
                self.taken.push(uid.clone());
                Ok(start.elapsed())
            }
            status => Err(format!("C-STORE was answered with status 0x{status:04X}")),
        }
    }

    /// Status of a C-STORE to `address`.
    pub async fn status(&self, address: SocketAddr, path: &Path) -> Result<u16, String> {
        deliver::send(&address.to_string(), &self.calling, &self.called, path).await.map_err(|e| e.to_string())
    }

    /// The store as it is now.
    pub fn glance(&self) -> Result<Glance, String> {
        Glance::at(&self.config.file.device.state_dir, true).map_err(|e| e.to_string())
    }

    /// What became of `uid`, if anything did yet.
    pub fn fate(&self, uid: &Uid) -> Result<Option<Fate>, String> {
        self.glance()?.fate(uid).map_err(|e| e.to_string())
    }

    /// The outcome of `uid`, with the header that the device signed; waits for it.
    pub async fn outcome(&self, uid: &Uid) -> Result<(Fate, Header), String> {
        let limit = self.config.file.reader.time_limit_s.duration() + BESIDE_READING;
        let fate = self.fate_when(uid, limit, |_| true).await?;
        let fate = fate.ok_or(format!("no outcome within {} s", limit.as_secs()))?;
        let opened = jws::open(&fate.jws, &self.keys).map_err(|e| format!("outcome {}: {e}", fate.sequence))?;
        if !opened.header.test {
            return Err(format!("outcome {} of a phantom does not say that it is a test", fate.sequence));
        }
        Ok((fate, opened.header))
    }

    /// What became of `uid` once `enough` says so; `None` after `limit`.
    pub async fn fate_when(
        &self,
        uid: &Uid,
        limit: Duration,
        enough: impl Fn(&Fate) -> bool,
    ) -> Result<Option<Fate>, String> {
        let deadline = Instant::now() + limit;
        loop {
            match self.fate(uid)?.filter(&enough) {
                None if Instant::now() < deadline => tokio::time::sleep(LOOK_EVERY).await,
                found => return Ok(found),
            }
        }
    }
}

/// How scanners are let in for the trial, and the AE title that sends: as configured where this
/// machine may send, on a free port of this machine where not.
fn trial_dicom(dicom: &Dicom) -> anyhow::Result<(Dicom, AeTitle)> {
    let calling = match dicom.allow_calling.first() {
        Some(allowed) => allowed.clone(),
        None => "ACCEPTANCE".parse()?,
    };
    let mut trial = dicom.clone();
    if closed_to_us(dicom).is_some() {
        let [listen, _] = free_ports()?;
        (trial.listen, trial.tls, trial.allow_addresses) = (listen, None, Vec::new());
    }
    Ok((trial, calling))
}
