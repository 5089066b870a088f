//! Grayscale in presentation polarity: what is dense is bright.

use super::look::{Function, Look, Modality, Voi};
use crate::pixels::{Frames, Photometric, Samples};

/// Luma weights (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// One frame in shades of gray, bright where dense.
#[derive(Clone, PartialEq)]
pub struct Gray {
    /// Pixels a row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// `width × height` values row by row: 0 to 1 where a window or VOI table applies,
    /// 0 to 255 from colours, else the values of the modality as they are.
    pub values: Vec<f32>,
}

/// Frame `frame` (from 0; past the end, the last) of `frames` as `look` wants it seen.
#[must_use]
pub fn gray(frames: &Frames, frame: u32, look: &Look) -> Gray {
    let count = frames.rows as usize * frames.columns as usize;
    let samples = count * frames.samples_per_pixel as usize;
    let start = samples * frame.min(frames.frames.saturating_sub(1)) as usize;
    let range = start..start + samples;
    let values = match frames.photometric {
        Photometric::Rgb => luminance(&frames.data, range),
        Photometric::Palette => map(&frames.data, range, |value| palette_luma(look, value)),
        Photometric::Monochrome1 | Photometric::Monochrome2 => {
            let mut values = map(&frames.data, range, |value| shade(look, value));
            // For DX both attributes state one and the same inversion (PS3.3 C.8.11.3.1.2:
            // INVERSE shall be used with MONOCHROME1), so they do not cancel.
            if frames.photometric == Photometric::Monochrome1 || look.inverse {
                invert(&mut values, look);
            }
            values
        }
    };
    Gray { width: frames.columns, height: frames.rows, values }
}

/// Modality LUT, then VOI LUT, of one stored value.
#[expect(clippy::cast_possible_truncation, reason = "what follows computes in single precision")]
fn shade(look: &Look, stored: i32) -> f32 {
    let value = match &look.modality {
        Modality::Identity => f64::from(stored),
        Modality::Linear { slope, intercept } => f64::from(stored) * slope + intercept,
        Modality::Table(lut) => f64::from(lut.of(f64::from(stored))),
    };
    match &look.voi {
        Voi::Identity => value as f32,
        Voi::Table(lut) => f32::from(lut.of(value)) / f32::from(lut.highest),
        Voi::Window { center, width, function } => window(value, *center, *width, *function) as f32,
    }
}

/// A window's output, 0 to 1 (PS3.3 C.11.2.1.2.1, C.11.2.1.3).
fn window(value: f64, center: f64, width: f64, function: Function) -> f64 {
    match function {
        Function::Linear => ((value - (center - 0.5)) / (width - 1.0) + 0.5).clamp(0.0, 1.0),
        Function::LinearExact => ((value - center) / width + 0.5).clamp(0.0, 1.0),
        Function::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
    }
}

/// 0 to 255 of a palette entry; the index itself where there is no palette.
fn palette_luma(look: &Look, index: i32) -> f32 {
    let Some(palette) = &look.palette else { return index as f32 };
    let part = |lut: &super::lut::Lut| f32::from(lut.of(f64::from(index))) / f32::from(lut.highest) * 255.0;
    palette.iter().zip(LUMA).map(|(lut, weight)| part(lut) * weight).sum()
}

fn luminance(data: &Samples, range: std::ops::Range<usize>) -> Vec<f32> {
    // 16-bit colour comes down to the range of 8.
    let scale = if matches!(data, Samples::U8(_)) { 1.0 } else { 255.0 / 65535.0 };
    let plain = map(data, range, |value| value as f32 * scale);
    plain.chunks_exact(3).map(|rgb| rgb.iter().zip(LUMA).map(|(v, weight)| v * weight).sum()).collect()
}

/// Looks every sample up in a table of `shade` over the values that occur.
fn map(data: &Samples, range: std::ops::Range<usize>, shade: impl Fn(i32) -> f32) -> Vec<f32> {
    match data {
        Samples::U8(values) => {
            let table: Vec<f32> = (0..256).map(shade).collect();
            slice(values, range).iter().map(|v| table[usize::from(*v)]).collect()
        }
        Samples::U16(values) => {
            let values = slice(values, range);
            let highest = values.iter().max().map_or(0, |v| i32::from(*v));
            let table: Vec<f32> = (0..=highest).map(shade).collect();
            values.iter().map(|v| table[usize::from(*v)]).collect()
        }
        Samples::I16(values) => {
            let table: Vec<f32> = (i16::MIN..=i16::MAX).map(|v| shade(v.into())).collect();
            slice(values, range).iter().map(|v| table[usize::from(v.abs_diff(i16::MIN))]).collect()
        }
    }
}

/// `Frames` holds what it says; should it not, there is nothing to see.
fn slice<T>(values: &[T], range: std::ops::Range<usize>) -> &[T] {
    values.get(range).unwrap_or_default()
}

/// Turns 0..1 around 0.5, raw values around the middle of those that occur.
fn invert(values: &mut [f32], look: &Look) {
    let sum = if look.voi == Voi::Identity {
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        low + high
    } else {
        1.0
    };
    for value in values {
        *value = sum - *value;
    }
}

