//! What kind of image it is and whose, from the header's codes: closed lists, no text of it.

use serde::{Deserialize, Serialize};

use crate::study::{Age, Study};

/// What the header says of the image, as far as these lists know it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Image {
    pub kind: Option<Kind>,
    pub region: Option<Region>,
    pub view: Option<View>,
}

impl Image {
    /// Of the header `study`.
    #[must_use]
    pub fn of(study: &Study) -> Self {
        Self {
            kind: study.modality.as_deref().and_then(Kind::of),
            region: study.body_part.as_deref().and_then(Region::of),
            view: study.view.as_deref().and_then(View::of),
        }
    }
}

/// A closed list whose values are named in the language files as `<prefix>-<id>`, and
/// whose DICOM terms are read by `of`.
macro_rules! listed {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $id:literal : $($term:literal)|+),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum $name { $($variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Name in the language files.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),+ }
            }

            /// What a DICOM term means; `None` where the list does not know it.
            #[must_use]
            pub fn of(term: &str) -> Option<Self> {
                Some(match term { $($($term)|+ => Self::$variant,)+ _ => return None })
            }
        }
    };
}

listed! {
    /// Modality (0008,0060), PS3.3 C.7.3.1.1.1.
    Kind {
        Radiograph = "radiograph": "CR" | "DX" | "RG",
        Ultrasound = "ultrasound": "US",
        Mammogram = "mammogram": "MG",
        Ct = "ct": "CT",
        Mr = "mr": "MR",
    }
}

listed! {
    /// Body Part Examined (0018,0015), PS3.16 annex L.
    Region {
        Chest = "chest": "CHEST" | "THORAX",
        Lung = "lung": "LUNG",
        Heart = "heart": "HEART",
        Abdomen = "abdomen": "ABDOMEN",
        Pelvis = "pelvis": "PELVIS",
        Breast = "breast": "BREAST",
        Head = "head": "SKULL" | "HEAD",
        Spine = "spine": "CSPINE" | "TSPINE" | "LSPINE" | "SPINE",
        Hand = "hand": "HAND",
        Wrist = "wrist": "WRIST",
        Knee = "knee": "KNEE",
        Ankle = "ankle": "ANKLE",
        Foot = "foot": "FOOT",
        Hip = "hip": "HIP",
        Shoulder = "shoulder": "SHOULDER",
        Elbow = "elbow": "ELBOW",
    }
}

listed! {
    /// View Position (0018,5101), PS3.3 C.8.7.1.1.5.
    View {
        Pa = "pa": "PA",
        Ap = "ap": "AP",
        LeftLateral = "left-lateral": "LL",
        RightLateral = "right-lateral": "RL",
        Lateral = "lateral": "LAT" | "LATERAL",
        RightDecubitus = "right-decubitus": "RLD",
        LeftDecubitus = "left-decubitus": "LLD",
        RightOblique = "right-oblique": "RLO",
        LeftOblique = "left-oblique": "LLO",
    }
}

/// A patient's age at the acquisition, in bands too wide to tell people apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgeBand {
    /// Under 1 year.
    Infant,
    /// 1 to 11 years.
    Child,
    /// 12 to 17 years.
    Adolescent,
    /// 18 to 64 years.
    Adult,
    /// From 65 years.
    Older,
}

impl AgeBand {
    /// The band of `age`; `None` where the header does not say, or contradicts itself.
    #[must_use]
    pub fn of(age: Age) -> Option<Self> {
        Some(match age.years()? {
            years if years < 1.0 => Self::Infant,
            years if years < 12.0 => Self::Child,
            years if years < 18.0 => Self::Adolescent,
            years if years < 65.0 => Self::Adult,
            _ => Self::Older,
        })
    }
}
