//! The disk is full: ingest is refused first, what was accepted is signed and delivered
//! all the same, and when there is room again the box goes on by itself. On a small real
//! file system, which takes root to mount.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use residentd::audit::verify::verify;
use residentd::audit::{Checkpoint, Event, Limits, Log, Segment};
use residentd::clock::Moment;
use residentd::seal::key::DeviceKey;

use crate::site::{Daemon, Site, wait_for};

/// A file system for the state of a box: room for reserve, watermark and some images.
const SIZE_MIB: u64 = 96;
const MIN_FREE_MIB: u64 = 24;
/// In which the service resumes once there is room.
const RESUMES: Duration = Duration::from_secs(10);
const OUT_OF_RESOURCES: u16 = 0xA700;

/// A mounted file system; dropped, it is unmounted.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// A site whose state is on a small file system, or `None` with a message.
fn site() -> Option<(Mounted, Site)> {
    let site = Site::new();
    site.edit("min_free_mib = 1", &format!("min_free_mib = {MIN_FREE_MIB}"));
    let state = site.path("state");
    std::fs::create_dir_all(&state).unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", &format!("size={SIZE_MIB}m,mode=750"), "tmpfs"]).arg(&state);
    if !mount.output().is_ok_and(|output| output.status.success()) {
        println!("skipped: mounting a small file system takes root");
        return None;
    }
    Some((Mounted(state), site))
}

fn free_bytes(site: &Site) -> u64 {
    residentd::os::free_bytes(&site.path("state")).unwrap()
}

/// Takes room until `left_bytes` are free, to the last byte where that is none.
fn fill(site: &Site, left_bytes: u64) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(site.path("state/filler")).unwrap();
    let mut piece = 1024 * 1024;
    while free_bytes(site) > left_bytes && piece > 0 {
        let most = usize::try_from(free_bytes(site) - left_bytes).unwrap();
        if file.write_all(&vec![1; piece.min(most)]).is_err() {
            piece /= 2;
        }
    }
}

fn signal(daemon: &Daemon, name: &str) {
    for pid in daemon.children() {
        assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
    }
}

fn undelivered(site: &Site) -> u64 {
    residentd::store::Store::open(&site.path("state")).unwrap().undelivered().unwrap()
}

/// Sends until it is accepted, which must be soon.
fn accepted_soon(site: &Site, phantom: &std::path::Path) {
    let since = Instant::now();
    loop {
        let status = site.send(phantom);
        if status == Ok(0) {
            println!("accepted {:.1} s after there was room", since.elapsed().as_secs_f32());
            return;
        }
        assert!(since.elapsed() < RESUMES, "still {status:?}");
        assert_eq!(status, Ok(OUT_OF_RESOURCES));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_full_disk_refuses_the_scanner_signs_what_was_accepted_and_resumes_by_itself() {
    let Some((_mounted, site)) = site() else { return };
    let daemon = site.start();
    let phantoms: Vec<_> = (1..=5).map(|seed| site.phantom(seed)).collect();
    // A reader that stands still, so that images wait while the disk fills up.
    signal(&daemon, "-STOP");
    for phantom in &phantoms[..3] {
        assert_eq!(site.send(phantom), Ok(0));
    }
    fill(&site, 0);
    assert_eq!(site.send(&phantoms[3]), Ok(OUT_OF_RESOURCES));
    assert_eq!(std::fs::read_dir(site.path("state/spool/incoming")).unwrap().count(), 0, "nothing was spooled");

    signal(&daemon, "-CONT");
    wait_for("three outcomes on a full disk", || site.outcomes().len() == 3);
    wait_for("an empty outbox on a full disk", || undelivered(&site) == 0);
    // The delivered images would make room; others take it, so the disk stays full.
    fill(&site, 0);
    assert_eq!(site.send(&phantoms[3]), Ok(OUT_OF_RESOURCES));

    std::fs::remove_file(site.path("state/filler")).unwrap();
    accepted_soon(&site, &phantoms[3]);
    wait_for("the outcome after it", || site.outcomes().len() == 4);
    wait_for("the reserve", || site.path("state/reserve").exists());
    daemon.stop();
    let stream: Vec<String> = site.outcomes().into_iter().map(|outcome| outcome.jws).collect();
    assert!(site.verify(&stream.join("\n")).status.success());
}

#[test]
fn a_full_disk_stops_no_event_from_being_written_and_signed_for() {
    let Some((_mounted, site)) = site() else { return };
    let key = Arc::new(DeviceKey::generate().unwrap());
    let now = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
    let folder = site.path("state/audit");
    let mut log = Log::open(&folder, Limits::default(), Some(Arc::clone(&key))).unwrap().log;
    let event = || Event::Erased { images: 1, results: 0 };
    log.append(&[(now, event())]).unwrap();
    log.checkpoint(now).unwrap();
    for round in 0..100 {
        fill(&site, 0);
        log.append(&[(now, event())]).unwrap_or_else(|e| panic!("event {round} on a full disk: {e}"));
        log.sync().unwrap_or_else(|e| panic!("event {round} on a full disk: {e}"));
    }
    // Somebody else must not have taken what the reserve gives back meanwhile.
    let signed = log.checkpoint(now).unwrap().expect("a checkpoint on a full disk");
    let signed = Checkpoint::open(&signed, &[key.public().clone()]).unwrap();
    assert_eq!(signed.seq, 101);
    let (segments, _) = Segment::all(&folder).unwrap();
    assert!(verify(&segments, &[signed]).passed());
}

#[test]
fn a_box_that_starts_on_a_full_disk_signs_what_it_had_accepted() {
    let Some((_mounted, site)) = site() else { return };
    let daemon = site.start();
    signal(&daemon, "-STOP");
    assert_eq!(site.send(&site.phantom(1)), Ok(0));
    drop(daemon);
    fill(&site, 0);
    let daemon = site.start();
    wait_for("the outcome", || site.outcomes().len() == 1);
    wait_for("an empty outbox", || undelivered(&site) == 0);
    daemon.stop();
}

#[test]
fn delivered_images_make_room_for_new_ones_before_the_disk_is_full() {
    let Some((_mounted, site)) = site() else { return };
    let daemon = site.start();
    let phantoms: Vec<_> = (1..=4).map(|seed| site.phantom(seed)).collect();
    for phantom in &phantoms[..3] {
        assert_eq!(site.send(phantom), Ok(0));
    }
    wait_for("three outcomes", || site.outcomes().len() == 3);
    wait_for("an empty outbox", || undelivered(&site) == 0);
    let images = || std::fs::read_dir(site.path("state/spool")).unwrap().count() - 1;
    assert_eq!(images(), 3, "nothing goes while there is room");
    fill(&site, MIN_FREE_MIB * 1024 * 1024 - 256 * 1024);
    accepted_soon(&site, &phantoms[3]);
    wait_for("its outcome", || site.outcomes().len() == 4);
    assert!(images() <= 3, "the image that was delivered first has gone");
    daemon.stop();
}