impl std::fmt::Debug for Gray {
    /// The shape only: pixels are patient data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gray({}x{})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use dicom_core::value::DataSetSequence;
    use dicom_core::{DataElement, Length, PrimitiveValue, Tag, VR, dicom_value};
    use dicom_dictionary_std::{tags, uids};
    use dicom_object::{DefaultDicomObject, InMemDicomObject};

    use super::*;
    use crate::pixels::{decode, wrap};

    fn seen(object: &DefaultDicomObject) -> Vec<f32> {
        gray(&decode(object).unwrap(), 0, &Look::from_object(object)).values
    }

    fn image(
        photometric: &str,
        signed: bool,
        words: Vec<u16>,
        texts: &[(Tag, &str)],
        put: impl FnOnce(&mut InMemDicomObject),
    ) -> DefaultDicomObject {
        let shape = (1, u16::try_from(words.len()).unwrap(), 1, 16, 16, signed, photometric);
        wrap::object(shape, uids::EXPLICIT_VR_LITTLE_ENDIAN, |object| {
            for (tag, text) in texts {
                object.put(DataElement::new(*tag, VR::DS, PrimitiveValue::from(*text)));
            }
            object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(words.into())));
            put(object);
        })
    }

    fn close(got: &[f32], want: &[f32]) {
        assert!(got.len() == want.len() && got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-5), "{got:?} {want:?}");
    }

    #[test]
    fn raw_values_stay_and_monochrome1_turns_around() {
        close(&seen(&image("MONOCHROME2", false, vec![5, 7, 9], &[], |_| ())), &[5.0, 7.0, 9.0]);
        close(&seen(&image("MONOCHROME1", false, vec![5, 6, 9], &[], |_| ())), &[9.0, 8.0, 5.0]);
        close(
            &seen(&image(
                "MONOCHROME2",
                true,
                vec![0xFFFF, 1],
                &[(tags::RESCALE_SLOPE, "2"), (tags::RESCALE_INTERCEPT, "-10")],
                |_| (),
            )),
            &[-12.0, -8.0],
        );
    }

    #[test]
    fn windows_follow_the_formulas_of_the_standard() {
        let with = |function: &str| {
            let texts =
                [(tags::WINDOW_CENTER, "2048\\7"), (tags::WINDOW_WIDTH, "4096\\9"), (tags::VOILUT_FUNCTION, function)];
            seen(&image("MONOCHROME2", false, vec![0, 1024, 2048, 4095, 5000], &texts, |_| ()))
        };
        // The example of PS3.3 C.11.2.1.2.1: c = 2048, w = 4096 maps 0..4095 onto the whole range.
        close(&with("LINEAR"), &[0.0, 1024.0 / 4095.0, 2048.0 / 4095.0, 1.0, 1.0]);
        close(&with("LINEAR_EXACT"), &[0.0, 0.25, 0.5, 4095.0 / 4096.0, 1.0]);
        close(&with("SIGMOID"), &[0.119_203, 0.268_941, 0.5, 0.880_694, 0.946_990]);
    }

    #[test]
    fn inverse_and_monochrome1_are_one_inversion() {
        let texts =
            [(tags::WINDOW_CENTER, "50"), (tags::WINDOW_WIDTH, "101"), (tags::PRESENTATION_LUT_SHAPE, "INVERSE")];
        for photometric in ["MONOCHROME1", "MONOCHROME2"] {
            close(&seen(&image(photometric, false, vec![0, 25], &texts, |_| ())), &[0.995, 0.745]);
        }
    }

    #[test]
    fn tables_go_before_windows_and_clamp() {
        let item = InMemDicomObject::from_element_iter([
            DataElement::new(tags::LUT_DESCRIPTOR, VR::US, dicom_value!(U16, [4, 10, 8])),
            DataElement::new(tags::LUT_DATA, VR::US, dicom_value!(U16, [0, 51, 102, 255])),
        ]);
        let object = image(
            "MONOCHROME2",
            false,
            vec![0, 10, 11, 12, 99],
            &[(tags::WINDOW_CENTER, "1"), (tags::WINDOW_WIDTH, "9")],
            |o| {
                o.put(DataElement::new(
                    tags::VOILUT_SEQUENCE,
                    VR::SQ,
                    DataSetSequence::new(vec![item], Length::UNDEFINED),
                ));
            },
        );
        close(&seen(&object), &[0.0, 0.0, 0.2, 0.4, 1.0]);
    }

    #[test]
    fn colours_become_their_luminance() {
        let rgb =
            wrap::native((1, 2, 3, 8, 8, false, "RGB"), PrimitiveValue::U8(vec![255, 255, 255, 255, 0, 0].into()));
        close(&seen(&rgb), &[255.0, 76.245]);
        let palette = wrap::object((1, 2, 1, 8, 8, false, "PALETTE COLOR"), uids::EXPLICIT_VR_LITTLE_ENDIAN, |o| {
            for (descriptor, data) in [(0x1101, 0x1201), (0x1102, 0x1202), (0x1103, 0x1203)] {
                o.put(DataElement::new(Tag(0x28, descriptor), VR::US, dicom_value!(U16, [2, 0, 16])));
                o.put(DataElement::new(Tag(0x28, data), VR::OW, dicom_value!(U16, [0, 65535])));
            }
            o.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(vec![1, 0].into())));
        });
        close(&seen(&palette), &[255.0, 0.0]);
    }
}
