//! A tar file as a bundle may come in: POSIX ustar or GNU headers (IEEE 1003.1, pax), plain
//! files and folders, and nothing else.
//!
//! 1. It is a regular file that can be read at any place; what it holds is known, and bounded,
//!    before a byte of it is written anywhere.
//! 2. No name is absolute, has `..`, or comes twice; links, devices, pipes, sparse files and
//!    long-name records are refused by their names.
//! 3. pax records are read only to see that they change neither name nor size.
//! 4. No size reaches beyond the end of the file; behind the end mark stand zeros only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::{FileName, MAX_BUNDLE_BYTES, MAX_FILES, Refusal, SIGNATURE};

const BLOCK_BYTES: usize = 512;
const BLOCK: u64 = BLOCK_BYTES as u64;
/// Headers of a bundle: each file, some folders, a pax record for each.
const MAX_ENTRIES: usize = 4 * MAX_FILES;
/// The largest bundle, its headers, and what fills the last block.
pub(super) const MAX_TAR_BYTES: u64 = MAX_BUNDLE_BYTES + MAX_END_BYTES;
/// Zeros behind the end: GNU tar writes up to 10 KiB, tapes have more.
const MAX_END_BYTES: u64 = 1024 * 1024;
/// Longest pax record.
const MAX_PAX_BYTES: u64 = 8 * 1024;
/// What a pax record may say: who made the file and when, which nobody asks.
const HARMLESS: [&str; 8] = ["mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"];

/// Where a file stands in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its first byte.
    pub offset: u64,
    /// Its length.
    pub bytes: u64,
}

/// A header that was understood.
struct Entry {
    name: String,
    kind: u8,
    bytes: u64,
}

/// The files of the one bundle in `file`, which has `size_bytes`, by their names in the bundle:
/// whose files lie in a folder of the archive, that folder's name is left out.
///
/// # Errors
/// It is no such archive, or holds something else too.
pub fn index(file: &File, size_bytes: u64) -> Result<BTreeMap<FileName, Place>, Refusal> {
    if size_bytes > MAX_TAR_BYTES {
        return Err(Refusal::TooLarge(size_bytes));
    }
    let mut found: BTreeMap<String, Place> = BTreeMap::new();
    let mut folders = BTreeSet::new();
    let mut at = 0;
    for _ in 0..MAX_ENTRIES {
        let Some(entry) = header(file, at, size_bytes)? else {
            ends_in_zeros(file, at, size_bytes)?;
            return of_one_bundle(found, &folders);
        };
        let place = Place { offset: at + BLOCK, bytes: entry.bytes };
        let end = entry.bytes.checked_next_multiple_of(BLOCK).and_then(|padded| place.offset.checked_add(padded));
        at = end.filter(|end| *end <= size_bytes).ok_or_else(|| {
            Refusal::Tar(format!("{:?} claims {} bytes, which are not there", entry.name, entry.bytes))
        })?;
        match entry.kind {
            b'x' | b'g' => harmless(file, place)?,
            b'5' => drop(folders.insert(inside(&entry.name)?)),
            _ => {
                let name = inside(&entry.name)?;
                if found.insert(name.clone(), place).is_some() {
                    return Err(Refusal::Tar(format!("{name:?} is in it twice")));
                }
                if found.len() > MAX_FILES + 1 {
                    return Err(Refusal::TooMany);
                }
            }
        }
    }
    Err(Refusal::TooMany)
}

/// The header at `at`; `None` where the archive's end mark stands.
fn header(file: &File, at: u64, size_bytes: u64) -> Result<Option<Entry>, Refusal> {
    let mut block = [0; BLOCK_BYTES];
    if at + BLOCK > size_bytes {
        return Err(Refusal::Tar("it ends in the middle, or is no tar file".into()));
    }
    read_at(file, &mut block, at)?;
    if block == [0; BLOCK_BYTES] {
        return Ok(None);
    }
    let magic = &block[257..265];
    let is_gnu = magic == b"ustar  \0";
    if !is_gnu && magic != b"ustar\x0000" {
        return Err(Refusal::Tar("it is no tar file (no ustar header)".into()));
    }
    let sum = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { u64::from(b' ') } else { u64::from(*byte) };
    if octal(&block[148..156])? != block.iter().enumerate().map(sum).sum::<u64>() {
        return Err(Refusal::Tar("a header's checksum is wrong: it is damaged, or no tar file".into()));
    }
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        String::from_utf8(bytes[..end].to_vec()).map_err(|_| Refusal::Tar("a name in it is not UTF-8".into()))
    };
    let mut name = text(&block[..100])?;
    // GNU has times and more where POSIX has the name's head.
    if !is_gnu && block[345] != 0 {
        name = format!("{}/{name}", text(&block[345..500])?);
    }
    let kind = block[156];
    let refused = match kind {
        b'0' | 0 | b'5' | b'x' | b'g' => None,
        b'1' => Some("a hard link"),
        b'2' => Some("a link"),
        b'3' | b'4' => Some("a device"),
        b'6' => Some("a pipe"),
        b'S' => Some("a sparse file"),
        _ => Some("something else than a file"),
    };
    if let Some(what) = refused {
        return Err(Refusal::NotAFile(name.chars().take(80).collect(), what));
    }
    let bytes = octal(&block[124..136])?;
    if kind == b'5' && bytes > 0 {
        return Err(Refusal::Tar(format!("the folder {name:?} claims to have bytes")));
    }
    Ok(Some(Entry { name, kind, bytes }))
}

