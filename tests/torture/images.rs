//! Images by the thousand: one file projected once, then another UID patched in for each.

use std::io::Cursor;

use residentd::instance::uid::Uid;
use residentd::phantom;

/// Digits of the instance UID that count.
const DIGITS: usize = 12;

/// A file of which copies with other instance UIDs are made.
pub struct Template {
    bytes: Vec<u8>,
    uid: String,
    /// Where the counting digits stand, in file meta and dataset.
    at: Vec<usize>,
}

impl Template {
    /// A chest of `columns` x `rows` that a bundle reads.
    pub fn chest(columns: u16, rows: u16) -> Self {
        Self::of(phantom::chest(1, columns, rows))
    }

    /// A small image that no bundle is for: an abstention, at next to no cost.
    pub fn foreign() -> Self {
        let mut bytes = phantom::chest(1, 16, 16);
        for (part, other) in [(b"CHEST", b"SKULL"), (b"Chest", b"Skull")] {
            for at in positions(&bytes, part) {
                bytes[at..at + other.len()].copy_from_slice(other);
            }
        }
        for at in positions(&bytes, b"51185008") {
            bytes[at..at + 8].copy_from_slice(b"89546000");
        }
        Self::of(bytes)
    }

    fn of(bytes: Vec<u8>) -> Self {
        let object = dicom_object::from_reader(Cursor::new(&bytes)).unwrap();
        let uid = object.meta().media_storage_sop_instance_uid.trim_end_matches('\0').to_owned();
        let at: Vec<_> = positions(&bytes, uid.as_bytes()).into_iter().map(|at| at + uid.len() - DIGITS).collect();
        assert_eq!(at.len(), 2, "the UID stands in file meta and dataset");
        Self { bytes, uid, at }
    }

    /// The `number`th copy: its instance UID and the file.
    pub fn copy(&self, number: u64) -> (Uid, Vec<u8>) {
        let digits = format!("{number:0DIGITS$}");
        let uid = format!("{}{digits}", &self.uid[..self.uid.len() - DIGITS]);
        let mut bytes = self.bytes.clone();
        for at in &self.at {
            bytes[*at..at + DIGITS].copy_from_slice(digits.as_bytes());
        }
        (uid.parse().unwrap(), bytes)
    }
}

fn positions(bytes: &[u8], part: &[u8]) -> Vec<usize> {
    (0..bytes.len().saturating_sub(part.len())).filter(|at| bytes[*at..].starts_with(part)).collect()
}
