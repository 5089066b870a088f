//! One run of the durable half of the daemon: a listener and a store on a given disk, a
//! scanner that sends, outcomes that are sealed, delivered, their images retired.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use residentd::audit::{Audit, AuditError, Log};
use residentd::clock::Moment;
use residentd::config::Dicom;
use residentd::digest::Digest;
use residentd::ingest::Listener;
use residentd::os::disk::watch::Watch;
use residentd::os::disk::{Disk, sqlite};
use residentd::seal::jws::seal;
use residentd::seal::key::DeviceKey;
use residentd::store::{Head, SealedOutcome, Store, StoreError, Urgency};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, watch};

use crate::ledger::{Ledger, Span};
use crate::log;

pub const NOW: Moment = Moment { unix_ms: 1_800_000_000_000, synchronised: true };
/// Small, for speed, and more than one page.
const RESERVE_BYTES: u64 = 64 * 1024;
/// Of an outcome's payload: more than a page of the database.
const PAYLOAD_BYTES: usize = 5_000;

/// An image as a file that can be sent.
pub struct Image {
    pub path: PathBuf,
    pub uid: residentd::instance::uid::Uid,
    /// Digest of the file that the gateway makes of it; known once it was accepted.
    pub sha256: Option<Digest>,
}

/// Images of the same few sizes, made once.
pub fn images(folder: &Path, count: u64) -> Vec<Image> {
    (0..count)
        .map(|n| {
            let side = [16, 24, 48, 96][usize::try_from(n % 4).unwrap()];
            let path = folder.join(format!("{n}.dcm"));
            let bytes = residentd::phantom::chest(n, side, side);
            std::fs::write(&path, &bytes).unwrap();
            let meta = dicom_object::open_file(&path).unwrap();
            let uid = meta.meta().media_storage_sop_instance_uid().trim_end_matches('\0').parse().unwrap();
            Image { path, uid, sha256: None }
        })
        .collect()
}

/// The daemon's durable half while it is up.
pub struct Life {
    pub store: Store,
    address: String,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Life {
    /// Serves `store` on a free port.
    fn of(runtime: &Runtime, store: Store) -> Self {
        let listen = ([127, 0, 0, 1], 0).into();
        let settings = Dicom { listen, min_free_mib: 0, max_associations_per_peer: 8, ..Dicom::default() };
        let listener = Listener::bind(&settings, || NOW).unwrap();
        let address = listener.local_addr().to_string();
        let (stop, stopped) = watch::channel(false);
        let task = runtime.spawn(listener.serve(store.clone(), Arc::new(Notify::new()), Audit::nowhere(), stopped));
        Self { store, address, stop, task }
    }

    fn send(&self, runtime: &Runtime, image: &Path) -> u16 {
        let (calling, called) = ("CART".parse().unwrap(), "RESIDENTD".parse().unwrap());
        let sending = residentd::deliver::send(&self.address, &calling, &called, image);
        runtime.block_on(sending).expect("an answer, whatever it says")
    }

    fn stop(self, runtime: &Runtime) {
        let _ = self.stop.send(true);
        runtime.block_on(self.task).unwrap();
    }
}

/// What outlives a life: the disk, and what is known of it.
pub struct Run<'a> {
    pub runtime: &'a Runtime,
    pub watch: Arc<Watch>,
    pub state: PathBuf,
    pub key: &'a Arc<DeviceKey>,
    pub ledger: Ledger,
    /// The audit log, while it is open.
    pub log: Option<Log>,
    noted: u64,
}

impl<'a> Run<'a> {
    /// A run in `folder`, whose disk is `watch`.
    pub fn new(
        runtime: &'a Runtime,
        watch: Arc<Watch>,
        folder: &Path,
        key: &'a Arc<DeviceKey>,
        ledger: Ledger,
    ) -> Self {
        Self { runtime, watch, state: folder.join("var/residentd"), key, ledger, log: None, noted: 0 }
    }

    pub fn disk(&self) -> Disk {
        Disk::Watched(Arc::clone(&self.watch))
    }

    /// Puts the device's key in place.
    pub fn provision(&mut self, folder: &Path) -> Result<(), String> {
        let begun = self.watch.position();
        let path = folder.join("device.key");
        self.key.save_new_on(&self.disk(), &path).map_err(|e| e.to_string())?;
        let promised = Some(self.watch.position());
        self.ledger.key = Some((std::fs::read(&path).unwrap(), Span { begun, promised }));
        Ok(())
    }

    /// Starts as the daemon does.
    pub fn start(&self) -> Result<Life, StoreError> {
        let store = Store::open_on(self.disk(), &self.state)?;
        // As in the daemon, a reserve that cannot be kept is no reason not to start.
        let _ = store.reserve().keep(RESERVE_BYTES);
        store.sweep()?;
        Ok(Life::of(self.runtime, store))
    }

    /// Stops it in order.
    pub fn stop(&self, life: Life) {
        life.stop(self.runtime);
    }

    /// Opens the audit log, as the daemon does before anything else.
    pub fn open_log(&mut self) -> Result<(), AuditError> {
        self.log = None;
        self.log = Some(log::open(&self.disk(), &self.state, self.key)?);
        Ok(())
    }

