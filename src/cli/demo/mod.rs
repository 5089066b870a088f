//! `demo`: the whole way in one command: provision, daemon, C-STORE, MQTT, verify, show.
//!
//! Nothing in it is a shortcut: the daemon is this program's `run` in a process of its
//! own, the image goes in over TCP, the outcome comes out of a broker.

mod stage;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::{exit, read, show, verify};
use crate::deliver;
use crate::instance::uid::AeTitle;
use crate::receive::{Message, Subscriber};
use stage::{Steps, Theatre};

/// Longest wait for the daemon and its broker to be up.
const START_LIMIT: Duration = Duration::from_mins(1);
/// Longest wait for an outcome.
const OUTCOME_LIMIT: Duration = Duration::from_mins(2);
/// The phantom's size: a common flat-panel detector's.
const PHANTOM: (u16, u16) = (2048, 2500);

#[derive(clap::Args)]
pub struct Arguments {
    /// DICOM files to send instead of the phantom
    files: Vec<PathBuf>,
    /// Folder of model bundles
    #[arg(long)]
    models: Option<PathBuf>,
    /// How many phantoms, each of another seed, to send where no file is given
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    runs: u64,
}

pub fn demo(arguments: &Arguments) -> anyhow::Result<()> {
    let models = read::models_dir(arguments.models.as_deref())?;
    super::runtime()?.block_on(async {
        tokio::select! {
            // First, so that the signal is caught before anything is made that must go again.
            biased;
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                Err(exit::coded(exit::INTERRUPTED, "interrupted; its temporary folder is removed"))
            }
            played = play(arguments, &models) => played,
        }
    })
}

async fn play(arguments: &Arguments, models: &Path) -> anyhow::Result<()> {
    println!("residentd demo: from C-STORE to a verified, signed draft report. Not a medical device.\n");
    let mut steps = Steps::default();
    let theatre = steps.run("provision a device in a temporary folder", || Theatre::provision(models))?;
    let files = if arguments.files.is_empty() {
        let start = Instant::now();
        let files = phantoms(&theatre, arguments.runs).await?;
        steps.note("project chest phantoms, 2048 x 2500, 16 bits", start.elapsed());
        files
    } else {
        arguments.files.clone()
    };
    let mut daemon = theatre.start_daemon()?;
    let start = Instant::now();
    let host = theatre.broker.ip().to_string();
    let subscribing = Subscriber::subscribe(&host, theatre.broker.port(), "residentd/demo/demo/report", START_LIMIT);
    let mut subscriber = tokio::select! {
        subscribed = subscribing => subscribed?,
        ended = daemon.ended() => return Err(ended),
    };
    steps.note("daemon and embedded broker up, subscriber connected", start.elapsed());

    let calling: AeTitle = "DEMO_SCANNER".parse()?;
    let called: AeTitle = "RESIDENTD".parse()?;
    let (mut outcomes, mut delays) = (Vec::new(), Vec::new());
    for file in &files {
        let start = Instant::now();
        let status = send_when_up(&theatre.dicom.to_string(), &calling, &called, file).await?;
        steps.note("C-STORE answered and association released", start.elapsed());
        if status != 0 {
            return Err(exit::coded(
                exit::DATA,
                format!("{}: C-STORE was answered with status 0x{status:04X}", file.display()),
            ));
        }
        let released = Instant::now();
        let message = tokio::select! {
            message = subscriber.next(OUTCOME_LIMIT) => message.context("no outcome arrived")?,
            ended = daemon.ended() => return Err(ended),
        };
        delays.push(released.elapsed());
        steps.note("sealed outcome at the subscriber, after release", released.elapsed());
        outcomes.push(message);
    }
    let statements = steps.run("verify the outcomes with the device's public key", || prove(&theatre, &outcomes))?;
    let memory = daemon.peak_memory()?;
    daemon.stop()?;
    println!();
    for message in &outcomes {
        println!("{}", show::payload(&message.payload)?);
    }
    println!("WHAT WAS PROVEN");
    for statement in statements {
        println!("  {statement}");
    }
    println!("\nSTEPS\n{steps}");
    println!("{}\n{memory}", spread(&mut delays));
    Ok(())
}

/// The phantoms of seeds 1 to `runs`, as files; each takes a second, so off this thread,
/// which listens for Ctrl-C.
async fn phantoms(theatre: &Theatre, runs: u64) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for seed in 1..=runs {
        let path = theatre.folder().join(format!("phantom-{seed}.dcm"));
        let (columns, rows) = PHANTOM;
        let image = tokio::task::spawn_blocking(move || crate::phantom::chest(seed, columns, rows)).await?;
        // Here: a thread that outlives an interrupt must not write into a folder that goes.
        std::fs::write(&path, image).with_context(|| path.display().to_string())?;
        files.push(path);
    }
    Ok(files)
}

/// Median and range of the time from association release to message.
fn spread(delays: &mut [Duration]) -> String {
    delays.sort();
    let ms = |at: usize| delays[at].as_secs_f64() * 1e3;
    let last = delays.len() - 1;
    format!(
        "release to message: median {:.1} ms, {:.1} to {:.1} ms, {} images",
        ms(last / 2),
        ms(0),
        ms(last),
        delays.len()
    )
}

/// The scanner keeps trying while the daemon is still coming up.
async fn send_when_up(address: &str, calling: &AeTitle, called: &AeTitle, file: &Path) -> anyhow::Result<u16> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        match deliver::send(address, calling, called, file).await {
            Err(deliver::SendError::Unreachable { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => return Ok(other?),
        }
    }
}

/// Verifies what arrived, as a receiver would: with the public key alone.
fn prove(theatre: &Theatre, outcomes: &[Message]) -> anyhow::Result<Vec<String>> {
    let stream = outcomes.iter().map(|m| String::from_utf8_lossy(&m.payload)).collect::<Vec<_>>().join("\n");
    let file = theatre.folder().join("received.jws");
    std::fs::write(&file, stream)?;
    verify::statements(&file, &[theatre.folder().join("device.pub.pem")])
}
