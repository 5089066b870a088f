//! `Instance`: one DICOM Part 10 file whose element headers were checked, not its meaning.
//!
//! The gateway makes it while it spools; the reader makes it again before it lets
//! dicom-object near the file. Nothing here recurses or allocates what a header claims.

pub mod uid;

use std::path::PathBuf;

use crate::digest::Digest;
use uid::Uid;

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
