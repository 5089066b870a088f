//! A DICOM file (PS3.10 7): preamble, file meta group, dataset; checked and hashed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::headers::{Headers, MAX_CAPTURED_BYTES};
use super::invalid::Invalid;
use super::source::Source;
use super::syntax::Syntax;
use super::uid::Uid;
use super::validate::validate_dataset;
use super::{Instance, PREAMBLE};
use crate::digest::{Digest, Digester};

/// Longest file meta group: real ones have some 200 bytes, private information may follow.
const MAX_META_BYTES: u32 = 64 * 1024;
/// Bytes hashed at a time.
const HASH_BUFFER_BYTES: usize = 64 * 1024;

/// Why a file is no instance.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No preamble with DICM after it.
    #[error(
        "it is not a DICOM file: no DICM at byte 128 (a bare dataset must be given its preamble and file meta first)"
    )]
    NotPart10,
    /// The file meta group is wrong; offsets count from byte 132.
    #[error("file meta: {0}")]
    Meta(Invalid),
    /// The dataset is deflated: what it inflates to has no bound.
    #[error("transfer syntax {0} is deflated, which is not read")]
    Deflated(Uid),
    /// The dataset is wrong.
    #[error("dataset: {0}")]
    Dataset(#[from] Invalid),
    /// File meta and dataset name different UIDs.
    #[error("file meta {meta} and dataset {dataset} differ")]
    Disagrees {
        /// Which file meta element.
        meta: Tag,
        /// Which dataset element.
        dataset: Tag,
    },
}

struct Meta {
    class: Option<Uid>,
    instance: Option<Uid>,
    transfer_syntax: Uid,
    /// Bytes from the start of the file to the dataset.
    dataset_offset: u64,
}

impl Instance {
    /// Checks the file at `path` and computes its digest, in constant memory.
    ///
    /// # Errors
    /// Not a DICOM file, deflated, headers that lie, or a meta group about another instance.
    pub fn inspect(path: &Path) -> Result<(Self, Headers), InstanceError> {
        let unreadable = |source| InstanceError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let size_bytes = file.metadata().map_err(unreadable)?.len();
        let meta = read_meta(&file, size_bytes)?;
        let syntax =
            Syntax::of(&meta.transfer_syntax).ok_or_else(|| InstanceError::Deflated(meta.transfer_syntax.clone()))?;
        (&file).seek(SeekFrom::Start(meta.dataset_offset)).map_err(unreadable)?;
        let headers = validate_dataset(&file, syntax, size_bytes - meta.dataset_offset)?;
        headers.check_encoding(&meta.transfer_syntax)?;
        for (named, found, meta, dataset) in [
            (&meta.class, &headers.sop_class_uid, tags::MEDIA_STORAGE_SOP_CLASS_UID, tags::SOP_CLASS_UID),
            (&meta.instance, &headers.sop_instance_uid, tags::MEDIA_STORAGE_SOP_INSTANCE_UID, tags::SOP_INSTANCE_UID),
        ] {
            if named.as_ref().is_some_and(|named| named != found) {
                return Err(InstanceError::Disagrees { meta, dataset });
            }
        }
        let instance = Self {
            path: path.to_owned(),
            sha256: hash(&file).map_err(unreadable)?,
            size_bytes,
            sop_class_uid: headers.sop_class_uid.clone(),
            sop_instance_uid: headers.sop_instance_uid.clone(),
            transfer_syntax_uid: meta.transfer_syntax,
        };
        Ok((instance, headers))
    }
}

/// Reads preamble and meta group, which is explicit little endian always (PS3.10 7.1)
/// and ends where its group length says: there the decoder behind us looks for the dataset.
fn read_meta(mut file: &File, size_bytes: u64) -> Result<Meta, InstanceError> {
    let mut preamble = [0; PREAMBLE.len()];
    if file.read_exact(&mut preamble).is_err() || preamble[128..] != PREAMBLE[128..] {
        return Err(InstanceError::NotPart10);
    }
    let rest = size_bytes.saturating_sub(PREAMBLE.len() as u64);
    let mut source = Source::new(file);
    let bound = group_end(&mut source, rest).map_err(InstanceError::Meta)?;
    let mut uids: [Option<Uid>; 3] = [const { None }; 3];
    while source.position() < bound {
        meta_element(&mut source, bound, &mut uids).map_err(InstanceError::Meta)?;
    }
    let [class, instance, transfer_syntax] = uids;
    let transfer_syntax =
        transfer_syntax.ok_or(InstanceError::Meta(Invalid::Missing { tag: tags::TRANSFER_SYNTAX_UID }))?;
    Ok(Meta { class, instance, transfer_syntax, dataset_offset: PREAMBLE.len() as u64 + bound })
}

/// Reads (0002,0000): where the meta group ends.
fn group_end(source: &mut Source<&File>, rest: u64) -> Result<u64, Invalid> {
    let header = source.header(Syntax::ExplicitLe, rest)?;
    if (header.tag, header.length) != (tags::FILE_META_INFORMATION_GROUP_LENGTH, Some(4)) || rest < 12 {
        return Err(Invalid::Missing { tag: tags::FILE_META_INFORMATION_GROUP_LENGTH });
    }
    let mut value = [0; 4];
    source.value(&mut value)?;
    let length = u32::from_le_bytes(value);
    let remaining = rest - source.position();
    let (tag, offset) = (header.tag, header.offset);
    if u64::from(length) > remaining {
        return Err(Invalid::TooLong { tag, offset, length: length.into(), remaining });
    }
    if length > MAX_META_BYTES {
        return Err(Invalid::TooLarge { tag, offset, length: length.into(), limit: MAX_META_BYTES.into() });
    }
    Ok(source.position() + u64::from(length))
}

fn meta_element(source: &mut Source<&File>, bound: u64, uids: &mut [Option<Uid>; 3]) -> Result<(), Invalid> {
    let header = source.header(Syntax::ExplicitLe, bound)?;
    let (tag, offset) = (header.tag, header.offset);
    let length = header.length.ok_or(Invalid::Undefined { tag, offset })?;
    let remaining = bound - source.position();
    if u64::from(length) > remaining {
        return Err(Invalid::TooLong { tag, offset, length: length.into(), remaining });
    }
    let slot = match tag {
        tags::MEDIA_STORAGE_SOP_CLASS_UID => &mut uids[0],
        tags::MEDIA_STORAGE_SOP_INSTANCE_UID => &mut uids[1],
        tags::TRANSFER_SYNTAX_UID => &mut uids[2],
        Tag(0x0002, _) => return source.skip(length),
        _ => return Err(Invalid::Misplaced { tag, offset }),
    };
    if slot.is_some() {
        return Err(Invalid::Duplicate { tag, offset });
    }
    let wrong = || Invalid::Value { tag, offset, expected: "a UID" };
    let mut room = [0; MAX_CAPTURED_BYTES as usize];
    let value = room.get_mut(..length as usize).ok_or_else(wrong)?;
    source.value(value)?;
    let text = std::str::from_utf8(value).map_err(|_| wrong())?.trim_matches([' ', '\0']);
    if !text.is_empty() {
        *slot = Some(text.parse().map_err(|_| wrong())?);
    }
    Ok(())
}

fn hash(mut file: &File) -> io::Result<Digest> {
    file.seek(SeekFrom::Start(0))?;
    let mut digester = Digester::new();
    let mut buffer = vec![0; HASH_BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digester.finish()),
            n => digester.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
#[path = "part10_tests.rs"]
mod tests;
