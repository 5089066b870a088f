//! Why an image is not fit to be read, each reason with what a technologist does about it.

use serde::{Deserialize, Serialize};

/// Why an image is not fit to be read. The words complete "Not read, because …", no full stop:
/// what is wrong, then what to do. In other languages they stand in the language files as
/// `unfit-…` under the same code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Unfit {
    /// A side is shorter than 128 pixels.
    #[error("the image is smaller than 128 pixels on a side: send it in full size")]
    TooSmall,
    /// One side is more than three times the other.
    #[error("the image is more than three times as long as it is wide: send the image of the chest alone")]
    Elongated,
    /// Nearly all pixels are alike.
    #[error("the image is blank: check that the beam reached the detector, and repeat")]
    Blank,
    /// Too many pixels at an end of the scale.
    #[error(
        "most of the image is over- or underexposed to the end of the scale: check exposure and window, and repeat"
    )]
    Saturated,
    /// Neighbouring pixels have nothing to do with each other.
    #[error("the image holds only noise: check exposure and detector, and repeat")]
    Noise,
    /// Another part, another modality, another picture: nothing like what the network learned as a chest.
    #[error("this does not look like a frontal chest radiograph: check which image was sent, and its header")]
    NotAChest,
    /// Turned by 180 degrees.
    #[error("the image is upside down: turn it by 180 degrees, and send it again")]
    UpsideDown,
    /// Turned by 90 degrees counter-clockwise.
    #[error("the image lies on its side, turned to the left: turn it to the right by 90 degrees, and send it again")]
    TurnedLeft,
    /// Turned by 90 degrees clockwise.
    #[error("the image lies on its side, turned to the right: turn it to the left by 90 degrees, and send it again")]
    TurnedRight,
    /// Left and right are exchanged.
    #[error("the image looks mirrored: check the side marker, and send it again the right way round")]
    Mirrored,
    /// Black and white are exchanged.
    #[error("black and white are exchanged: correct the polarity, and send it again")]
    Inverted,
    /// The lower ends of the lungs are outside.
    #[error("both lung bases are cut off: repeat with the detector lower")]
    BasesCutOff,
    /// The upper ends of the lungs are outside.
    #[error("both lung apices are cut off: repeat with the detector higher")]
    ApicesCutOff,
    /// The outer part of one lung is outside.
    #[error("one side of the chest is cut off: repeat with the patient centred on the detector")]
    SideCutOff,
    /// Blurred along a line, as by motion.
    #[error("the image is blurred, as by motion: repeat while patient and breath are held still")]
    Blurred,
}

impl Unfit {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::TooSmall,
        Self::Elongated,
        Self::Blank,
        Self::Saturated,
        Self::Noise,
        Self::NotAChest,
        Self::UpsideDown,
        Self::TurnedLeft,
        Self::TurnedRight,
        Self::Mirrored,
        Self::Inverted,
        Self::BasesCutOff,
        Self::ApicesCutOff,
        Self::SideCutOff,
        Self::Blurred,
    ];

    /// For machines, kebab-case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooSmall => "too-small",
            Self::Elongated => "elongated",
            Self::Blank => "blank",
            Self::Saturated => "saturated",
            Self::Noise => "noise",
            Self::NotAChest => "not-a-chest",
            Self::UpsideDown => "upside-down",
            Self::TurnedLeft => "turned-left",
            Self::TurnedRight => "turned-right",
            Self::Mirrored => "mirrored",
            Self::Inverted => "inverted",
            Self::BasesCutOff => "bases-cut-off",
            Self::ApicesCutOff => "apices-cut-off",
            Self::SideCutOff => "side-cut-off",
            Self::Blurred => "blurred",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_what_manifests_and_outcomes_are_written_with() {
        for unfit in Unfit::ALL {
            assert_eq!(serde_json::to_value(unfit).unwrap(), unfit.code());
            assert!(!unfit.to_string().ends_with('.') && !unfit.to_string().contains(['"', ';']));
        }
    }
}
