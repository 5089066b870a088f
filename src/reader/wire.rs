//! What gateway and reader say to each other: length-framed JSON over a socket pair.
//!
//! 1. A frame is its length in bytes (u32, big endian), then that many bytes of JSON.
//! 2. No frame exceeds [`MAX_FRAME_BYTES`]; a longer claim ends the conversation.
//! 3. The gateway speaks first (`Start`); the reader answers each message once, in order.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::write::{Drafted, Serving};
use crate::digest::Digest;
use crate::infer::bundle::Vouched;
use crate::os::sandbox::Walls;
use crate::report::facts::Facts;
use crate::report::reading::Reading;

/// Longest frame: a reading with sixteen findings is about 20 kB.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// From the gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Raise the walls, load the bundles.
    Start {
        /// The bundles that read images, and who they must turn out to be.
        bundles: Vec<Vouched>,
        /// Those for research that are switched off: they are named, and never used.
        asleep: Vec<Vouched>,
        /// The bundles that judge whether an image can be read at all.
        fitness: Vec<Vouched>,
        /// Folders of instances, or instances.
        image_dirs: Vec<PathBuf>,
        /// Address space, bytes.
        memory_bytes: u64,
        /// CPUs to run on; none: as it was started.
        cpus: Vec<u16>,
        /// The writer bundle, where one is in use.
        writer: Option<Box<Vouched>>,
    },
    /// Read one instance.
    Read {
        /// The Part 10 file.
        path: PathBuf,
        /// Digest that the file must have; `None`: whatever it has.
        sha256: Option<Digest>,
    },
    /// Draft the words of a fact sheet; of the image that was read last, where the writer
    /// looks at one.
    Write(Box<Facts>),
}

/// From the reader.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// Walls stand, every bundle reproduced its golden output.
    Ready {
        /// What the kernel lacks.
        walls: Walls,
        /// What became of the writer, where one was asked for.
        writer: Option<Serving>,
    },
    /// It cannot serve, in words.
    Unusable {
        /// The bundle that keeps it, by name.
        bundle: Option<String>,
        /// Why.
        why: String,
    },
    /// What came of an instance.
    Read(Box<Answered>),
    /// What came of a fact sheet.
    Written(Drafted),
}

/// What came of an instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The file as the reader found it: digest and identity, where it could be told.
    pub found: Option<Found>,
    /// The reading.
    pub reading: Reading,
}

/// Which file was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as in Instance")]
pub struct Found {
    pub sha256: Digest,
    pub size_bytes: u64,
    pub sop_class_uid: crate::instance::uid::Uid,
    pub sop_instance_uid: crate::instance::uid::Uid,
    pub transfer_syntax_uid: crate::instance::uid::Uid,
}

/// Why the conversation ended.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The other side is gone, or the socket failed.
    #[error("socket pair: {0}")]
    Io(#[from] std::io::Error),
    /// A frame that is too long.
    #[error("frame of {0} bytes, {MAX_FRAME_BYTES} allowed")]
    TooLong(usize),
    /// A frame that is no message.
    #[error("not a message: {0}")]
    Garbled(#[from] serde_json::Error),
}

/// A message as one frame.
///
/// # Errors
/// It exceeds [`MAX_FRAME_BYTES`].
pub fn frame<T: Serialize>(message: &T) -> Result<Vec<u8>, WireError> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = bytes.len() - 4;
    let head = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME_BYTES).ok_or(WireError::TooLong(length))?;
    bytes[..4].copy_from_slice(&head.to_be_bytes());
    Ok(bytes)
}

/// The length that a frame's head claims.
///
/// # Errors
/// It exceeds [`MAX_FRAME_BYTES`].
pub fn claimed_len(head: [u8; 4]) -> Result<usize, WireError> {
    let length = u32::from_be_bytes(head) as usize;
    if length <= MAX_FRAME_BYTES { Ok(length) } else { Err(WireError::TooLong(length)) }
}
