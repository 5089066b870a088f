//! The steps of an acceptance, each a promise that is seen to be kept on this very box.

use std::future::Future;
use std::time::{Duration, Instant};

use super::bench::Bench;
use super::proxy::{Proxy, Way};
use crate::acceptance::{Bundle, Mark, Step};
use crate::audit;
use crate::config::Configuration;
use crate::daemon;
use crate::doctor::{self, Scope, State};
use crate::models;
use crate::os;
use crate::phantom::Kind;
use crate::reader::supervise::Supervised;
use crate::seal::header::Kind as OutcomeKind;
use crate::seal::verify;
use crate::store::Glance;

/// A common flat-panel detector's image, whose times are worth telling.
const DETECTOR: (u16, u16) = (2048, 2500);
/// Everything else is about the way, not about the image.
const SMALL: (u16, u16) = (512, 640);
/// Where the power goes in the middle of an image of 650 kB.
const MID_TRANSFER_BYTES: u64 = 200_000;
/// From the broker's return to the last outcome's delivery: the publisher comes back within
/// half a minute, and asks again after ten seconds.
const RETURN_LIMIT: Duration = Duration::from_secs(90);
/// From an outcome to the receiver's or the broker's word for it.
const RECEIPT_LIMIT: Duration = Duration::from_mins(1);
/// From an outcome to an ear at the broker.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(20);
/// What an engineer has for sending an image from the console.
const MODALITY_LIMIT: Duration = Duration::from_mins(4);
/// What needs no daemon and must not fail before one is started.
const EXAMINED: [&str; 9] =
    ["board", "clock", "configuration", "permissions", "key", "disk", "store", "models", "audit"];

/// What came of a step that did not fail.
pub enum Seen {
    /// This.
    Yes(String),
    /// It could not be tried, and why.
    Skipped(String),
}

/// The steps as they are made; each is told when it begins and when it ended.
#[derive(Default)]
pub struct Log(pub Vec<Step>);

impl Log {
    /// Makes a step; false where it failed.
    pub async fn take(&mut self, name: &str, what: &str, work: impl Future<Output = Result<Seen, String>>) -> bool {
        eprintln!("      {what} …");
        let start = Instant::now();
        let (mark, seen) = match work.await {
            Ok(Seen::Yes(seen)) => (Mark::Passed, seen),
            Ok(Seen::Skipped(why)) => (Mark::NotExercised, why),
            Err(why) => (Mark::Failed, why),
        };
        let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let shown = match mark {
            Mark::Passed => "ok  ",
            Mark::NotExercised => "-   ",
            Mark::Failed => "BAD ",
        };
        eprintln!("{shown}  {name:<12}  {seen} ({ms} ms)");
        self.0.push(Step { name: name.to_owned(), what: what.to_owned(), mark, seen, ms });
        mark != Mark::Failed
    }
}

/// What the doctor finds before anything is started.
pub async fn examine(config: &Configuration) -> Result<Seen, String> {
    let only = Scope::Only(EXAMINED.map(str::to_owned).to_vec());
    let examination = Box::pin(doctor::examine(&config.path, only, os::now, |_| {})).await;
    let failed: Vec<String> = examination.failed().map(|check| format!("{}: {}", check.name, check.what)).collect();
    if !failed.is_empty() {
        return Err(format!("{}; `residentd doctor` says what to do", failed.join("; ")));
    }
    let warnings = examination.checks.iter().filter(|check| check.state == State::Warning);
    let warnings: Vec<&str> = warnings.map(|check| check.name).collect();
    let told = if warnings.is_empty() { String::new() } else { format!(", warnings about {}", warnings.join(", ")) };
    Ok(Seen::Yes(format!("{} checks, none failed{told}", examination.checks.len())))
}

