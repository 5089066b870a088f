//! `incoming/<random>.part`: a DICOM file that is being received (PS3.10 7.1).
//!
//! Preamble and file meta say nothing about the sender or this build, so that the same
//! dataset gives the same bytes and the same digest; the dataset follows as it came.
//! Dropped before it is [`kept`](Part::kept), the file is gone.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::limits::WRITE_BUFFER_BYTES;
use super::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION};
use crate::digest::{Digest, Digester};
use crate::instance::PREAMBLE;
use crate::instance::uid::Uid;
use crate::os::disk::{Disk, DiskFile};

/// Images are patient data: for the daemon's user alone.
const MODE: u32 = 0o600;

/// A file being written.
pub(super) struct Part {
    file: BufWriter<DiskFile>,
    guard: Guard,
    digester: Digester,
    dataset_offset: u64,
    dataset_bytes: u64,
}

/// A file that was written to its last byte, not yet durable.
pub(super) struct Written {
    pub file: DiskFile,
    pub guard: Guard,
    pub sha256: Digest,
    pub size_bytes: u64,
    pub dataset_offset: u64,
}

/// Removes the file when dropped, unless it was kept.
pub(super) struct Guard {
    disk: Disk,
    path: PathBuf,
    kept: bool,
}

impl Part {
    /// Starts a file in `folder` for an instance of these UIDs.
    pub fn create(disk: &Disk, folder: &Path, class: &Uid, instance: &Uid, transfer_syntax: &str) -> io::Result<Self> {
        let name = getrandom::u64().map_err(io::Error::other)?;
        let path = folder.join(format!("{name:016x}.part"));
        let file = disk.create_new(&path, MODE)?;
        let mut part = Self {
            file: BufWriter::with_capacity(WRITE_BUFFER_BYTES, file),
            guard: Guard { disk: disk.clone(), path, kept: false },
            digester: Digester::new(),
            dataset_offset: 0,
            dataset_bytes: 0,
        };
        part.put(&PREAMBLE)?;
        let meta = file_meta(class, instance, transfer_syntax);
        part.put(&meta)?;
        part.dataset_offset = (PREAMBLE.len() + meta.len()) as u64;
        Ok(part)
    }

    /// Appends a piece of the dataset; returns how long the dataset is now, in bytes.
    pub fn append(&mut self, piece: &[u8]) -> io::Result<u64> {
        self.put(piece)?;
        self.dataset_bytes += piece.len() as u64;
        Ok(self.dataset_bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digester.update(bytes);
        self.file.write_all(bytes)
    }

    /// Writes out what is buffered; the file stands at its dataset then.
    pub fn finish(self) -> io::Result<Written> {
        let Self { file, guard, digester, dataset_offset, dataset_bytes } = self;
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(dataset_offset))?;
        Ok(Written {
            file,
            guard,
            sha256: digester.finish(),
            size_bytes: dataset_offset + dataset_bytes,
            dataset_offset,
        })
    }
}

impl Guard {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file has its final name: nothing is to be removed any more.
    pub fn kept(&mut self) {
        self.kept = true;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if let Err(error) = self.disk.remove(&self.path) {
            // The sweep at the next start takes it.
            log::warn!("{}: {error}", self.path.display());
        }
    }
}

/// The file meta group (PS3.10 table 7.1-1), always explicit little endian.
fn file_meta(class: &Uid, instance: &Uid, transfer_syntax: &str) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend([0x02, 0x00, 0x01, 0x00, b'O', b'B', 0, 0, 2, 0, 0, 0, 0x00, 0x01]);
    put(&mut body, 0x0002, *b"UI", class.as_str(), 0);
    put(&mut body, 0x0003, *b"UI", instance.as_str(), 0);
    put(&mut body, 0x0010, *b"UI", transfer_syntax, 0);
    put(&mut body, 0x0012, *b"UI", IMPLEMENTATION_CLASS_UID, 0);
    put(&mut body, 0x0013, *b"SH", IMPLEMENTATION_VERSION, b' ');
    let mut meta = vec![0x02, 0x00, 0x00, 0x00, b'U', b'L', 4, 0];
    meta.extend(u32::try_from(body.len()).expect("a meta group of some UIDs").to_le_bytes());
    meta.extend(body);
    meta
}

fn put(bytes: &mut Vec<u8>, element: u16, vr: [u8; 2], value: &str, padding: u8) {
    let odd = value.len() % 2;
    bytes.extend([0x02, 0x00]);
    bytes.extend(element.to_le_bytes());
    bytes.extend(vr);
    bytes.extend(u16::try_from(value.len() + odd).expect("a UID or a short name").to_le_bytes());
    bytes.extend(value.as_bytes());
    bytes.extend(std::iter::repeat_n(padding, odd));
}
