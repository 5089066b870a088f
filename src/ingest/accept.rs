//! One instance from its first byte to its durable row: the blocking half of C-STORE.
//!
//! Steps, each of which leaves nothing behind when it fails: room on the disk; spool;
//! headers; identity; known?; final name and row. Success is answered after the last.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc::Receiver;

use super::dimse;
use super::limits::FREE_CHECK_BYTES;
use super::spool::{Part, Written};
use crate::audit::{Audit, Event};
use crate::clock::Moment;
use crate::instance::uid::{AeTitle, Uid};
use crate::instance::{Headers, Instance, Invalid, Syntax, validate_dataset};
use crate::os::{self, disk};
use crate::store::{Accepted, NewInstance, Store, StoreError};

const MIB: u64 = 1024 * 1024;

/// What comes from the socket.
pub(super) enum Piece {
    /// The next bytes of the dataset.
    Bytes(Vec<u8>),
    /// It was complete. A channel that closes without this was an association that broke.
    End,
}

/// An instance to be received.
pub(super) struct Job<'a> {
    pub store: &'a Store,
    /// Held from looking an instance up to making its row, so that two associations
    /// with one UID cannot both find it new.
    pub commit: &'a Mutex<()>,
    pub now: fn() -> Moment,
    pub audit: &'a Audit,
    pub calling: AeTitle,
    pub peer: IpAddr,
    pub sop_class_uid: Uid,
    pub sop_instance_uid: Uid,
    pub transfer_syntax: &'static str,
    pub max_dataset_mib: u32,
    pub min_free_mib: u32,
}

/// Why an instance is not accepted. Messages go to the peer: they carry no value.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("free disk is below the watermark")]
    LittleRoom,
    #[error("dataset is longer than {0} MiB")]
    TooLong(u32),
    #[error("{0}")]
    Invalid(Invalid),
    #[error("SOP class of command and dataset differ")]
    ClassMismatch,
    #[error("SOP instance of command and dataset differ")]
    InstanceMismatch,
    #[error("other bytes were accepted under this SOP instance UID")]
    Conflict,
    #[error("spool: {0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("the association ended before the dataset did")]
    Abandoned,
    #[error("SOP class is not that of the presentation context")]
    WrongContext,
    #[error("SOP instance UID is missing or not a UID")]
    NoInstanceUid,
    #[error("no dataset was sent")]
    NoDataset,
    #[error("internal failure")]
    Internal,
}

impl Refusal {
    /// The status that tells the sender whether to try again (PS3.4 table B.2-1).
    pub fn status(&self) -> u16 {
        match self {
            Self::LittleRoom => dimse::OUT_OF_RESOURCES,
            Self::Io(error) | Self::Invalid(Invalid::Io { source: error, .. }) if disk::is_full(error) => {
                dimse::OUT_OF_RESOURCES
            }
            Self::Store(error) if error.is_full() => dimse::OUT_OF_RESOURCES,
            Self::Invalid(Invalid::Io { .. }) | Self::Io(_) | Self::Store(_) | Self::Abandoned | Self::Internal => {
                dimse::PROCESSING_FAILURE
            }
            Self::TooLong(_) | Self::Invalid(_) | Self::NoDataset => dimse::CANNOT_UNDERSTAND,
            Self::ClassMismatch | Self::InstanceMismatch => dimse::DATASET_MISMATCH,
            Self::Conflict => dimse::DUPLICATE_SOP_INSTANCE,
            Self::WrongContext => dimse::SOP_CLASS_NOT_SUPPORTED,
            Self::NoInstanceUid => dimse::INVALID_SOP_INSTANCE,
        }
    }

    /// What the sender's operator may read: our paths are none of their business.
    pub fn comment(&self) -> String {
        match self {
            Self::Invalid(Invalid::Io { .. }) | Self::Io(_) | Self::Store(_) => "receiver could not store".to_owned(),
            other => other.to_string(),
        }
    }
}

