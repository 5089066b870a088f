//! `Look`: how the header wants stored values to be seen (PS3.3 C.11, C.8.11.3).

use dicom_core::Tag;
use dicom_core::value::Value;
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject};

use super::lut::Lut;

/// The grayscale pipeline of one image: modality, values of interest, presentation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Look {
    pub(super) modality: Modality,
    pub(super) voi: Voi,
    /// Presentation LUT Shape (2050,0020) is INVERSE.
    pub(super) inverse: bool,
    /// Red, green and blue of PALETTE COLOR.
    pub(super) palette: Option<[Lut; 3]>,
}

/// Modality LUT (PS3.3 C.11.1).
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Modality {
    #[default]
    Identity,
    Linear {
        slope: f64,
        intercept: f64,
    },
    Table(Lut),
}

/// VOI LUT (PS3.3 C.11.2).
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Voi {
    #[default]
    Identity,
    Window {
        center: f64,
        /// More than 1 for `Linear`, more than 0 else.
        width: f64,
        function: Function,
    },
    Table(Lut),
}

/// VOI LUT Function (0028,1056).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Linear,
    LinearExact,
    Sigmoid,
}

impl Look {
    /// Reads the first transformation of each kind at the top level of `object`; what is
    /// missing or wrong is the identity.
    #[must_use]
    pub fn from_object(object: &DefaultDicomObject) -> Self {
        let modality = modality(object);
        let signed = word(object, tags::PIXEL_REPRESENTATION).as_deref() == Some("1")
            || matches!(modality, Modality::Linear { intercept, .. } if intercept < 0.0);
        Self {
            voi: voi(object, signed),
            modality,
            inverse: word(object, tags::PRESENTATION_LUT_SHAPE).as_deref() == Some("INVERSE"),
            palette: palette(object, signed),
        }
    }
}

fn modality(object: &InMemDicomObject) -> Modality {
    if let Some(lut) = sequence_lut(object, tags::MODALITY_LUT_SEQUENCE, false) {
        return Modality::Table(lut);
    }
    let slope = number(object, tags::RESCALE_SLOPE).filter(|slope| *slope != 0.0).unwrap_or(1.0);
    let intercept = number(object, tags::RESCALE_INTERCEPT).unwrap_or(0.0);
    if (slope, intercept) == (1.0, 0.0) { Modality::Identity } else { Modality::Linear { slope, intercept } }
}

fn voi(object: &InMemDicomObject, signed: bool) -> Voi {
    if let Some(lut) = sequence_lut(object, tags::VOILUT_SEQUENCE, signed) {
        return Voi::Table(lut);
    }
    let function = match word(object, tags::VOILUT_FUNCTION).as_deref() {
        Some("LINEAR_EXACT") => Function::LinearExact,
        Some("SIGMOID") => Function::Sigmoid,
        _ => Function::Linear,
    };
    // Width 1 of LINEAR is a legal threshold (C.11.2.1.2.1), but shows no image.
    let least = if function == Function::Linear { 1.0 } else { 0.0 };
    match (number(object, tags::WINDOW_CENTER), number(object, tags::WINDOW_WIDTH)) {
        (Some(center), Some(width)) if width > least => Voi::Window { center, width, function },
        _ => Voi::Identity,
    }
}

fn palette(object: &InMemDicomObject, signed: bool) -> Option<[Lut; 3]> {
    let read = |descriptor, data| Lut::read(object, descriptor, data, signed);
    Some([
        read(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA)?,
        read(tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA)?,
        read(tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA)?,
    ])
}

fn sequence_lut(object: &InMemDicomObject, sequence: Tag, signed: bool) -> Option<Lut> {
    let Value::Sequence(items) = object.get(sequence)?.value() else { return None };
    Lut::read(items.items().first()?, tags::LUT_DESCRIPTOR, tags::LUT_DATA, signed)
}

/// The first value of a decimal string, where it is a finite number.
fn number(object: &InMemDicomObject, tag: Tag) -> Option<f64> {
    let value = object.get(tag)?.to_str().ok()?;
    value.split('\\').next()?.trim().parse::<f64>().ok().filter(|value| value.is_finite())
}

fn word(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let value = object.get(tag)?.to_str().ok()?;
    Some(value.split('\\').next()?.trim().to_uppercase())
}
