//! `collect`: the hospital's receiver, until SIGTERM or SIGINT.

use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::exit;
use crate::collect::{Collector, Filters, Shelf};
use crate::config::{Mqtt, MqttTls, TopicPrefix};
use crate::mqtt::Access;
use crate::os;
use crate::seal::key::DeviceKey;
use crate::seal::public::PublicKey;

/// Most key files in a folder of devices: far above any hospital's.
const MAX_DEVICES: usize = 1000;

#[derive(clap::Args)]
#[command(
    about = "Receive, verify and keep sealed outcomes, answer signed receipts, ask for what is missing",
    after_help = "Give the public key beside --key to the devices ([receiver] keys). Several collectors may share the\n\
                  work: the same --group, the same --store, the same --key. A folder is for one collector alone.\n\
                  A device that changes its key (`provision rotate-key`) is followed; the key that it was given with\n\
                  stays its name here."
)]
pub struct Arguments {
    /// The broker's host name or address
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Its port
    #[arg(long, default_value_t = 1883)]
    port: u16,
    /// User name, with --password-file
    #[arg(long, requires = "password_file")]
    user: Option<String>,
    /// File whose first line is the password
    #[arg(long, requires = "user")]
    password_file: Option<PathBuf>,
    /// Authorities of the broker's certificate (PEM); without it the connection is not encrypted
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Client certificate (PEM), with --tls-key
    #[arg(long, requires = "tls_key", requires = "ca")]
    certificate: Option<PathBuf>,
    /// Private key of the client certificate (PEM)
    #[arg(long, requires = "certificate")]
    tls_key: Option<PathBuf>,
    /// First levels of every topic, as the devices have it
    #[arg(long, default_value = "residentd")]
    prefix: String,
    /// Name of a shared subscription
    #[arg(long, requires = "store")]
    group: Option<String>,
    /// Public keys of the devices, or folders of them (*.pem, *.jwk)
    #[arg(long, required = true)]
    devices: Vec<PathBuf>,
    /// The collector's own private key, which signs receipts
    #[arg(long)]
    key: PathBuf,
    /// Make the key where there is none, and its public half beside it
    #[arg(long)]
    make_key: bool,
    /// Keep outcomes as files below this folder
    #[arg(long, required_unless_present = "store", conflicts_with = "store")]
    folder: Option<PathBuf>,
    /// Keep outcomes in this database (`SQLite`)
    #[arg(long)]
    store: Option<PathBuf>,
}

pub fn collect(arguments: &Arguments) -> anyhow::Result<()> {
    os::sandbox::forbid_core_dumps()?;
    let key = own_key(arguments)?;
    let access = access(arguments, key.id())?;
    let filters = filters(arguments)?;
    let devices = devices(&arguments.devices)?;
    let shelf = match (&arguments.folder, &arguments.store) {
        (Some(folder), _) => Shelf::folder(folder)?,
        (None, Some(store)) => Shelf::database(store)?,
        (None, None) => return Err(exit::coded(exit::CONFIG, "say where to keep outcomes: --folder or --store")),
    };
    log::info!("collecting from {} devices; receipts are signed with key {}", devices.len(), key.id());
    let collector = Collector::new(access, filters, devices, key, shelf, os::now);
    super::runtime()?.block_on(run(collector))
}

async fn run(collector: Collector) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (stop, stopped) = watch::channel(false);
    let state = collector.state();
    let collecting = tokio::spawn(collector.run(stopped));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop.send_replace(true);
    collecting.await?;
    log::info!(
        "kept {}, repeated {}, refused {}, foreign {}, receipts {}, asked {} times",
        state.kept(),
        state.repeated(),
        state.refused(),
        state.foreign(),
        state.receipts(),
        state.asked()
    );
    Ok(())
}

fn own_key(arguments: &Arguments) -> anyhow::Result<DeviceKey> {
    if arguments.make_key && !arguments.key.exists() {
        let key = DeviceKey::generate()?;
        key.save_new(&arguments.key)?;
        key.save_public(&arguments.key)?;
    }
    Ok(DeviceKey::load(&arguments.key)?)
}

/// The broker's door, as the configuration file of a device would say it.
fn access(arguments: &Arguments, key_id: &str) -> anyhow::Result<Access> {
    let config = |e: String| exit::coded(exit::CONFIG, e);
    let tls = arguments.ca.as_ref().map(|ca| MqttTls {
        ca: ca.clone(),
        certificate: arguments.certificate.clone(),
        key: arguments.tls_key.clone(),
    });
    let settings = Mqtt {
        host: arguments.host.clone(),
        port: arguments.port,
        topic_prefix: prefix(arguments)?,
        user: arguments.user.clone(),
        password_file: arguments.password_file.clone(),
        heartbeat_s: 30.try_into().map_err(config)?,
        telemetry_s: 60.try_into().map_err(config)?,
        tls,
    };
    // Each of a group has a client id of its own: a broker ends the older of two with one.
    let client_id = format!("collect-{}-{}", key_id.chars().take(8).collect::<String>(), std::process::id());
    Access::read(&settings, client_id, os::now).map_err(|e| config(e.to_string()))
}

fn prefix(arguments: &Arguments) -> anyhow::Result<TopicPrefix> {
    TopicPrefix::try_from(arguments.prefix.clone())
        .map_err(|e| exit::coded(exit::CONFIG, format!("--prefix: each level of {e}")))
}

fn filters(arguments: &Arguments) -> anyhow::Result<Filters> {
    let group = arguments.group.as_deref();
    if let Some(name) = group {
        crate::config::Name::try_from(name.to_owned())
            .map_err(|e| exit::coded(exit::CONFIG, format!("--group: {e}")))?;
    }
    Ok(Filters::below(prefix(arguments)?.as_str(), group))
}

/// The devices' keys; the same key in two forms is one.
fn devices(paths: &[PathBuf]) -> anyhow::Result<Vec<PublicKey>> {
    let mut keys: Vec<PublicKey> = Vec::new();
    for path in paths {
        for file in key_files(path)? {
            let key = PublicKey::load(&file).map_err(|e| exit::coded(exit::DATA, e.to_string()))?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    if keys.is_empty() {
        return Err(exit::coded(
            exit::DATA,
            "no device key (*.pem, *.jwk) in --devices: outcomes could not be verified",
        ));
    }
    Ok(keys)
}

fn key_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let wrong = |e: std::io::Error| exit::coded(exit::DATA, format!("{}: {e}", path.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(wrong)?.take(MAX_DEVICES) {
        let file = entry.map_err(wrong)?.path();
        if file.extension().is_some_and(|extension| extension == "pem" || extension == "jwk") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