impl Job<'_> {
    /// Receives, checks and keeps the instance. Blocks: run it off the runtime. When it
    /// returns early, `pieces` closes, which tells the other half to drain the rest.
    pub fn run(&self, mut pieces: Receiver<Piece>) -> Result<Accepted, Refusal> {
        let mut written = self.spool(&mut pieces)?;
        drop(pieces);
        os::step("spooled");
        let headers = self.check(&mut written)?;
        self.commit(written, headers)
    }

    fn spool(&self, pieces: &mut Receiver<Piece>) -> Result<Written, Refusal> {
        let folder = self.store.incoming();
        self.check_room(&folder)?;
        let mut part = Part::create(
            self.store.disk(),
            &folder,
            &self.sop_class_uid,
            &self.sop_instance_uid,
            self.transfer_syntax,
        )?;
        os::step("created");
        let mut checked_at = 0;
        loop {
            match pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => {
                    let length = part.append(&bytes)?;
                    if length > u64::from(self.max_dataset_mib) * MIB {
                        return Err(Refusal::TooLong(self.max_dataset_mib));
                    }
                    if length - checked_at > FREE_CHECK_BYTES {
                        self.check_room(&folder)?;
                        checked_at = length;
                    }
                }
                Some(Piece::End) => return Ok(part.finish()?),
                None => return Err(Refusal::Abandoned),
            }
        }
    }

    /// Room for more than what goes on without ingest. Where the reserve was spent on that,
    /// it is made anew first.
    fn check_room(&self, folder: &Path) -> Result<(), Refusal> {
        let (free, watermark) = (os::free_bytes(folder)?, u64::from(self.min_free_mib) * MIB);
        let reserve = self.store.reserve();
        if let Err(error) = reserve.refill(free, watermark) {
            log::warn!("no reserve can be made: {error}");
        }
        if free >= watermark && reserve.is_whole() { Ok(()) } else { Err(Refusal::LittleRoom) }
    }

    fn check(&self, written: &mut Written) -> Result<Headers, Refusal> {
        let transfer_syntax: Uid = self.transfer_syntax.parse().map_err(|_| Refusal::Internal)?;
        let syntax = Syntax::of(&transfer_syntax).ok_or(Refusal::Internal)?;
        let length = written.size_bytes - written.dataset_offset;
        let headers = validate_dataset(&mut written.file, syntax, length).map_err(Refusal::Invalid)?;
        headers.check_encoding(&transfer_syntax).map_err(Refusal::Invalid)?;
        if headers.sop_class_uid != self.sop_class_uid {
            return Err(Refusal::ClassMismatch);
        }
        if headers.sop_instance_uid != self.sop_instance_uid {
            return Err(Refusal::InstanceMismatch);
        }
        Ok(headers)
    }

    fn commit(&self, mut written: Written, headers: Headers) -> Result<Accepted, Refusal> {
        written.file.sync()?;
        let _alone = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        match self.store.known(&headers.sop_instance_uid, &written.sha256)? {
            Accepted::New => {}
            Accepted::Same => return Ok(Accepted::Same),
            Accepted::Conflict => return Err(Refusal::Conflict),
        }
        let path = self.store.instance_path(&written.sha256);
        let named = self.store.disk().durable_rename(&written.file, written.guard.path(), &path);
        if let Err(error) = named {
            // It may have its final name already; no row points to that.
            let _ = self.store.disk().remove(&path);
            return Err(error.into());
        }
        written.guard.kept();
        os::step("renamed");
        let new = NewInstance {
            instance: Instance {
                path: path.clone(),
                sha256: written.sha256,
                size_bytes: written.size_bytes,
                sop_class_uid: headers.sop_class_uid,
                sop_instance_uid: headers.sop_instance_uid,
                transfer_syntax_uid: self.transfer_syntax.parse().map_err(|_| Refusal::Internal)?,
            },
            calling_ae: self.calling.clone(),
            received: (self.now)(),
        };
        match self.store.accept(&new) {
            Ok(Accepted::Conflict) => {
                self.remove(&path);
                Err(Refusal::Conflict)
            }
            Ok(accepted) => {
                os::step("accepted");
                if accepted == Accepted::New {
                    let (instance, calling_ae) = (new.instance.sha256, self.calling.clone());
                    self.audit.note(Event::Accepted { instance, calling_ae, address: self.peer });
                }
                Ok(accepted)
            }
            Err(error) => {
                // Only where there is surely no row; what stays is swept at the next start.
                let uid = &new.instance.sop_instance_uid;
                if matches!(self.store.known(uid, &new.instance.sha256), Ok(Accepted::New)) {
                    self.remove(&path);
                }
                Err(error.into())
            }
        }
    }

    fn remove(&self, path: &Path) {
        if let Err(error) = self.store.disk().remove(path) {
            log::warn!("{}: {error}", path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use dicom_core::Tag;

    use super::*;

    #[test]
    fn a_full_disk_at_any_step_is_try_later_and_any_other_failure_is_not() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let code = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        let store = |source| Refusal::Store(StoreError::Sqlite { path: PathBuf::new(), source });
        for refusal in [
            Refusal::LittleRoom,
            Refusal::Io(full()),
            Refusal::Io(io::ErrorKind::QuotaExceeded.into()),
            Refusal::Invalid(Invalid::Io { offset: 0, source: full() }),
            store(code(rusqlite::ffi::SQLITE_FULL)),
        ] {
            assert_eq!(refusal.status(), 0xA700, "{refusal}");
        }
        assert_eq!(Refusal::Io(io::ErrorKind::PermissionDenied.into()).status(), 0x0110);
        assert_eq!(store(code(rusqlite::ffi::SQLITE_IOERR)).status(), 0x0110);
    }

    #[test]
    fn a_comment_tells_the_peer_nothing_of_our_disk() {
        let error = io::Error::other("/var/lib/residentd/spool");
        assert_eq!(Refusal::Io(error).comment(), "receiver could not store");
        let invalid = Invalid::Missing { tag: Tag(8, 0x18) };
        assert_eq!(Refusal::Invalid(invalid).comment(), "(0008,0018) is missing");
    }
}
