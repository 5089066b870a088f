//! `accept`: the acceptance of a box at its scanner: every promise is seen to be kept, on its
//! own configuration, key and store; the result is a certificate that the box signs.

mod bench;
mod observer;
mod plug;
mod proxy;
mod steps;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::exit;
use crate::acceptance::{Certificate, Span, Verdict};
use crate::board::{Board, Root};
use crate::config::Configuration;
use crate::daemon::{Holder, KEY_CREDENTIAL, holder};
use crate::os::disk::Disk;
use crate::os::{self, private};
use crate::seal::key::DeviceKey;
use crate::seal::public::PublicKey;
use bench::Bench;
use plug::Plug;
use steps::Log;

/// Largest certificate that is read: a message, with room for a line feed.
const MAX_CERTIFICATE_BYTES: u64 = 65 * 1024;

/// What an engineer has for finding the plug, while the daemon runs.
const PLUG_LIMIT: Duration = Duration::from_mins(10);

#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Stop the service first (systemctl stop residentd), and run this as its user. It starts the daemon\n\
                  itself, on the box's own configuration, key and store; every image is a phantom that is marked as\n\
                  a test. It takes a few minutes. Exit code 0: accepted. 1: not accepted. 75: goes on after the\n\
                  next boot (--pull-plug)."
)]
pub struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// The configuration file
    #[arg(long, default_value = "/etc/residentd/residentd.toml")]
    config: PathBuf,
    /// Folder for the certificate, its page and the daemon's log
    #[arg(long, required = true)]
    out: Option<PathBuf>,
    /// Wait for an image from the modality as well
    #[arg(long)]
    from_modality: bool,
    /// Have the engineer pull the plug, too: goes on where it was when it is run again after boot
    #[arg(long)]
    pull_plug: bool,
    /// Who does it, for the certificate
    #[arg(long)]
    engineer: Option<String>,
}

#[derive(clap::Subcommand)]
enum What {
    /// Check a certificate against the device's public key
    Verify {
        /// The certificate (acceptance-….jws)
        file: PathBuf,
        /// The device's public key (PEM or JWK)
        #[arg(long, required = true)]
        key: Vec<PathBuf>,
    },
}

pub fn accept(arguments: &Arguments) -> anyhow::Result<()> {
    match (&arguments.what, &arguments.out) {
        (Some(What::Verify { file, key }), _) => verify(file, key),
        (None, Some(out)) => super::runtime()?.block_on(async {
            tokio::select! {
                biased;
                interrupted = tokio::signal::ctrl_c() => {
                    interrupted?;
                    Err(exit::coded(exit::INTERRUPTED, "interrupted: no certificate"))
                }
                done = run(arguments, out) => done,
            }
        }),
        (None, None) => Err(exit::coded(exit::DATA, "say where the certificate goes: --out DIR")),
    }
}

fn verify(file: &Path, keys: &[PathBuf]) -> anyhow::Result<()> {
    let wrong = |e: String| exit::coded(exit::DATA, e);
    let keys = keys.iter().map(|path| PublicKey::load(path).map_err(|e| wrong(e.to_string())));
    let keys = keys.collect::<anyhow::Result<Vec<_>>>()?;
    let shown = file.display();
    if std::fs::metadata(file).map_err(|e| wrong(format!("{shown}: {e}")))?.len() > MAX_CERTIFICATE_BYTES {
        return Err(wrong(format!("{shown} is larger than any certificate")));
    }
    let jws = std::fs::read_to_string(file).map_err(|e| wrong(format!("{shown}: {e}")))?;
    let (kid, certificate) = Certificate::open(&jws, &keys)
        .map_err(|e| exit::coded(exit::NO, format!("{shown} is no certificate of this device: {e}")))?;
    println!("signed by key  {kid}\ndevice         {}/{}", certificate.site, certificate.device);
    println!("time           {} to {}", certificate.began, certificate.ended);
    for step in &certificate.steps {
        println!("{:<13}  {}: {}", format!("{:?}", step.mark).to_lowercase(), step.name, step.seen);
    }
    match certificate.result {
        Verdict::Passed => {
            println!("ACCEPTED");
            Ok(())
        }
        Verdict::Failed => Err(exit::coded(exit::NO, format!("{shown}: this box was NOT accepted"))),
    }
}

async fn run(arguments: &Arguments, out: &Path) -> anyhow::Result<()> {
    let config = Configuration::load(&arguments.config)?;
    ready(&config)?;
    Disk::Real
        .make_folders(out, 0o750)
        .map_err(|e| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}", out.display())))?;
    let device = &config.file.device;
    let mut facts = Certificate::of(
        device.site.to_string(),
        device.name.to_string(),
        config.file.dicom.ae_title.to_string(),
        config.sha256,
    );
    let began = os::now();
    facts.engineer.clone_from(&arguments.engineer);
    facts.board = Board::detect(&Root::machine()).to_string();
    facts.began = began.rfc3339();
    let mut log = Log::default();
    if log.take("examine", "Configuration, key, disk, store and models", steps::examine(&config)).await {
        facts.bundles = steps::bundles(&config).await;
        let mut bench = Bench::set_up(config.clone(), out, began.unix_ms.unsigned_abs()).await?;
        facts.outcomes = go(arguments, out, &mut bench, &mut log).await?;
    }
    let ended = os::now();
    (facts.ended, facts.clock_synchronised) = (ended.rfc3339(), began.synchronised && ended.synchronised);
    facts.steps = log.0;
    conclude(&config, &Certificate::conclude(facts), out)
}