    /// Notes an event in the audit log, which is not durable by that.
    pub fn note(&mut self) -> Result<(), AuditError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        self.noted += 1;
        log.append(&[(NOW, log::event(self.noted))])
    }

    /// Makes the audit log durable.
    pub fn sync_log(&mut self) -> Result<(), AuditError> {
        let begun = self.watch.position();
        let Some(log) = &mut self.log else { return Ok(()) };
        log.sync()?;
        let promised = Some(self.watch.position());
        self.ledger.audited.push((log.head(), Span { begun, promised }));
        Ok(())
    }

    /// Has the audit log signed for, as for a heartbeat.
    pub fn sign_log(&mut self) -> Result<(), AuditError> {
        let begun = self.watch.position();
        let Some(log) = &mut self.log else { return Ok(()) };
        let Some(jws) = log.checkpoint(NOW)? else { return Ok(()) };
        let promised = Some(self.watch.position());
        self.ledger.audited.push((log.head(), Span { begun, promised }));
        self.ledger.checkpoints.push((jws.to_string(), Span { begun, promised }));
        Ok(())
    }

    /// Sends an image; the status that the scanner sees.
    pub fn send(&mut self, life: &Life, image: &mut Image) -> u16 {
        let begun = self.watch.position();
        let status = life.send(self.runtime, &image.path);
        // Begun even where the answer is a failure: a row may be there that the answer denies.
        let promised = (status == 0).then(|| self.watch.position());
        let sha256 = self.expected(image);
        self.ledger.accepted.push((image.uid.clone(), sha256, Span { begun, promised }));
        status
    }

    /// The digest of the file that the gateway makes of `image`: found out by receiving it
    /// on a disk where nothing is watched.
    fn expected(&self, image: &mut Image) -> Digest {
        *image.sha256.get_or_insert_with(|| {
            let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
            let store = Store::open(folder.path()).unwrap();
            let life = Life::of(self.runtime, store);
            assert_eq!(life.send(self.runtime, &image.path), 0);
            let sha256 = life.store.next_unread().unwrap().unwrap().instance.sha256;
            life.stop(self.runtime);
            sha256
        })
    }

    /// Reads the oldest unread image, as far as the store sees that: seals an outcome.
    pub fn conclude(&mut self, life: &Life) -> Result<Option<u64>, StoreError> {
        let Some(next) = life.store.next_unread()? else { return Ok(None) };
        let (begun, key) = (self.watch.position(), self.key);
        let uid = next.instance.sop_instance_uid.clone();
        let mut sealed = None;
        let done = life.store.conclude(next.id, NOW, |head| {
            let outcome = outcome(key, head, &uid, next.instance.sha256);
            sealed = Some((head.sequence, outcome.jws.clone()));
            Ok::<_, String>(outcome)
        });
        if let Some((before, jws)) = sealed {
            // One that was not written is replaced by the next with its sequence.
            self.ledger.outcomes.truncate(usize::try_from(before).unwrap());
            let promised = done.is_ok().then(|| self.watch.position());
            self.ledger.outcomes.push((jws, next.instance.sha256, Span { begun, promised }));
        }
        done
    }

    /// Delivers the oldest outcome of the outbox.
    pub fn deliver(&mut self, life: &Life) -> Result<Option<u64>, StoreError> {
        let Some(next) = life.store.outbox(0, 1)?.pop() else { return Ok(None) };
        let begun = self.watch.position();
        let done = life.store.delivered(&[next.sequence], "broker-ack", NOW);
        let promised = done.is_ok().then(|| self.watch.position());
        self.ledger.delivered.push((next.sequence, Span { begun, promised }));
        done.map(|()| Some(next.sequence))
    }

    /// Retires at most `limit` images whose outcome was delivered.
    pub fn retire(&mut self, life: &Life, limit: u32) -> Result<u64, StoreError> {
        let begun = self.watch.position();
        let done = life.store.retire_images(NOW.unix_ms + 1, limit);
        // Also where it failed: the row may be changed and the image still there.
        let of = |(sequence, _): &(u64, Span)| self.ledger.outcomes[usize::try_from(*sequence).unwrap() - 1].1;
        let gone: Vec<_> = self.ledger.delivered.iter().map(of).map(|image| (image, begun)).collect();
        self.ledger.retiring.extend(gone);
        done
    }

    /// Writes back what is in the log, as happens by itself every thousand pages.
    pub fn checkpoint(&self, mode: &str) -> Result<(), String> {
        let beside = sqlite::open(&self.disk(), &self.state.join("residentd.sqlite")).map_err(|e| e.to_string())?;
        beside.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(())).map_err(|e| e.to_string())
    }
}

/// An outcome that seals nothing but what the store needs to know.
pub fn outcome(key: &DeviceKey, head: &Head, uid: &residentd::instance::uid::Uid, sha256: Digest) -> SealedOutcome {
    let report_id = residentd::report::identity::report_id("test/cart", uid);
    let header = serde_json::from_value(serde_json::json!({
        "alg": "EdDSA", "kid": key.id(), "typ": "residentd-outcome+jws", "cty": "application/fhir+json",
        "seq": head.sequence + 1, "prev": head.sha256, "report_id": report_id, "kind": "failure",
        "instance_sha256": sha256, "config_sha256": Digest::of(b"configuration"),
        "sealed_at": NOW.rfc3339(), "clock": "synchronised", "test": true,
    }))
    .unwrap();
    let payload = vec![b'{'; PAYLOAD_BYTES];
    SealedOutcome { urgency: Urgency::Routine, report_id, kind: "failure", jws: seal(key, &header, &payload).unwrap() }
}
