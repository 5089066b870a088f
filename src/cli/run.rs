//! `run`: the daemon, until SIGTERM or SIGINT; SIGHUP reads the configuration again.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use log::{info, warn};
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use super::exit;
use crate::board::{Board, Recognised, Root};
use crate::config::Configuration;
use crate::daemon::{self, Daemon, Reload};
use crate::os::{self, confine};

/// Most threads of the gateway's runtime: its work is waiting.
const MAX_THREADS: u16 = 2;

#[derive(clap::Args)]
pub struct Arguments {
    /// The configuration file
    #[arg(long, default_value = "/etc/residentd/residentd.toml")]
    config: PathBuf,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(why) = super::provision::refusal(&arguments.config) {
        return Err(exit::coded(exit::CONFIG, why));
    }
    let config = Configuration::load(&arguments.config)?;
    let walls = confine::raise(&daemon::reach(&config)?)?;
    let board = Board::detect(&Root::machine());
    info!("residentd {} on {board}, configuration {}", env!("CARGO_PKG_VERSION"), config.sha256);
    if let Recognised::Nothing(_) = board.recognised {
        warn!("nobody knows this board: `residentd check` says what to do");
    }
    for missing in &walls.missing {
        warn!("the gateway's sandbox is incomplete: {missing}");
    }
    if let Some(cpus) = &board.facts.cpu.gateway
        && let Err(e) = os::run_on(cpus.numbers())
    {
        // Absent, or denied by the service manager (examples/board-cpus.conf).
        info!("the gateway runs on any CPU, not on {cpus} alone: {e}");
    }
    let threads = usize::from(board.facts.cpu.cores.clamp(1, MAX_THREADS));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(serve(&config))
}

async fn serve(config: &Configuration) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Of a terminal that closes: then it means the end, as for any program.
    let attended = std::io::stdin().is_terminal();
    let mut hangup = signal(SignalKind::hangup())?;
    // A start takes minutes on a slow board; what it started ends with it.
    let daemon = tokio::select! {
        started = Daemon::start(config, os::now) => started?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    info!("ready: storage SCP {} on {}", config.file.dicom.ae_title, daemon.address());
    tell_systemd(&[NotifyState::Ready]);
    let reload = daemon.reload();
    let until = async {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => {
                    if attended {
                        break;
                    }
                    read_again(&reload);
                }
            }
        }
        info!("stopping");
        tell_systemd(&[NotifyState::Stopping]);
    };
    let watched = sd_notify::watchdog_enabled().is_some();
    daemon
        .run(until, || {
            if watched {
                tell_systemd(&[NotifyState::Watchdog]);
            }
        })
        .await?;
    Ok(())
}

/// `Type=notify` with `ExecReload=kill -HUP`: the service is reloading until it is ready again.
fn read_again(reload: &Reload) {
    tell_systemd(&[NotifyState::Reloading]);
    let status = match reload.reload() {
        Ok(config) => format!("configuration {}", config.sha256),
        Err(why) => format!("configuration NOT reloaded: {why}"),
    };
    tell_systemd(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

fn tell_systemd(states: &[NotifyState<'_>]) {
    if let Err(e) = sd_notify::notify(states) {
        warn!("systemd was not told: {e}");
    }
}