/// Nothing may run on this box's store but what this command starts, as the store's user.
fn ready(config: &Configuration) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let state_dir = &config.file.device.state_dir;
    if let Ok(Holder::Daemon(_)) = holder(state_dir) {
        let message = "the daemon runs, and acceptance starts its own: `systemctl stop residentd` first";
        return Err(exit::coded(exit::UNAVAILABLE, message));
    }
    let us = rustix::process::geteuid().as_raw();
    match std::fs::metadata(state_dir) {
        Ok(metadata) if metadata.uid() != us => Err(exit::coded(
            exit::PERMISSION,
            format!(
                "{} belongs to user {}: run this as that user, or the daemon could not use its own files afterwards",
                state_dir.display(),
                metadata.uid()
            ),
        )),
        _ => Ok(()),
    }
}

/// Every step on the bench; the outcomes that were made.
async fn go(arguments: &Arguments, out: &Path, bench: &mut Bench, log: &mut Log) -> anyhow::Result<Option<Span>> {
    let state_dir = bench.config.file.device.state_dir.clone();
    let head = || crate::store::Glance::at(&state_dir, true).ok().and_then(|store| store.last_outcome().ok().flatten());
    let before = head().map_or(0, |last| last.sequence);
    if !log.take("start", "The daemon starts on this box's configuration", steps::start(bench)).await {
        return Ok(None);
    }
    if let Some(plug) = Plug::left_in(out)? {
        log.take("plug", "The plug was pulled by hand", plug::resume(&plug, bench)).await;
        Plug::forget(out)?;
    }
    log.take("echo", "C-ECHO", steps::echo(bench)).await;
    log.take("read", "A chest phantom is stored, read, signed and published", steps::read(bench)).await;
    log.take("retake", "A blank image is not read, and a retake is asked for", steps::retake(bench)).await;
    log.take("decline", "A body part that no model is for is not read", steps::decline(bench)).await;
    log.take("refuse", "Half an image is refused", steps::refuse(bench)).await;
    log.take("broker-loss", "The broker goes away and comes back", steps::broker_loss(bench)).await;
    log.take("power-cut", "The power goes within an image and after one", steps::power_cut(bench)).await;
    log.take("receipt", "Every outcome is taken", steps::receipt(bench)).await;
    log.take("chain", "The outcomes are one chain", async { steps::chain(bench, before) }).await;
    log.take("audit", "The audit log holds", async { steps::audit_log(bench) }).await;
    if arguments.pull_plug && !log.0.iter().any(|step| step.name == "plug") {
        plug::pull(bench, out).await?;
        eprintln!(
            "      PULL THE PLUG NOW. After boot run the same command again: it looks for the image that was just taken,"
        );
        eprintln!("      and goes through everything once more");
        tokio::time::sleep(PLUG_LIMIT).await;
        return Err(exit::coded(exit::PARTIAL, "the plug was not pulled; run the same command again after it was"));
    }
    log.take("stop", "The daemon stops in order", async { steps::stop(bench) }).await;
    if arguments.from_modality {
        log.take("modality", "An image from the modality", steps::modality(bench)).await;
        let stopped = log.take("modality-stop", "The daemon stops in order again", async { steps::stop(bench) }).await;
        if !stopped {
            log::warn!("the daemon did not stop in order");
        }
    }
    Ok(head().map(|last| Span { first: before + 1, last: last.sequence }).filter(|span| span.first <= span.last))
}

/// Signs and writes; an unaccepted box is an error whose certificate is written all the same.
fn conclude(config: &Configuration, certificate: &Certificate, out: &Path) -> anyhow::Result<()> {
    let stem = format!("acceptance-{}-{}", certificate.device, certificate.ended.replace([':', '.'], ""));
    let (page, signed) = (out.join(format!("{stem}.html")), out.join(format!("{stem}.jws")));
    let write = |path: &Path, text: &str| {
        Disk::Real
            .place_new(path, text.as_bytes(), 0o644)
            .map_err(|e| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}", path.display())))
    };
    // As the daemon comes by it: from systemd where that hands it over.
    let handed = private::credential(KEY_CREDENTIAL);
    let key = DeviceKey::load(handed.as_deref().unwrap_or(&config.file.device.key_file));
    let (kid, jws) = match &key {
        Ok(key) => (key.id().to_owned(), certificate.sign(key)?),
        Err(_) => ("none".to_owned(), String::new()),
    };
    write(&page, &certificate.page(&kid, &jws))?;
    if !jws.is_empty() {
        write(&signed, &(jws + "\n"))?;
        println!("certificate    {}", signed.display());
    }
    println!("page to print  {}", page.display());
    match certificate.result {
        Verdict::Passed => {
            println!("ACCEPTED");
            Ok(())
        }
        Verdict::Failed => Err(exit::coded(exit::NO, "this box is NOT accepted: the page says which step failed")),
    }
}
