//! The audit log around the daemon's life: opened before anything else, ended after it.

use std::sync::Arc;

use crate::audit::{self, After, Audit, Event, Limits, Log, Writer};
use crate::clock::Moment;
use crate::config::{Configuration, Device};
use crate::infer::findings::BundleIdentity;
use crate::os::private;
use crate::publish::{Alert, AlertKind, AlertSender};
use crate::seal::key::{DeviceKey, KeyError};
use crate::seal::link;
use crate::store::{Store, StoreError};

use super::DaemonError;

/// The signing key's name among a service's credentials; without it, `[device] key_file` counts.
pub const KEY_CREDENTIAL: &str = "device.key";

/// What the first steps of a start give.
pub struct Begun {
    /// Ends the log when dropped.
    pub writer: Writer,
    /// How the log ended before.
    pub after: After,
    /// The signing key, or why there is none.
    pub key: Result<Arc<DeviceKey>, KeyError>,
}

/// Loads the key, opens the log, and lets trouble with the log be an alert.
pub fn begin(device: &Device, now: fn() -> Moment, alerts: &AlertSender) -> Result<Begun, DaemonError> {
    let sealed = private::credential(KEY_CREDENTIAL);
    let key = DeviceKey::load(sealed.as_deref().unwrap_or(&device.key_file)).map(Arc::new);
    let opened = Log::open(&audit::folder_of(&device.state_dir), Limits::default(), key.as_ref().ok().cloned())?;
    let after = opened.after;
    let alerts = alerts.clone();
    let trouble = move |message: String| {
        log::error!("{message}");
        alerts.raise(Alert { kind: AlertKind::AuditTrouble, report_id: None, message });
    };
    let writer = Writer::start(opened, now, trouble)
        .map_err(|source| DaemonError::State { path: device.state_dir.clone(), source })?;
    Ok(Begun { writer, after, key })
}

/// Notes what starts, on what store, under which configuration, with which key; returns that, if
/// it is the one that signs what follows in the store's chain.
pub fn note_start(
    audit: &Audit,
    after: After,
    store: &Store,
    config: &Configuration,
    key: Result<Arc<DeviceKey>, KeyError>,
) -> Result<Arc<DeviceKey>, DaemonError> {
    let (head, last) = (store.head()?, store.last()?);
    let key = key.and_then(|key| key.follows(last.as_ref().map(|last| last.jws.as_str())).map(|()| key));
    let version = env!("CARGO_PKG_VERSION");
    audit.note(Event::Started { version, after, last_sequence: head.sequence, head: head.sha256 });
    audit.note(Event::Configured { sha256: config.sha256 });
    audit.note(match &key {
        Ok(key) => Event::KeyLoaded { key_id: key.id().into() },
        Err(error) => Event::KeyRejected { why: error.to_string().into() },
    });
    Ok(key?)
}

/// Ids of the keys that signed for this device before the one with the id `now`.
pub fn earlier_keys(store: &Store, now: &str) -> Result<Vec<String>, StoreError> {
    Ok(link::earlier_keys(store.device_events()?.iter().map(|event| event.jws.as_str()), now))
}

/// Notes which bundles serve.
pub fn note_bundles<'a>(audit: &Audit, bundles: impl Iterator<Item = &'a BundleIdentity>) {
    for BundleIdentity { name, version, sha256, .. } in bundles {
        audit.note(Event::Serving { bundle: name.into(), version: version.into(), sha256: *sha256 });
    }
}
