//! `Layout`: what the header claims of the pixels, checked against every bound
//! before a byte is allocated for it (PS3.3 C.7.6.3).

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::DefaultDicomObject;

use super::PixelError;

/// Pixels over all frames: 25 times the largest detector, or three minutes of ultrasound.
pub const LARGEST_PIXELS: u64 = 128 << 20;
/// Bytes of decoded samples: 128 M pixels in 16 bits three times over, what the reader's
/// memory limit leaves room for.
pub const LARGEST_DECODED_BYTES: u64 = 768 << 20;

/// Checked claims of the header. `pixels × samples × bytes` fits every bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub rows: u32,
    pub columns: u32,
    pub frames: u32,
    /// 1 or 3.
    pub samples: u32,
    /// 8 or 16.
    pub bits_allocated: u32,
    /// 1 to `bits_allocated`.
    pub bits_stored: u32,
    /// `bits_stored - 1` to `bits_allocated - 1`.
    pub high_bit: u32,
    pub signed: bool,
    /// Planar Configuration (0028,0006) is 1: RRR…GGG…BBB.
    pub planar: bool,
    pub photometric: Stated,
}

/// Photometric Interpretation (0028,0004) as the header states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stated {
    Monochrome1,
    Monochrome2,
    Palette,
    Rgb,
    YbrFull,
    YbrFull422,
    /// JPEG 2000's own transforms, undone by its decoder.
    YbrJpeg2000,
}

impl Layout {
    pub fn from_object(object: &DefaultDicomObject) -> Result<Self, PixelError> {
        let bits_allocated = required(object, tags::BITS_ALLOCATED, "Bits Allocated (0028,0100)")?;
        let bits_stored = optional(object, tags::BITS_STORED).unwrap_or(bits_allocated);
        let layout = Self {
            rows: required(object, tags::ROWS, "Rows (0028,0010)")?,
            columns: required(object, tags::COLUMNS, "Columns (0028,0011)")?,
            frames: frames(object)?,
            samples: optional(object, tags::SAMPLES_PER_PIXEL).unwrap_or(1),
            bits_allocated,
            bits_stored,
            high_bit: optional(object, tags::HIGH_BIT).unwrap_or(bits_stored.saturating_sub(1)),
            signed: optional(object, tags::PIXEL_REPRESENTATION) == Some(1),
            planar: optional(object, tags::PLANAR_CONFIGURATION) == Some(1),
            photometric: photometric(object)?,
        };
        layout.check()?;
        Ok(layout)
    }

    /// Pixels of one frame.
    pub fn pixels(&self) -> usize {
        self.rows as usize * self.columns as usize
    }

    /// Samples of one frame.
    pub fn frame_samples(&self) -> usize {
        self.pixels() * self.samples as usize
    }

    fn check(&self) -> Result<(), PixelError> {
        let malformed = |what: String| Err(PixelError::Malformed(what));
        for (name, value) in [("rows", self.rows), ("columns", self.columns)] {
            if !(1..=65535).contains(&value) {
                return malformed(format!("{value} {name}"));
            }
        }
        if !matches!(self.bits_allocated, 8 | 16) {
            let words = format!("samples of {} bits are not supported", self.bits_allocated);
            return Err(PixelError::Undecodable(words));
        }
        if !(1..=self.bits_allocated).contains(&self.bits_stored)
            || !(self.bits_stored - 1..self.bits_allocated).contains(&self.high_bit)
        {
            let Self { bits_stored, high_bit, bits_allocated, .. } = self;
            return malformed(format!("{bits_stored} bits stored up to bit {high_bit} in {bits_allocated} bits"));
        }
        let wanted = match self.photometric {
            Stated::Monochrome1 | Stated::Monochrome2 | Stated::Palette => 1,
            _ => 3,
        };
        if self.samples != wanted {
            return malformed(format!(
                "{} samples a pixel where its photometric interpretation has {wanted}",
                self.samples
            ));
        }
        if wanted == 3 && self.bits_allocated != 8 && self.photometric != Stated::Rgb {
            return Err(PixelError::Undecodable("colour differences of 16 bits are not supported".into()));
        }
        self.check_size()
    }

