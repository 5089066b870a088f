//! `Instance`: one DICOM Part 10 file whose element headers were checked, not its meaning.
//!
//! The gateway makes it while it spools; the reader makes it again before it lets
//! dicom-object near the file. Nothing here recurses or allocates what a header claims.

mod headers;
mod invalid;
mod part10;
mod source;
mod syntax;
pub mod uid;
mod validate;

use std::path::PathBuf;

pub use headers::{Headers, MAX_PIXELS, Pixels};
pub use invalid::Invalid;
pub use part10::InstanceError;
pub use syntax::Syntax;
pub use validate::{MAX_DEPTH, MAX_ELEMENTS, MAX_VALUE_BYTES, validate_dataset};

use crate::digest::Digest;
use uid::Uid;

/// How every DICOM file begins: 128 bytes for other formats, then DICM (PS3.10 7.1).
pub const PREAMBLE: [u8; 132] = {
    let mut bytes = [0; 132];
    bytes[128] = b'D';
    bytes[129] = b'I';
    bytes[130] = b'C';
    bytes[131] = b'M';
    bytes
};

/// A stored DICOM file and what identifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The Part 10 file.
    pub path: PathBuf,
    /// Digest of the whole file, preamble and meta group included.
    pub sha256: Digest,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// SOP Class UID (0008,0016).
    pub sop_class_uid: Uid,
    /// SOP Instance UID (0008,0018).
    pub sop_instance_uid: Uid,
    /// Transfer Syntax UID (0002,0010).
    pub transfer_syntax_uid: Uid,
}
