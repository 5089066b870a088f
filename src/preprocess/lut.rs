//! Lookup tables as DICOM stores them (PS3.3 C.7.6.3.1.5, C.11.1.1.1).

use dicom_core::Tag;
use dicom_object::InMemDicomObject;

/// Entries of a table: a descriptor has 16 bits for them, 0 meaning 65536.
const MOST_ENTRIES: usize = 1 << 16;

/// A table from stored values to 16-bit values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lut {
    /// The value that maps to the first entry; lower ones do, too.
    first: i32,
    /// At least one.
    entries: Vec<u16>,
    /// The greatest value an entry can have, at least 1.
    pub highest: u16,
}

impl Lut {
    /// Reads descriptor and data, `None` where either is missing or wrong. `signed`:
    /// whether the values looked up may be negative (the descriptor cannot say).
    pub fn read(object: &InMemDicomObject, descriptor: Tag, data: Tag, signed: bool) -> Option<Self> {
        let described = object.get(descriptor)?.to_multi_int::<i32>().ok()?;
        let [count, first, bits] = described[..] else { return None };
        let count = usize::try_from(count & 0xFFFF).ok().filter(|count| *count != 0).unwrap_or(MOST_ENTRIES);
        // Written as US or SS, whichever the writer liked (PS3.3 C.11.1.1.1).
        let first = match first {
            negative if !signed && negative < 0 => negative + (1 << 16),
            large if signed && large > i32::from(i16::MAX) => large - (1 << 16),
            first => first,
        };
        let bytes = object.get(data)?.to_bytes().ok()?;
        // 8-bit entries may be packed (PS3.3 C.7.6.3.1.5).
        let mut entries: Vec<u16> = if bits == 8 && bytes.len() < count * 2 {
            bytes.iter().map(|b| u16::from(*b)).collect()
        } else {
            bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect()
        };
        entries.truncate(count);
        let greatest = *entries.iter().max()?;
        // Tables whose entries exceed their stated width exist; the wider of both counts.
        let stated = u16::MAX >> (16 - bits.clamp(1, 16));
        Some(Self { first, entries, highest: stated.max(greatest) })
    }

    /// The entry for `value`; the first and last go on for ever.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the indices first")]
    pub fn of(&self, value: f64) -> u16 {
        let index = (value - f64::from(self.first)).round().clamp(0.0, (self.entries.len() - 1) as f64);
        self.entries[index as usize]
    }
}

#[cfg(test)]
mod tests {
    use dicom_core::{DataElement, PrimitiveValue, VR};
    use dicom_dictionary_std::tags;

    use super::*;

    /// A table of four entries that starts at `first`.
    fn lut(first: DataElement<InMemDicomObject>, signed: bool) -> Lut {
        let data = DataElement::new(tags::LUT_DATA, VR::OW, PrimitiveValue::U16([10, 20, 30, 40].as_slice().into()));
        let object = InMemDicomObject::from_element_iter([first, data]);
        Lut::read(&object, tags::LUT_DESCRIPTOR, tags::LUT_DATA, signed).unwrap()
    }

    #[test]
    fn the_first_value_means_the_same_whether_written_signed_or_not() {
        let us =
            |v: u16| DataElement::new(tags::LUT_DESCRIPTOR, VR::US, PrimitiveValue::U16([4, v, 16].as_slice().into()));
        let ss =
            |v: i16| DataElement::new(tags::LUT_DESCRIPTOR, VR::SS, PrimitiveValue::I16([4, v, 16].as_slice().into()));
        for table in [lut(us(40_000), false), lut(ss(40_000_u16.cast_signed()), false)] {
            assert_eq!([0.0, 40_000.0, 40_002.0, 65_535.0].map(|v| table.of(v)), [10, 10, 30, 40]);
        }
        for table in [lut(us(0xFFFE), true), lut(ss(-2), true)] {
            assert_eq!([-9.0, -2.0, 0.0, 9.0].map(|v| table.of(v)), [10, 10, 30, 40]);
        }
    }
}