/// The bundles that serve on this box.
pub async fn bundles(config: &Configuration) -> Vec<Bundle> {
    let store = Glance::at(&config.file.device.state_dir, true);
    let noted = store.and_then(|store| store.model_floors()).unwrap_or_default();
    let Ok(selected) = daemon::selected(&config.file, models::floors(noted), os::now()) else { return Vec::new() };
    let settings = daemon::reader_settings(&config.file.reader, selected, Vec::new());
    let reader = Supervised::start(&settings).await;
    let identities = reader.map(|reader| reader.identities().cloned().collect::<Vec<_>>()).unwrap_or_default();
    identities.into_iter().map(|b| Bundle { name: b.name, version: b.version, sha256: b.sha256 }).collect()
}

pub async fn start(bench: &mut Bench) -> Result<Seen, String> {
    let took = bench.start().await?;
    Ok(Seen::Yes(format!(
        "bundles loaded, golden outputs reproduced, listening on {} after {} ms",
        bench.address,
        took.as_millis()
    )))
}

pub async fn echo(bench: &Bench) -> Result<Seen, String> {
    Ok(Seen::Yes(format!("answered with success after {} ms", bench.echo().await?.as_millis())))
}

/// An image like a scanner's: stored, read, signed, published.
pub async fn read(bench: &mut Bench) -> Result<Seen, String> {
    let (path, uid) = bench.phantom(Kind::Chest, DETECTOR).await?;
    let stored = bench.store(&path, &uid).await?;
    let start = Instant::now();
    let (fate, header) = bench.outcome(&uid).await?;
    let sealed = start.elapsed();
    if header.kind != OutcomeKind::Report {
        return Err(format!("outcome {} is no report but a {}", fate.sequence, header.kind.as_str()));
    }
    let arrived = arrival(bench, &fate.jws).await?;
    Ok(Seen::Yes(format!(
        "2048 x 2500 pixels stored in {} ms, outcome {} signed {} ms later, {arrived}",
        stored.as_millis(),
        fate.sequence,
        sealed.as_millis()
    )))
}

/// Whether the very bytes that were signed arrive at the broker.
async fn arrival(bench: &Bench, jws: &str) -> Result<String, String> {
    let ear = match &bench.observer {
        Ok(ear) => ear,
        Err(why) => return Ok(format!("not listened for at the broker ({why})")),
    };
    if ear.wait(&bench.topics.report, ARRIVAL_LIMIT, |payload| payload == jws.as_bytes()).await {
        return Ok("heard at the broker byte for byte".to_owned());
    }
    Err(format!("it was not heard on {} within {} s", bench.topics.report, ARRIVAL_LIMIT.as_secs()))
}

/// A blank image is not read, and the site is told to take it again.
pub async fn retake(bench: &mut Bench) -> Result<Seen, String> {
    let (path, uid) = bench.phantom(Kind::Blank, SMALL).await?;
    bench.store(&path, &uid).await?;
    let (fate, header) = bench.outcome(&uid).await?;
    if header.kind != OutcomeKind::Abstention {
        return Err(format!("outcome {} of a blank image is a {}", fate.sequence, header.kind.as_str()));
    }
    let is_ours = |payload: &[u8]| {
        serde_json::from_slice::<serde_json::Value>(payload)
            .is_ok_and(|alert| alert["kind"] == "retake-requested" && alert["report_id"] == header.report_id.as_str())
    };
    match &bench.observer {
        Ok(ear) if ear.wait(&bench.topics.alert, ARRIVAL_LIMIT, is_ours).await => {
            Ok(Seen::Yes(format!("outcome {} abstains, and the alert retake-requested was heard", fate.sequence)))
        }
        Ok(_) => {
            Err(format!("no alert retake-requested on {} within {} s", bench.topics.alert, ARRIVAL_LIMIT.as_secs()))
        }
        Err(why) => {
            Ok(Seen::Skipped(format!("outcome {} abstains, but alerts cannot be listened for: {why}", fate.sequence)))
        }
    }
}

