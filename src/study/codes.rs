//! Codes that say the view or the body part where the plain attribute is empty.
//!
//! Digital X-Ray images may say them only in View Code Sequence (0054,0220) and Anatomic
//! Region Sequence (0008,2218) (PS3.3 C.8.11.5, C.8.11.2). Only codes whose meaning was
//! checked, against the tables of pydicom 3.0.2, are in here.

/// SNOMED CT (PS3.16 8).
const SCT: &str = "SCT";
/// SNOMED-RT identifiers, which older devices write for the same concepts.
const SRT: &str = "SRT";

/// CID 4010 DX View, as far as frontal: scheme, code, View Position (0018,5101).
const VIEWS: [(&str, &str, &str); 4] =
    [(SCT, "399348003", "AP"), (SRT, "R-10206", "AP"), (SCT, "272479007", "PA"), (SRT, "R-40888", "PA")];

/// CID 4031 Common Anatomic Region: scheme, code, Body Part Examined (0018,0015). The
/// chest was 51185008, thoracic structure, before it was 816094009.
const REGIONS: [(&str, &str, &str); 3] =
    [(SCT, "816094009", "CHEST"), (SCT, "51185008", "CHEST"), (SRT, "T-D3000", "CHEST")];

/// The View Position that `code` of `scheme` stands for, where this table knows it.
pub(super) fn view(scheme: &str, code: &str) -> Option<&'static str> {
    meaning(&VIEWS, scheme, code)
}

/// The Body Part Examined that `code` of `scheme` stands for, where this table knows it.
pub(super) fn region(scheme: &str, code: &str) -> Option<&'static str> {
    meaning(&REGIONS, scheme, code)
}

fn meaning(table: &[(&str, &str, &'static str)], scheme: &str, code: &str) -> Option<&'static str> {
    table.iter().find(|(s, c, _)| *s == scheme && *c == code).map(|(_, _, meaning)| *meaning)
}
