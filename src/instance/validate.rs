//! Walks the element headers of a dataset, checks every length, looks at nine values.
//!
//! One loop over a stack of fixed size: no recursion, no allocation by a claimed length,
//! and every step takes at least eight bytes, so it ends. Tags out of order are let
//! through, since real files have them; a second identity is not.

use std::io::{Read, Seek};

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};

use super::headers::{Facts, Headers, MAX_CAPTURED_BYTES, Pixels};
use super::invalid::Invalid;
use super::source::{Header, ITEM, ITEM_END, ITEM_GROUP, SEQUENCE_END, Source};
use super::syntax::Syntax;

/// Deepest nesting of sequences and items: structured reports reach about 20, and the
/// decoder behind us recurses on a stack of 2 MiB that holds about 1,100.
pub const MAX_DEPTH: usize = 64;
/// Most elements, items and fragments: an enhanced multi-frame of 1,000 frames has about 60,000.
pub const MAX_ELEMENTS: u32 = 100_000;
/// Longest value that is not pixels: four times the largest palette (PS3.3 C.7.6.3.1.6).
pub const MAX_VALUE_BYTES: u32 = 1024 * 1024;
/// Longest overlay (60xx,3000): one bit a pixel of the largest image.
const MAX_OVERLAY_BYTES: u32 = 16 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Elements,
    Items,
    Fragments,
}

#[derive(Debug, Clone, Copy)]
struct Scope {
    holds: Holds,
    syntax: Syntax,
    /// No byte of the scope lies at or beyond this.
    bound: u64,
    /// Whether a delimiter closes it before the bound.
    delimited: bool,
}

struct Walk<R> {
    source: Source<R>,
    scopes: heapless::Vec<Scope, MAX_DEPTH>,
    elements: u32,
    facts: Facts,
}

/// Checks the dataset of `length` bytes that starts where `source` stands.
///
/// # Errors
/// The first thing that is wrong, with its tag and its offset from the start.
pub fn validate_dataset<R: Read + Seek>(source: R, syntax: Syntax, length: u64) -> Result<Headers, Invalid> {
    let whole = Scope { holds: Holds::Elements, syntax, bound: length, delimited: false };
    let scopes = heapless::Vec::from_array([whole]);
    let mut walk = Walk { source: Source::new(source), scopes, elements: 0, facts: Facts::default() };
    while let Some(scope) = walk.innermost()? {
        walk.count()?;
        match scope.holds {
            Holds::Elements => walk.element(scope)?,
            Holds::Items => walk.item(scope)?,
            Holds::Fragments => walk.fragment(scope)?,
        }
    }
    walk.facts.conclude()
}

impl<R: Read + Seek> Walk<R> {
    /// The scope that the next header belongs to; `None` at the end of the dataset.
    fn innermost(&mut self) -> Result<Option<Scope>, Invalid> {
        let offset = self.source.position();
        while let Some(scope) = self.scopes.last().copied() {
            if offset < scope.bound {
                return Ok(Some(scope));
            }
            if scope.delimited {
                return Err(Invalid::Unclosed { offset });
            }
            self.scopes.pop();
        }
        Ok(None)
    }

