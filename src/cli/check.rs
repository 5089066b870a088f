//! `check`: is this box ready to run? Looks at everything, changes nothing.

use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::exit;
use super::provision::Lack;
use crate::board::{self, Board, Problem, Root, Severity};
use crate::config::Configuration;
use crate::daemon;
use crate::ingest::Listener;
use crate::os;
use crate::publish;
use crate::reader::supervise::Supervised;
use crate::seal::key::DeviceKey;

/// Longest wait for the broker to accept a connection.
const BROKER_LIMIT: Duration = Duration::from_secs(3);

#[derive(clap::Args)]
pub struct Arguments {
    /// The configuration file
    #[arg(long, default_value = "/etc/residentd/residentd.toml")]
    config: PathBuf,
}

/// One thing that was looked at: good with what was seen, or bad with what to do.
type Finding = (&'static str, Result<String, String>);

pub fn check(arguments: &Arguments) -> anyhow::Result<()> {
    let config = Configuration::load(&arguments.config)?;
    println!("ok    configuration  {} ({})", arguments.config.display(), config.sha256);
    let findings = [
        ("board", board(&config)),
        ("provisioning", provisioning(&arguments.config)),
        ("key", key(&config)),
        ("state folder", state_folder(&config.file.device.state_dir)),
        ("models", models(&config)),
        ("DICOM port", port(&config)),
        ("broker", broker(&config)),
    ];
    println!("note  {:<13}  {}", "clock", clock());
    let bad = findings.iter().filter(|finding| print(finding)).count();
    if bad == 0 { Ok(()) } else { Err(exit::coded(exit::NO, format!("{bad} of {} checks failed", findings.len() + 1))) }
}

/// Prints a line; true where it is a bad one.
fn print((what, result): &Finding) -> bool {
    match result {
        Ok(seen) => println!("ok    {what:<13}  {seen}"),
        Err(todo) => println!("BAD   {what:<13}  {todo}"),
    }
    result.is_err()
}

/// The board, and what is wrong with it; only what is grave fails the check.
fn board(config: &Configuration) -> Result<String, String> {
    let root = Root::machine();
    let problems = board::problems(&root, &config.file.device.state_dir);
    let (bad, rest): (Vec<Problem>, Vec<Problem>) =
        problems.into_iter().partition(|problem| problem.severity == Severity::Bad);
    for problem in rest {
        let Problem { severity, about, seen, remedy } = problem;
        println!("{}  {about:<13}  {seen}; {remedy}", if severity == Severity::Note { "note" } else { "WARN" });
    }
    if bad.is_empty() {
        return Ok(Board::detect(&root).to_string());
    }
    Err(bad.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

fn provisioning(config: &Path) -> Result<String, String> {
    let lacks = super::provision::lacking(config);
    let told: Vec<String> = lacks.iter().map(|Lack { what, todo }| format!("{what}: {todo}")).collect();
    if told.is_empty() { Ok("nothing is missing".to_owned()) } else { Err(told.join("; ")) }
}

fn key(config: &Configuration) -> Result<String, String> {
    DeviceKey::load(&config.file.device.key_file).map(|key| format!("key id {}", key.id())).map_err(|e| e.to_string())
}

fn state_folder(folder: &Path) -> Result<String, String> {
    // The folder is made at the first start, so what must exist is a parent to make it in.
    let there = folder.ancestors().find(|p| p.is_dir()).ok_or("no part of the path exists")?;
    rustix::fs::access(there, rustix::fs::Access::WRITE_OK)
        .map_err(|e| format!("{} is not writable ({e}): chown it to residentd's user", there.display()))?;
    let free_mib = os::free_bytes(there).map_err(|e| e.to_string())? / (1024 * 1024);
    Ok(format!("{}, {free_mib} MiB free", folder.display()))
}

fn models(config: &Configuration) -> Result<String, String> {
    let selected = daemon::selected(&config.file, os::now()).map_err(|e| e.to_string())?;
    let settings = daemon::reader_settings(&config.file.reader, selected, Vec::new());
    let reader = super::runtime()
        .map_err(|e| e.to_string())?
        .block_on(Supervised::start(&settings))
        .map_err(|e| e.to_string())?;
    let names: Vec<String> = reader.bundles.iter().map(|b| format!("{} {}", b.name, b.version)).collect();
    let walls = if reader.walls.missing.is_empty() {
        "sandbox complete".into()
    } else {
        format!("SANDBOX INCOMPLETE: {}", reader.walls.missing.join("; "))
    };
    Ok(format!("{} (signed by a trusted key, golden outputs reproduced; {walls})", names.join(", ")))
}

fn port(config: &Configuration) -> Result<String, String> {
    let listen = config.file.dicom.listen;
    Listener::bind(&config.file.dicom, os::now)
        .map(|_| format!("{listen} is free"))
        .map_err(|e| format!("{listen}: {e}; is residentd running already? else set [dicom] listen"))
}

fn broker(config: &Configuration) -> Result<String, String> {
    let mqtt = &config.file.mqtt;
    let receiver = config.file.receiver.as_ref();
    publish::check_access(mqtt, &config.file.device, receiver).map_err(|e| e.to_string())?;
    if let Some(broker) = &config.file.broker {
        return Ok(format!("embedded, will listen on {}", broker.listen));
    }
    let target = format!("{}:{}", mqtt.host, mqtt.port);
    let address = target
        .to_socket_addrs()
        .map_err(|e| format!("{target}: {e}; set [mqtt] host"))?
        .next()
        .ok_or_else(|| format!("{target} has no address"))?;
    std::net::TcpStream::connect_timeout(&address, BROKER_LIMIT)
        .map(|_| format!("{target} accepts connections (credentials are tried by `run`)"))
        .map_err(|e| format!("{target}: {e}; outcomes would queue on this box until it answers"))
}

/// A clock that is off is no reason not to run: outcomes say so, and order is by sequence.
fn clock() -> String {
    let now = os::now();
    let state = if now.synchronised { "synchronised" } else { "NOT synchronised: outcomes will say so" };
    format!("{}, {state}", now.rfc3339())
}
