//! `Study`: the header of an image as types, for routing, words and references.
//!
//! Made by the reader from a validated instance. Patient identifiers are in here,
//! so `Debug` is written by hand and shows none of them.

mod age;
mod codes;
mod header;

pub use age::Age;
pub use header::StudyError;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::instance::Instance;
use crate::instance::uid::Uid;

/// Most texts of an order that are kept: five attributes, in the data set and in two requests.
pub const MAX_ORDER_TEXTS: usize = 15;

/// What the header says of an image, as far as reading and reporting need it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// SOP Class UID (0008,0016).
    pub sop_class_uid: Uid,
    /// SOP Instance UID (0008,0018).
    pub sop_instance_uid: Uid,
    /// Study Instance UID (0020,000D).
    pub study_instance_uid: Option<Uid>,
    /// Series Instance UID (0020,000E).
    pub series_instance_uid: Option<Uid>,
    /// Accession Number (0008,0050).
    pub accession_number: Option<String>,
    /// Patient ID (0010,0020).
    pub patient_id: Option<String>,
    /// Issuer of Patient ID (0010,0021): whose number that is.
    #[serde(default)]
    pub patient_id_issuer: Option<String>,
    /// Modality (0008,0060), upper case: `DX`, `CR`, `US`, …
    pub modality: Option<String>,
    /// Body Part Examined (0018,0015), upper case; where empty, what Anatomic Region
    /// Sequence (0008,2218) says in a code that is known here.
    pub body_part: Option<String>,
    /// View Position (0018,5101), upper case: `PA`, `AP`, `LL`, …; where empty, what View
    /// Code Sequence (0054,0220) says in a code that is known here.
    pub view: Option<String>,
    /// Age at the acquisition, from Patient's Age (0010,1010), else from Patient's Birth
    /// Date (0010,0030) and Study Date (0008,0020), which must not contradict each other.
    pub age: Age,
    /// Patient's Sex (0010,0040).
    pub sex: Option<Sex>,
    /// Study Description (0008,1030).
    pub study_description: Option<String>,
    /// What the order says, for recognising what it asks about and for nothing else: Reason
    /// for Study (0032,1002), Reason for the Requested Procedure (0040,1002), Requested
    /// Procedure Description (0032,1060), Performed Procedure Step Description (0040,0254)
    /// and Study Description (0008,1030), from the data set and Request Attributes
    /// Sequence (0040,0275); at most [`MAX_ORDER_TEXTS`].
    #[serde(default)]
    pub order: Vec<String>,
    /// Manufacturer (0008,0070).
    pub manufacturer: Option<String>,
    /// Study date and time as FHIR `dateTime`: `2026-11-23`, with the time where the
    /// header states its zone, from Study Date (0008,0020), Study Time (0008,0030) and
    /// Timezone Offset From UTC (0008,0201).
    pub started: Option<String>,
    /// Whose image this is: a patient's, or a test object's
    /// (Quality Control Image (0028,0300) is `YES`).
    pub subject: Subject,
}

/// Patient's Sex (0010,0040).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sex {
    /// `F`
    Female,
    /// `M`
    Male,
    /// `O`
    Other,
}

/// Whom the image shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A patient.
    Patient,
    /// A phantom or other test object: never reported as a patient's.
    TestObject,
}

impl Study {
    /// What is known of a test object's image that nobody could read.
    #[must_use]
    pub fn of_test_object(instance: &Instance) -> Self {
        Self {
            sop_class_uid: instance.sop_class_uid.clone(),
            sop_instance_uid: instance.sop_instance_uid.clone(),
            study_instance_uid: None,
            series_instance_uid: None,
            accession_number: None,
            patient_id: None,
            patient_id_issuer: None,
            modality: None,
            body_part: None,
            view: None,
            age: Age::Unknown,
            sex: None,
            study_description: None,
            order: Vec::new(),
            manufacturer: None,
            started: None,
            subject: Subject::TestObject,
        }
    }
}

impl fmt::Debug for Study {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Study")
            .field("modality", &self.modality)
            .field("body_part", &self.body_part)
            .field("view", &self.view)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}