    fn count(&mut self) -> Result<(), Invalid> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(Invalid::TooMany { offset: self.source.position(), limit: MAX_ELEMENTS });
        }
        Ok(())
    }

    fn element(&mut self, scope: Scope) -> Result<(), Invalid> {
        let header = self.source.header(scope.syntax, scope.bound)?;
        let Header { tag, vr, length, offset } = header;
        if tag == ITEM_END {
            return self.close(scope, header);
        }
        // Group 0000 is of commands and 0002 of the file meta (PS3.5 7.1).
        if matches!(tag.group(), ITEM_GROUP | 0x0000 | 0x0002) {
            return Err(Invalid::Misplaced { tag, offset });
        }
        if self.is_main() {
            self.facts.sees(tag, offset)?;
        }
        match length {
            Some(length) if is_sequence(tag, vr) => self.open(Holds::Items, scope.syntax, scope, header, Some(length)),
            Some(length) => self.value(scope, header, length),
            None if tag == tags::PIXEL_DATA => {
                if self.is_main() {
                    self.facts.pixels(Pixels::Encapsulated { fragments: 0 });
                }
                self.open(Holds::Fragments, scope.syntax, scope, header, None)
            }
            // Without a VR an undefined length can only be a sequence's.
            None if matches!(vr, None | Some(VR::SQ)) => self.open(Holds::Items, scope.syntax, scope, header, None),
            // Implicit little endian inside, whatever is outside (PS3.5 6.2.2 note 2).
            None if vr == Some(VR::UN) => {
                self.facts.unknown_sequence();
                self.open(Holds::Items, Syntax::ImplicitLe, scope, header, None)
            }
            None => Err(Invalid::Undefined { tag, offset }),
        }
    }

    fn item(&mut self, scope: Scope) -> Result<(), Invalid> {
        let header = self.source.header(scope.syntax, scope.bound)?;
        match header.tag {
            ITEM => self.open(Holds::Elements, scope.syntax, scope, header, header.length),
            SEQUENCE_END => self.close(scope, header),
            tag => Err(Invalid::Misplaced { tag, offset: header.offset }),
        }
    }

    fn fragment(&mut self, scope: Scope) -> Result<(), Invalid> {
        let header = self.source.header(scope.syntax, scope.bound)?;
        match (header.tag, header.length) {
            (ITEM, Some(length)) => {
                self.within(scope, header, length)?;
                // The dataset, the pixel data: a main image's fragments are two deep.
                if self.scopes.len() == 2 {
                    self.facts.fragment();
                } else if length > MAX_VALUE_BYTES {
                    return Err(too_large(header, length, MAX_VALUE_BYTES));
                }
                self.source.skip(length)
            }
            (SEQUENCE_END, _) => self.close(scope, header),
            (tag, None) => Err(Invalid::Undefined { tag, offset: header.offset }),
            (tag, _) => Err(Invalid::Misplaced { tag, offset: header.offset }),
        }
    }

    /// Whether the element at hand is of the main dataset and not of an item.
    fn is_main(&self) -> bool {
        self.scopes.len() == 1
    }

    fn value(&mut self, scope: Scope, header: Header, length: u32) -> Result<(), Invalid> {
        let Header { tag, offset, .. } = header;
        self.within(scope, header, length)?;
        let limit = match tag {
            tags::PIXEL_DATA | tags::FLOAT_PIXEL_DATA | tags::DOUBLE_FLOAT_PIXEL_DATA if self.is_main() => u32::MAX,
            Tag(0x6000..=0x60FF, 0x3000) => MAX_OVERLAY_BYTES,
            _ => MAX_VALUE_BYTES,
        };
        if length > limit {
            return Err(too_large(header, length, limit));
        }
        // The decoder behind us reads whole values only and would take a rest for a header.
        if !length.is_multiple_of(value_bytes(tag, header.vr)) {
            return Err(Invalid::Value { tag, offset, expected: "a whole number of values" });
        }
        if self.is_main() && tag == tags::PIXEL_DATA {
            self.facts.pixels(Pixels::Native { length: length.into() });
        }
        if !(self.is_main() && Facts::wants(tag)) {
            return self.source.skip(length);
        }
        // Else the decoder behind us would read another value out of the same bytes.
        if !is_as_defined(tag, header.vr) {
            return Err(Invalid::Value { tag, offset, expected: "of its type" });
        }
        let mut room = [0; MAX_CAPTURED_BYTES as usize];
        let value = room.get_mut(..length as usize).ok_or_else(|| too_large(header, length, MAX_CAPTURED_BYTES))?;
        self.source.value(value)?;
        self.facts.take(tag, offset, value, scope.syntax)
    }

    fn open(
        &mut self,
        holds: Holds,
        syntax: Syntax,
        outer: Scope,
        header: Header,
        length: Option<u32>,
    ) -> Result<(), Invalid> {
        let bound = match length {
            Some(length) => self.within(outer, header, length)?,
            None => outer.bound,
        };
        let scope = Scope { holds, syntax, bound, delimited: length.is_none() };
        self.scopes.push(scope).map_err(|_| Invalid::TooDeep {
            tag: header.tag,
            offset: header.offset,
            limit: MAX_DEPTH,
        })
    }

    /// Takes a delimiter, which closes only a scope of undefined length and is empty (PS3.5 7.5.1).
    fn close(&mut self, scope: Scope, header: Header) -> Result<(), Invalid> {
        if !scope.delimited || header.length != Some(0) {
            return Err(Invalid::Misplaced { tag: header.tag, offset: header.offset });
        }
        self.scopes.pop();
        Ok(())
    }

    /// Where a value of `length` bytes that starts here ends, if that is inside `scope`.
    fn within(&self, scope: Scope, header: Header, length: u32) -> Result<u64, Invalid> {
        let remaining = scope.bound - self.source.position();
        if u64::from(length) > remaining {
            let Header { tag, offset, .. } = header;
            return Err(Invalid::TooLong { tag, offset, length: length.into(), remaining });
        }
        Ok(self.source.position() + u64::from(length))
    }
}

/// Whether a value of defined length is a sequence.
fn is_sequence(tag: Tag, vr: Option<VR>) -> bool {
    known_vr(tag, vr) == Some(VR::SQ)
}

/// How an element is read: without a VR the dictionary says so, as it does to the decoder
/// behind us.
fn known_vr(tag: Tag, vr: Option<VR>) -> Option<VR> {
    vr.or_else(|| StandardDataDictionary.by_tag(tag)?.vr().exact())
}

/// Whether an element stands under a VR that reads as its own does: text under any text.
fn is_as_defined(tag: Tag, vr: Option<VR>) -> bool {
    let own = known_vr(tag, None);
    vr.zip(own).is_none_or(|(vr, own)| vr == own || (is_text(vr) && is_text(own)))
}

/// Whether values are characters (PS3.5 table 6.2-1).
fn is_text(vr: VR) -> bool {
    matches!(
        vr,
        VR::AE
            | VR::AS
            | VR::CS
            | VR::DA
            | VR::DS
            | VR::DT
            | VR::IS
            | VR::LO
            | VR::LT
            | VR::PN
            | VR::SH
            | VR::ST
            | VR::TM
            | VR::UC
            | VR::UI
            | VR::UR
            | VR::UT
    )
}

/// Bytes of one value of a binary number (PS3.5 table 6.2-1); 1 for text and bytes, and for
/// OW, whose length real files get wrong and pixel data is held to by itself.
fn value_bytes(tag: Tag, vr: Option<VR>) -> u32 {
    match known_vr(tag, vr) {
        Some(VR::US | VR::SS) => 2,
        Some(VR::AT | VR::UL | VR::SL | VR::FL | VR::OF | VR::OL) => 4,
        Some(VR::FD | VR::OD | VR::SV | VR::UV | VR::OV) => 8,
        _ => 1,
    }
}

fn too_large(header: Header, length: u32, limit: u32) -> Invalid {
    Invalid::TooLarge { tag: header.tag, offset: header.offset, length: length.into(), limit: limit.into() }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
