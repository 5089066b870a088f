//! The hospital's network at its worst, against the real program: slow, idle, flooding,
//! malformed and lying DICOM peers, while a scanner that does nothing wrong asks C-ECHO
//! after C-ECHO. Nothing crashes, nothing is believed, and the scanner does not notice.

mod associations;
mod connections;
mod crowds;
mod datasets;
mod messages;
mod scanner;
mod script;
mod secured;
mod speech;

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::site::{Daemon, Site, wait_for};
use scanner::Scanner;
use script::Case;

/// Most that the gateway may grow over all of it (issue: "RSS + 32 MB at most").
const MOST_GROWTH_KIB: u64 = 32 * 1024;
/// Peers at once: less than there are seats, so that each case meets its own answer.
const AT_ONCE: usize = 24;
/// Most that the gateway may log about it: an outsider must not fill the disk.
const MOST_LOG_BYTES: u64 = 64 * 1024;

/// A site with short limits, and who may call. Addresses are not listed: each peer has its own.
fn site() -> Site {
    let site = Site::new();
    for (key, value) in [
        ("# allow_calling = []", "allow_calling = [\"CART7\", \"TEST\"]"),
        ("# max_associations = 8", "max_associations = 32"),
        ("# idle_s = 60", "idle_s = 2"),
        ("# instance_s = 120", "instance_s = 15"),
        ("# max_dataset_mib = 512", "max_dataset_mib = 2"),
    ] {
        site.edit(key, value);
    }
    site
}

/// Starts the daemon with its log in a file.
fn start(site: &Site) -> Daemon {
    let mut command = site.run_command();
    command.stderr(File::create(site.path("log")).unwrap());
    let daemon = Daemon(command.spawn().unwrap());
    wait_for("the storage SCP", || std::net::TcpStream::connect(site.dicom).is_ok());
    daemon
}

/// An address of the loopback network for each peer.
fn address(n: usize) -> IpAddr {
    let [_, _, high, low] = u32::try_from(n + 256).unwrap().to_be_bytes();
    Ipv4Addr::new(127, 1, high, low).into()
}

/// Plays all cases, some at a time; what was wrong, by name.
async fn play(cases: Vec<Case>, site: &Site) -> Vec<String> {
    let gateway = site.dicom;
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut playing = JoinSet::new();
    for (n, case) in cases.into_iter().enumerate() {
        let turns = Arc::clone(&turns);
        playing.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            case.play(gateway, address(n)).await.err().map(|wrong| format!("{}: {wrong}", case.name))
        });
    }
    playing.join_all().await.into_iter().flatten().collect()
}

/// Holds what must hold after any of it, and says what it cost.
fn survived(site: &Site, daemon: Daemon, before_kib: u64, cases: usize, scanner: &Scanner) {
    let growth_kib = residentd::os::peak_rss_kib(Some(daemon.0.id())).unwrap() - before_kib;
    let incoming = site.path("state/spool/incoming");
    wait_for("an empty incoming folder", || std::fs::read_dir(&incoming).unwrap().count() == 0);
    let store = residentd::store::Store::open(&site.path("state")).unwrap();
    wait_for("every outcome", || store.unread().unwrap() == 0);
    daemon.stop();
    let log = std::fs::read_to_string(site.path("log")).unwrap();
    println!("{cases} hostile cases; {scanner}; the gateway grew by {growth_kib} KiB; {} bytes of log", log.len());
    assert!(!log.contains("panicked") && !log.contains("failed inside residentd"), "{log}");
    assert!(!log.chars().any(|c| c.is_control() && c != '\n'), "a peer writes control characters into the log");
    assert!(log.len() as u64 <= MOST_LOG_BYTES, "{} bytes of log", log.len());
    assert!(growth_kib <= MOST_GROWTH_KIB, "the gateway grew by {growth_kib} KiB");
    assert_eq!(scanner.unanswered(), 0, "{scanner}");
}

#[test]
fn hostile_peers_are_refused_while_a_scanner_is_served() {
    let site = site();
    let daemon = start(&site);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let cases: Vec<Case> = [associations::cases(), messages::cases(), datasets::cases(), connections::cases()]
        .into_iter()
        .flatten()
        .collect();
    let count = cases.len() + crowds::COUNT;
    assert!(count >= 50);
    let (scanner, before) = runtime.block_on(async {
        let scanner = Scanner::start(site.dicom, None).await;
        let before = residentd::os::peak_rss_kib(Some(daemon.0.id())).unwrap();
        let (mut wrong, of_one_peer) = tokio::join!(play(cases, &site), crowds::of_one_peer(site.dicom));
        wrong.extend(of_one_peer);
        wrong.extend(crowds::of_many_peers(site.dicom).await);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        (scanner.stop().await, before)
    });
    assert_eq!(site.send(&site.phantom(1)), Ok(0), "it still serves");
    // The control cases, and nothing of a liar's.
    let stored = site.outcomes().len();
    survived(&site, daemon, before, count, &scanner);
    println!("{stored} outcomes");
}
