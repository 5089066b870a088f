//! Element headers from bytes (PS3.5 7.1): reads headers, seeks over values, allocates nothing by length.

use std::io::{BufReader, ErrorKind, Read, Seek};

use dicom_core::{Tag, VR};

use super::invalid::Invalid;
use super::syntax::Syntax;

/// Bytes read ahead: some hundred element headers.
const BUFFER_BYTES: usize = 16 * 1024;
/// The length field's value for "until the delimiter" (PS3.5 7.1.1).
const UNDEFINED: u32 = u32::MAX;
/// Group of items and delimiters, whose headers have no VR in any syntax (PS3.5 7.5).
pub(super) const ITEM_GROUP: u16 = 0xFFFE;
/// Starts an item or a fragment.
pub(super) const ITEM: Tag = Tag(ITEM_GROUP, 0xE000);
/// Closes an item of undefined length.
pub(super) const ITEM_END: Tag = Tag(ITEM_GROUP, 0xE00D);
/// Closes a sequence or pixel data of undefined length.
pub(super) const SEQUENCE_END: Tag = Tag(ITEM_GROUP, 0xE0DD);

/// One element or item header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub tag: Tag,
    /// `None` where the syntax has none. What is not in the standard's list reads as
    /// UN with a long header, as the decoder behind us reads it.
    pub vr: Option<VR>,
    /// `None` for an undefined length.
    pub length: Option<u32>,
    /// Where the header starts.
    pub offset: u64,
}

/// A reader that knows where it is.
pub(super) struct Source<R> {
    reader: BufReader<R>,
    position: u64,
}

impl<R: Read + Seek> Source<R> {
    pub fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(BUFFER_BYTES, reader), position: 0 }
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    /// Reads the header that starts here and must end by `bound`.
    pub fn header(&mut self, syntax: Syntax, bound: u64) -> Result<Header, Invalid> {
        let offset = self.position;
        let [g0, g1, e0, e1, rest @ ..] = self.bytes::<8>(offset, bound)?;
        let tag = Tag(syntax.u16([g0, g1]), syntax.u16([e0, e1]));
        let length = |raw| (raw != UNDEFINED).then_some(raw);
        if syntax == Syntax::ImplicitLe || tag.group() == ITEM_GROUP {
            return Ok(Header { tag, vr: None, length: length(syntax.u32(rest)), offset });
        }
        let [v0, v1, l0, l1] = rest;
        if !(v0.is_ascii_uppercase() && v1.is_ascii_uppercase()) {
            return Err(Invalid::Vr { tag, offset });
        }
        let vr = VR::from_binary([v0, v1]).unwrap_or(VR::UN);
        if !has_long_header(vr) {
            return Ok(Header { tag, vr: Some(vr), length: Some(syntax.u16([l0, l1]).into()), offset });
        }
        let raw = syntax.u32(self.bytes::<4>(offset, bound)?);
        Ok(Header { tag, vr: Some(vr), length: length(raw), offset })
    }

    /// Reads a value of `into.len()` bytes, which the caller has checked to be there.
    pub fn value(&mut self, into: &mut [u8]) -> Result<(), Invalid> {
        let offset = self.position;
        self.reader.read_exact(into).map_err(|source| match source.kind() {
            ErrorKind::UnexpectedEof => Invalid::Truncated { offset },
            _ => Invalid::Io { offset, source },
        })?;
        self.position += into.len() as u64;
        Ok(())
    }

    /// Seeks over a value of `length` bytes, which the caller has checked to be there.
    pub fn skip(&mut self, length: u32) -> Result<(), Invalid> {
        let offset = self.position;
        self.reader.seek_relative(length.into()).map_err(|source| Invalid::Io { offset, source })?;
        self.position += u64::from(length);
        Ok(())
    }

    fn bytes<const N: usize>(&mut self, header: u64, bound: u64) -> Result<[u8; N], Invalid> {
        if bound.saturating_sub(self.position) < N as u64 {
            return Err(Invalid::Truncated { offset: header });
        }
        let mut bytes = [0; N];
        self.value(&mut bytes)?;
        Ok(bytes)
    }
}

/// Value representations with two reserved bytes and a 32-bit length (PS3.5 table 7.1-1).
fn has_long_header(vr: VR) -> bool {
    use VR::{OB, OD, OF, OL, OV, OW, SQ, SV, UC, UN, UR, UT, UV};
    matches!(vr, OB | OD | OF | OL | OV | OW | SQ | SV | UC | UN | UR | UT | UV)
}
