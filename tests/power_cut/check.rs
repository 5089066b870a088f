//! Opens the store in what a power cut left, and holds it against the promises.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use residentd::digest::Digest;
use residentd::os::disk::Disk;
use residentd::seal::chain::ChainCheck;
use residentd::seal::jws::open;
use residentd::seal::key::DeviceKey;
use residentd::store::{Accepted, Store};

use crate::cut::State;
use crate::ledger::Ledger;
use crate::run::{NOW, outcome};

/// More than any run makes.
const ALL: u32 = 10_000;

/// How much is tried in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What is there.
    Look,
    /// And whether the work goes on: every image that is left gets its outcome.
    GoOn,
}

/// Puts `state` into `folder`, which is emptied first.
pub fn lay_out(state: &State, folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).unwrap();
    for path in &state.folders {
        std::fs::create_dir(folder.join(path)).unwrap();
    }
    for (path, bytes) in &state.files {
        std::fs::write(folder.join(path), bytes.as_slice()).unwrap();
    }
}

/// What is wrong after a cut at `cut` that left what is in `folder`.
pub fn reopened(folder: &Path, ledger: &Ledger, cut: usize, key: &Arc<DeviceKey>, depth: Depth) -> Result<(), String> {
    if let Some((bytes, span)) = &ledger.key {
        match std::fs::read(folder.join("device.key")) {
            Ok(found) if found == *bytes && span.may_show(cut) => {}
            Err(_) if !span.must_show(cut) => {}
            other => return Err(format!("the key file is not whole: {:?}", other.map(|found| found.len()))),
        }
    }
    let state = folder.join("var/residentd");
    crate::log::holds(&state, ledger, cut, key)?;
    let store = Store::open_on(Disk::Real, &state).map_err(|e| format!("does not open: {e}"))?;
    store.sweep().map_err(|e| format!("does not sweep: {e}"))?;
    holds(&store, &state, ledger, cut)?;
    if depth == Depth::GoOn {
        goes_on(&store, ledger, cut, key)?;
    }
    Ok(())
}

struct Row {
    id: i64,
    uid: String,
    sha256: Digest,
    concluded: bool,
    image_kept: bool,
}

/// Holds what `store` says, and what lies in its folder, against `ledger`.
pub fn holds(store: &Store, state: &Path, ledger: &Ledger, cut: usize) -> Result<(), String> {
    let sql = |e: rusqlite::Error| format!("the database is damaged: {e}");
    let database = rusqlite::Connection::open(state.join("residentd.sqlite")).map_err(sql)?;
    let whole: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(sql)?;
    require(whole == "ok", || format!("the database is damaged: {whole}"))?;
    let rows = database
        .prepare("SELECT id, sop_instance_uid, sha256, concluded, image_kept FROM instances ORDER BY id")
        .and_then(|mut query| {
            let row = |row: &rusqlite::Row| {
                Ok(Row {
                    id: row.get(0)?,
                    uid: row.get(1)?,
                    sha256: Digest::from_bytes(row.get(2)?),
                    concluded: row.get(3)?,
                    image_kept: row.get(4)?,
                })
            };
            query.query_map([], row)?.collect::<Result<Vec<_>, _>>()
        })
        .map_err(sql)?;
    instances(&rows, store, ledger, cut)?;
    images(&rows, store, ledger, cut)?;
    let outcomes: Vec<(i64, i64)> =
        pairs(&database, "SELECT sequence, instance_id FROM outcomes ORDER BY sequence").map_err(sql)?;
    chain(&rows, &outcomes, store, ledger, cut)?;
    let delivered: Vec<(i64, i64)> = pairs(&database, "SELECT sequence, image_retired FROM deliveries").map_err(sql)?;
    deliveries(&delivered, store, ledger, cut)
}

fn pairs(database: &rusqlite::Connection, sql: &str) -> rusqlite::Result<Vec<(i64, i64)>> {
    database.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Each that was answered with success is there, and none that was never sent.
fn instances(rows: &[Row], store: &Store, ledger: &Ledger, cut: usize) -> Result<(), String> {
    for (uid, sha256, _) in ledger.accepted.iter().filter(|(.., span)| span.must_show(cut)) {
        let known = store.known(uid, sha256).map_err(|e| e.to_string())?;
        require(known == Accepted::Same, || format!("LOST: instance {uid} was answered with success"))?;
    }
    for row in rows {
        let sent = |(uid, sha256, span): &(residentd::instance::uid::Uid, Digest, crate::ledger::Span)| {
            uid.as_str() == row.uid && *sha256 == row.sha256 && span.may_show(cut)
        };
        require(ledger.accepted.iter().any(sent), || format!("INVENTED: instance {}", row.uid))?;
    }
    Ok(())
}

/// Each image that is kept is there, whole; no other file is.
fn images(rows: &[Row], store: &Store, ledger: &Ledger, cut: usize) -> Result<(), String> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in [store.spool(), store.incoming()] {
        for entry in std::fs::read_dir(folder).map_err(|e| e.to_string())? {
            let path = entry.map_err(|e| e.to_string())?.path();
            if path.is_file() {
                files.insert(path.file_name().unwrap().to_string_lossy().into_owned(), path);
            }
        }
    }
    for row in rows {
        let retiring = ledger.retiring.iter().any(|(sha256, from)| *sha256 == row.sha256 && *from <= cut);
        require(row.image_kept || retiring, || format!("LOST: row of {} has no image", row.uid))?;
        let file = files.remove(&format!("{}.dcm", row.sha256));
        match (row.image_kept, file) {
            (true, Some(path)) => {
                let found = Digest::of(&std::fs::read(path).map_err(|e| e.to_string())?);
                require(found == row.sha256, || format!("HALF: the image of {} has other bytes", row.uid))?;
            }
            (true, None) => return Err(format!("LOST: the image of {}", row.uid)),
            (false, Some(path)) => return Err(format!("{} is not kept and was not swept", path.display())),
            (false, None) => {}
        }
    }
    require(files.is_empty(), || format!("files without a row were not swept: {files:?}"))
}