/// An image that no bundle is for.
pub async fn decline(bench: &mut Bench) -> Result<Seen, String> {
    let (path, uid) = bench.phantom(Kind::OtherPart, SMALL).await?;
    bench.store(&path, &uid).await?;
    let (fate, header) = bench.outcome(&uid).await?;
    match header.kind {
        OutcomeKind::Abstention => {
            Ok(Seen::Yes(format!("outcome {} abstains: no bundle is for a knee", fate.sequence)))
        }
        other => Err(format!("outcome {} of a knee is a {}", fate.sequence, other.as_str())),
    }
}

/// Half an image is refused while the scanner waits.
pub async fn refuse(bench: &mut Bench) -> Result<Seen, String> {
    let (path, _) = bench.phantom(Kind::Chest, SMALL).await?;
    let whole = std::fs::read(&path).map_err(|e| e.to_string())?;
    std::fs::write(&path, &whole[..whole.len() / 2]).map_err(|e| e.to_string())?;
    match bench.status(bench.address, &path).await? {
        0 => Err("half an image was answered with success".to_owned()),
        status => Ok(Seen::Yes(format!("half an image was refused with 0x{status:04X}"))),
    }
}

/// Without a broker images are taken and read; with it again, everything goes out.
pub async fn broker_loss(bench: &mut Bench) -> Result<Seen, String> {
    if !bench.set_way(Way::Cut) {
        return Ok(Seen::Skipped(
            "the way to the broker is encrypted from end to end and was not cut: pull the network cable once and see the outcomes come after it"
                .to_owned(),
        ));
    }
    let mut waiting = Vec::new();
    let mut seal = async || -> Result<(), String> {
        for _ in 0..2 {
            let (path, uid) = bench.phantom(Kind::Chest, SMALL).await?;
            bench.store(&path, &uid).await?;
            let (fate, _) = bench.outcome(&uid).await?;
            if let Some(proof) = bench.fate(&uid)?.and_then(|fate| fate.proof) {
                return Err(format!("outcome {} left ({proof}) while the broker was gone", fate.sequence));
            }
            waiting.push(uid);
        }
        Ok(())
    };
    let sealed = seal().await;
    bench.set_way(Way::Open);
    sealed?;
    let start = Instant::now();
    for uid in &waiting {
        if bench.fate_when(uid, RETURN_LIMIT, |fate| fate.proof.is_some()).await?.is_none() {
            return Err(format!(
                "an outcome was not delivered within {} s after the broker's return",
                RETURN_LIMIT.as_secs()
            ));
        }
    }
    Ok(Seen::Yes(format!(
        "2 images read without a broker, delivered {} ms after its return",
        start.elapsed().as_millis()
    )))
}

/// The power goes in the middle of an image, and right after the answer to one.
pub async fn power_cut(bench: &mut Bench) -> Result<Seen, String> {
    let (half, half_uid) = bench.phantom(Kind::Chest, SMALL).await?;
    let way = Proxy::start(bench.address.to_string(), Some(MID_TRANSFER_BYTES)).await.map_err(|e| e.to_string())?;
    tokio::select! {
        status = bench.status(way.address(), &half) => {
            return Err(format!("the transfer ended before the power went: {status:?}"));
        }
        () = way.stands_still() => {}
    }
    bench.cut_power()?;
    let back = bench.start().await?;
    if bench.fate(&half_uid)?.is_some() {
        return Err("half an image has an outcome".to_owned());
    }
    bench.store(&half, &half_uid).await.map_err(|e| format!("the image sent again after the power cut: {e}"))?;
    bench.outcome(&half_uid).await?;

    let (whole, whole_uid) = bench.phantom(Kind::Chest, SMALL).await?;
    bench.store(&whole, &whole_uid).await?;
    bench.cut_power()?;
    bench.start().await?;
    let (fate, _) =
        bench.outcome(&whole_uid).await.map_err(|e| format!("an image that was answered with success: {e}"))?;
    Ok(Seen::Yes(format!(
        "killed within an image, which left nothing, and after an answer, which lost nothing (outcome {}); back after {} ms",
        fate.sequence,
        back.as_millis()
    )))
}

