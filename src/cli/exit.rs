//! Exit codes (sysexits.h), so that a script can tell what to do without reading English.

use crate::collect::ShelfError;
use crate::config::ConfigError;
use crate::daemon::DaemonError;
use crate::evaluate::EvaluateError;
use crate::ingest::{IngestError, TlsError};
use crate::models::{ModelsError, Refusal, TrustError};
use crate::mqtt::AccessError;
use crate::publish::PublishError;
use crate::reader::supervise::ReaderError;
use crate::seal::key::KeyError;

/// A check said no: `verify` of what does not verify, `check` of what is not ready.
pub const NO: u8 = 1;
/// Input data is wrong (`EX_DATAERR`): a bundle, an image.
pub const DATA: u8 = 65;
/// A service is unavailable (`EX_UNAVAILABLE`): a port in use.
pub const UNAVAILABLE: u8 = 69;
/// Anything else that failed inside (`EX_SOFTWARE`).
pub const SOFTWARE: u8 = 70;
/// An output file may not be made (`EX_CANTCREAT`): it exists.
pub const CANNOT_CREATE: u8 = 73;
/// It was done in part (`EX_TEMPFAIL`): `evaluate` of an index with rows that cannot be
/// evaluated; mend them and run again.
pub const PARTIAL: u8 = 75;
/// Permissions are wrong (`EX_NOPERM`): a key that others can read.
pub const PERMISSION: u8 = 77;
/// The configuration is wrong (`EX_CONFIG`).
pub const CONFIG: u8 = 78;
/// Ended by Ctrl-C before anything was written: 128 and SIGINT, as shells say it.
pub const INTERRUPTED: u8 = 130;

/// An error that names its own exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Coded {
    /// The code.
    pub code: u8,
    /// What happened and what to do.
    pub message: String,
}

/// `message`, to end with `code`.
pub fn coded(code: u8, message: impl Into<String>) -> anyhow::Error {
    Coded { code, message: message.into() }.into()
}

/// The exit code of `error`.
pub fn code(error: &anyhow::Error) -> u8 {
    if let Some(coded) = error.downcast_ref::<Coded>() {
        return coded.code;
    }
    if error.downcast_ref::<ConfigError>().is_some() {
        return CONFIG;
    }
    if error.downcast_ref::<ShelfError>().is_some() {
        return CANNOT_CREATE;
    }
    if error.downcast_ref::<KeyError>().is_some() {
        return PERMISSION;
    }
    if let Some(error) = error.downcast_ref::<ModelsError>() {
        return of_models(error);
    }
    if error.downcast_ref::<TrustError>().is_some() {
        return CONFIG;
    }
    if error.downcast_ref::<Refusal>().is_some() {
        return DATA;
    }
    if let Some(error) = error.downcast_ref::<ReaderError>() {
        return of_reader(error);
    }
    if let Some(error) = error.downcast_ref::<EvaluateError>() {
        return match error {
            EvaluateError::Reader(source) => of_reader(source),
            _ => DATA,
        };
    }
    match error.downcast_ref::<DaemonError>() {
        Some(
            DaemonError::Key(_)
            | DaemonError::State { .. }
            | DaemonError::Ingest(IngestError::Tls(TlsError::NotPrivate(_)))
            | DaemonError::Publish(PublishError::Access(AccessError::PasswordFile(_) | AccessError::Key(_))),
        ) => PERMISSION,
        Some(DaemonError::Reader(source)) => of_reader(source),
        Some(DaemonError::Models(source)) => of_models(source),
        Some(DaemonError::Ingest(IngestError::Listen { .. }) | DaemonError::Lock { .. }) => UNAVAILABLE,
        Some(DaemonError::Ingest(_) | DaemonError::Publish(_)) => CONFIG,
        #[cfg(feature = "broker")]
        Some(DaemonError::Broker(_)) => UNAVAILABLE,
        _ => SOFTWARE,
    }
}

fn of_models(error: &ModelsError) -> u8 {
    match error {
        ModelsError::Trust(_) => CONFIG,
        ModelsError::Refused { .. } | ModelsError::Unreadable { .. } | ModelsError::Count { .. } => DATA,
    }
}

fn of_reader(error: &ReaderError) -> u8 {
    match error {
        ReaderError::Unusable { .. } => DATA,
        ReaderError::Spawn(_) | ReaderError::NotReady(_) => SOFTWARE,
    }
}