/// A number in octal digits, ended by a space or NUL. Larger ones, which GNU writes in
/// another way, no bundle has.
fn octal(field: &[u8]) -> Result<u64, Refusal> {
    let wrong = || Refusal::Tar("a number in a header is none, or too large".into());
    let text = std::str::from_utf8(field).map_err(|_| wrong())?.trim_matches(['\0', ' ']);
    if text.is_empty() || !text.bytes().all(|b| (b'0'..=b'7').contains(&b)) {
        return Err(wrong());
    }
    u64::from_str_radix(text, 8).map_err(|_| wrong())
}

/// A name that stays where it is unpacked; `./` before and `/` behind it mean nothing.
fn inside(name: &str) -> Result<String, Refusal> {
    let bare = name.strip_prefix("./").unwrap_or(name);
    let bare = bare.strip_suffix('/').unwrap_or(bare);
    let leaves = |part: &str| part.is_empty() || part == ".." || part == "." || part.contains(['\\', '\0']);
    if name == "." || name == "./" {
        Ok(String::new())
    } else if bare.split('/').any(leaves) {
        Err(Refusal::Escapes(name.chars().take(80).collect()))
    } else {
        Ok(bare.to_owned())
    }
}

/// A pax record that changes nothing we look at.
fn harmless(file: &File, place: Place) -> Result<(), Refusal> {
    let wrong = |what: &str| Refusal::Tar(format!("a pax record in it {what}"));
    if place.bytes > MAX_PAX_BYTES {
        return Err(wrong("is too long"));
    }
    let mut bytes = vec![0; usize::try_from(place.bytes).unwrap_or(0)];
    read_at(file, &mut bytes, place.offset)?;
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        // "LENGTH KEY=VALUE\n", the length in decimal and of the whole record.
        let space = rest.iter().position(|b| *b == b' ').ok_or_else(|| wrong("has no length"))?;
        let length: usize = std::str::from_utf8(&rest[..space])
            .ok()
            .and_then(|t| t.parse().ok())
            .ok_or_else(|| wrong("has no length"))?;
        let record = rest.get(space + 1..length).ok_or_else(|| wrong("has a wrong length"))?;
        let key = record.split(|b| *b == b'=').next().unwrap_or_default();
        if !HARMLESS.iter().any(|harmless| harmless.as_bytes() == key) {
            return Err(wrong(&format!("says {:?}, which is not understood here", String::from_utf8_lossy(key))));
        }
        rest = &rest[length..];
    }
    Ok(())
}

fn ends_in_zeros(file: &File, mut at: u64, size_bytes: u64) -> Result<(), Refusal> {
    let more = || Refusal::Tar("more follows behind its end".into());
    if size_bytes - at > MAX_END_BYTES {
        return Err(more());
    }
    let mut chunk = [0; 4096];
    while at < size_bytes {
        let length = usize::try_from(size_bytes - at).map_or(chunk.len(), |left| left.min(chunk.len()));
        read_at(file, &mut chunk[..length], at)?;
        if chunk[..length].iter().any(|b| *b != 0) {
            return Err(more());
        }
        at += length as u64;
    }
    Ok(())
}

/// All of it is one bundle: what lies beside the signature, and nothing elsewhere.
fn of_one_bundle(
    found: BTreeMap<String, Place>,
    folders: &BTreeSet<String>,
) -> Result<BTreeMap<FileName, Place>, Refusal> {
    let signatures: Vec<&String> =
        found.keys().filter(|name| name.rsplit('/').next().is_some_and(|last| last == SIGNATURE)).collect();
    let root = match signatures[..] {
        [] => return Err(Refusal::Unsigned),
        [one] => one.strip_suffix(SIGNATURE).unwrap_or_default().to_owned(),
        [one, other, ..] => return Err(Refusal::Tar(format!("it holds two bundles ({one}, {other})"))),
    };
    let above = |folder: &&String| !folder.starts_with(&root) && !root.starts_with(&format!("{folder}/"));
    if let Some(stray) = folders.iter().filter(|folder| !folder.is_empty()).find(above) {
        return Err(Refusal::Extra(stray.clone()));
    }
    let of_bundle = |(name, place): (String, Place)| {
        let bare = name.strip_prefix(&root).and_then(|bare| bare.parse().ok());
        bare.map(|bare| (bare, place)).ok_or(Refusal::Extra(name))
    };
    found.into_iter().map(of_bundle).collect()
}

fn read_at(file: &File, bytes: &mut [u8], at: u64) -> Result<(), Refusal> {
    file.read_exact_at(bytes, at).map_err(|e| match e.kind() {
        io::ErrorKind::UnexpectedEof => Refusal::Tar("it became shorter while it was read".into()),
        _ => Refusal::Tar(e.to_string()),
    })
}