/// What was made since `before`, as a chain: each image exactly one outcome.
pub fn chain(bench: &Bench, before: u64) -> Result<Seen, String> {
    let outcomes = bench.glance()?.outcomes(before).map_err(|e| e.to_string())?;
    let stream: Vec<&str> = outcomes.iter().map(|outcome| outcome.jws.as_str()).collect();
    let verified = verify::verify(&stream.join("\n"), &bench.keys);
    if !verified.passed() {
        return Err(verified.to_string());
    }
    let mut sequences = Vec::new();
    for uid in &bench.taken {
        sequences.push(bench.fate(uid)?.ok_or("an image that was answered with success has no outcome")?.sequence);
    }
    sequences.sort_unstable();
    sequences.dedup();
    if sequences.len() != bench.taken.len() {
        return Err("two images share an outcome".to_owned());
    }
    let (first, last) = (before + 1, before + outcomes.len() as u64);
    Ok(Seen::Yes(format!(
        "outcomes {first} to {last} are signed and chained, one for each of {} images",
        bench.taken.len()
    )))
}

pub fn audit_log(bench: &Bench) -> Result<Seen, String> {
    let found = doctor::audit(&bench.config.file.device.state_dir, bench.keys.first());
    let seen = found.what.join("; ");
    match found.state {
        State::Ok => Ok(Seen::Yes(seen)),
        State::NotChecked | State::Warning => Ok(Seen::Skipped(seen)),
        State::Failed => Err(seen),
    }
}

/// The receivers' receipts, or the broker's word where the site has none.
pub async fn receipt(bench: &Bench) -> Result<Seen, String> {
    let mut proofs = std::collections::BTreeSet::new();
    for uid in &bench.taken {
        let fate = bench.fate_when(uid, RECEIPT_LIMIT, |fate| fate.proof.is_some()).await?;
        let proof = fate.and_then(|fate| fate.proof);
        proofs.insert(proof.ok_or(format!("an outcome has no receipt within {} s", RECEIPT_LIMIT.as_secs()))?);
    }
    let proofs: Vec<String> = proofs.into_iter().collect();
    let whose =
        if bench.config.file.receiver.is_some() { "the receiver's signed receipt" } else { "the broker's word" };
    Ok(Seen::Yes(format!("all {} outcomes left on {whose} ({})", bench.taken.len(), proofs.join(", "))))
}

/// An image from the scanner itself, to the box as it is configured.
pub async fn modality(bench: &mut Bench) -> Result<Seen, String> {
    bench.start_as_it_is().await?;
    let before = bench.glance()?.last_outcome().map_err(|e| e.to_string())?.map_or(0, |last| last.sequence);
    let dicom = &bench.config.file.dicom;
    eprintln!(
        "      SEND NOW from the modality: a phantom or any test image, to AE {} at this box, port {} (within {} min)",
        dicom.ae_title,
        dicom.listen.port(),
        MODALITY_LIMIT.as_secs() / 60
    );
    let deadline = Instant::now() + MODALITY_LIMIT;
    loop {
        let new = bench.glance()?.outcomes(before).map_err(|e| e.to_string())?;
        if let Some(outcome) = new.first() {
            let opened = crate::seal::jws::open(&outcome.jws, &bench.keys).map_err(|e| e.to_string())?;
            let test = if opened.header.test { "marked as a test" } else { "NOT marked as a test by the modality" };
            return Ok(Seen::Yes(format!("outcome {} ({}, {test})", outcome.sequence, opened.header.kind.as_str())));
        }
        if Instant::now() > deadline {
            return Err("nothing came from the modality: is the AE title, address and port at its console right? See daemon.log".to_owned());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

pub fn stop(bench: &mut Bench) -> Result<Seen, String> {
    bench.stop()?;
    let folder = audit::folder_of(&bench.config.file.device.state_dir);
    Ok(Seen::Yes(format!("stopped in order; its log is closed ({})", folder.display())))
}