    fn check_size(&self) -> Result<(), PixelError> {
        // At most 2^16 · 2^16 · 2^32, times 6: saturates instead of wrapping.
        let pixels = (u64::from(self.rows) * u64::from(self.columns)).saturating_mul(u64::from(self.frames));
        let bytes = pixels.saturating_mul(u64::from(self.samples) * u64::from(self.bits_allocated / 8));
        if pixels > LARGEST_PIXELS || bytes > LARGEST_DECODED_BYTES {
            let Self { rows, columns, frames, .. } = self;
            return Err(PixelError::TooLarge(format!("{frames} frames of {columns} x {rows} pixels are too many")));
        }
        Ok(())
    }
}

/// Number of Frames (0028,0008): an absent or empty one is one frame.
fn frames(object: &DefaultDicomObject) -> Result<u32, PixelError> {
    let Some(element) = object.get(tags::NUMBER_OF_FRAMES) else { return Ok(1) };
    if element.value().to_str().is_ok_and(|text| text.trim().is_empty()) {
        return Ok(1);
    }
    match element.to_int::<u32>() {
        // Zero frames with pixel data is a frequent slip for one.
        Ok(frames) => Ok(frames.max(1)),
        Err(_) => Err(PixelError::Malformed("Number of Frames (0028,0008) is no number".into())),
    }
}

fn photometric(object: &DefaultDicomObject) -> Result<Stated, PixelError> {
    const NAME: &str = "Photometric Interpretation (0028,0004)";
    let text = object.get(tags::PHOTOMETRIC_INTERPRETATION).and_then(|element| element.to_str().ok());
    match text.ok_or(PixelError::Missing(NAME))?.trim_matches([' ', '\0']).to_uppercase().as_str() {
        "MONOCHROME1" => Ok(Stated::Monochrome1),
        "MONOCHROME2" => Ok(Stated::Monochrome2),
        "PALETTE COLOR" => Ok(Stated::Palette),
        "RGB" => Ok(Stated::Rgb),
        "YBR_FULL" => Ok(Stated::YbrFull),
        "YBR_FULL_422" => Ok(Stated::YbrFull422),
        "YBR_ICT" | "YBR_RCT" => Ok(Stated::YbrJpeg2000),
        // Retired or never seen from the modalities served; the value itself is not repeated.
        _ => Err(PixelError::Undecodable("this photometric interpretation is not supported".into())),
    }
}

fn required(object: &DefaultDicomObject, tag: Tag, name: &'static str) -> Result<u32, PixelError> {
    let element = object.get(tag).ok_or(PixelError::Missing(name))?;
    element.to_int::<u32>().map_err(|_| PixelError::Malformed(format!("{name} is no number")))
}

fn optional(object: &DefaultDicomObject, tag: Tag) -> Option<u32> {
    object.get(tag)?.to_int::<u32>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout {
            rows: 10,
            columns: 10,
            frames: 1,
            samples: 1,
            bits_allocated: 16,
            bits_stored: 12,
            high_bit: 11,
            signed: false,
            planar: false,
            photometric: Stated::Monochrome2,
        }
    }

    #[test]
    fn a_claim_beyond_a_bound_is_refused_before_it_costs_anything() {
        assert_eq!(layout().check(), Ok(()));
        let huge = Layout { rows: 65535, columns: 65535, frames: u32::MAX, ..layout() };
        assert!(matches!(huge.check(), Err(PixelError::TooLarge(_))));
        let many = Layout { rows: 1 << 14, columns: 1 << 13, frames: 2, ..layout() };
        assert!(matches!(many.check(), Err(PixelError::TooLarge(_))));
    }

    #[test]
    fn contradictions_are_malformed_and_strange_widths_undecodable() {
        for wrong in [
            Layout { rows: 0, ..layout() },
            Layout { columns: 65536, ..layout() },
            Layout { bits_stored: 0, ..layout() },
            Layout { bits_stored: 17, ..layout() },
            Layout { high_bit: 3, ..layout() },
            Layout { high_bit: 16, ..layout() },
            Layout { samples: 3, ..layout() },
        ] {
            assert!(matches!(wrong.check(), Err(PixelError::Malformed(_))), "{wrong:?}");
        }
        for bits_allocated in [1, 12, 32, 64] {
            let strange = Layout { bits_allocated, bits_stored: 1, high_bit: 0, ..layout() };
            assert!(matches!(strange.check(), Err(PixelError::Undecodable(_))), "{bits_allocated}");
        }
    }
}