/// Outcomes without a gap, each as it was signed, each of an instance that says so.
fn chain(rows: &[Row], found: &[(i64, i64)], store: &Store, ledger: &Ledger, cut: usize) -> Result<(), String> {
    let outcomes = store.outcomes(0, ALL).map_err(|e| e.to_string())?;
    for (at, outcome) in outcomes.iter().enumerate() {
        require(outcome.sequence == at as u64 + 1, || format!("GAP: outcome {} at {at}", outcome.sequence))?;
        let signed = ledger.outcomes.get(at).filter(|(.., span)| span.may_show(cut));
        let same = signed.is_some_and(|(jws, ..)| *jws == outcome.jws);
        require(same, || format!("HALF: outcome {} is not what was signed", outcome.sequence))?;
    }
    let promised = ledger.outcomes.iter().filter(|(.., span)| span.must_show(cut)).count();
    require(outcomes.len() >= promised, || format!("LOST: {} of {promised} outcomes are here", outcomes.len()))?;
    for row in rows {
        let has_outcome = found.iter().any(|(_, instance)| *instance == row.id);
        require(has_outcome == row.concluded, || format!("HALF: {} says concluded {}", row.uid, row.concluded))?;
    }
    Ok(())
}

/// Marks of delivery that were made, and no others; the outbox is the rest.
fn deliveries(found: &[(i64, i64)], store: &Store, ledger: &Ledger, cut: usize) -> Result<(), String> {
    let is_marked = |sequence: u64| found.iter().any(|(marked, _)| marked.cast_unsigned() == sequence);
    for (sequence, _) in ledger.delivered.iter().filter(|(_, span)| span.must_show(cut)) {
        require(is_marked(*sequence), || format!("outcome {sequence} was delivered and is not marked"))?;
    }
    for (marked, _) in found {
        let may =
            |(sequence, span): &(u64, crate::ledger::Span)| *sequence == marked.cast_unsigned() && span.may_show(cut);
        require(ledger.delivered.iter().any(may), || format!("INVENTED: delivery of outcome {marked}"))?;
    }
    let outbox = store.outbox(0, ALL).map_err(|e| e.to_string())?;
    let outcomes = store.outcomes(0, ALL).map_err(|e| e.to_string())?;
    let rest = outcomes.iter().filter(|outcome| !is_marked(outcome.sequence));
    require(rest.eq(outbox.iter()), || "the outbox is not what was not delivered".to_owned())
}

/// Every image that is left gets its outcome, and the chain holds from the first to the last.
fn goes_on(store: &Store, ledger: &Ledger, cut: usize, key: &DeviceKey) -> Result<(), String> {
    let fail = |e: residentd::store::StoreError| format!("does not go on: {e}");
    while let Some(next) = store.next_unread().map_err(fail)? {
        store.strike(next.id).map_err(fail)?;
        let uid = next.instance.sop_instance_uid.clone();
        let seal = |head: &_| Ok::<_, String>(outcome(key, head, &uid, next.instance.sha256));
        store.conclude(next.id, NOW, seal).map_err(fail)?;
    }
    for outgoing in store.outbox(0, ALL).map_err(fail)? {
        store.delivered(&[outgoing.sequence], "broker-ack", NOW).map_err(fail)?;
    }
    let keys = [key.public().clone()];
    let opened = store
        .outcomes(0, ALL)
        .map_err(fail)?
        .iter()
        .map(|outcome| open(&outcome.jws, &keys))
        .collect::<Result<Vec<_>, _>>();
    let opened = opened.map_err(|e| format!("an outcome does not open: {e}"))?;
    if let Some(check) = ChainCheck::of(&opened) {
        require(check.is_unbroken() && check.starts_at_genesis, || format!("the chain is broken: {:?}", check.breaks))?;
    }
    let rows = ledger.accepted.iter().filter(|(.., span)| span.must_show(cut));
    let promised: std::collections::BTreeSet<_> = rows.map(|(uid, ..)| uid.as_str().to_owned()).collect();
    require(opened.len() >= promised.len(), || format!("{} outcomes for {} instances", opened.len(), promised.len()))
}

fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
