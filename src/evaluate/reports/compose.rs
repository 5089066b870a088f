//! Who writes: the human, the baseline that always says normal, and our composers, each
//! from the experts' labels alone.

use super::Row;

/// What the baseline says of every image: the sentences that most human reports of a normal
/// chest consist of.
const ALWAYS_NORMAL: [&str; 2] = [
    "The heart is normal in size. The mediastinum is unremarkable. The lungs are clear. \
     There is no pleural effusion or pneumothorax.",
    "No acute cardiopulmonary abnormality.",
];

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composer {
    /// The human text itself: how well the labeler reads.
    Human,
    /// "Always the normal report".
    AlwaysNormal,
}

impl Composer {
    /// All, in the order of the report.
    pub const ALL: [Self; 2] = [Self::Human, Self::AlwaysNormal];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "human (the labeler's own figure)",
            Self::AlwaysNormal => "always normal",
        }
    }

    /// Whether it writes here, so that its time means something.
    #[must_use]
    pub const fn writes(self) -> bool {
        match self {
            Self::Human | Self::AlwaysNormal => false,
        }
    }

    /// Findings and Impression of a report with the labels of `row`.
    #[must_use]
    pub fn write(self, row: &Row) -> [String; 2] {
        match self {
            Self::Human => [row.findings.clone(), row.impression.clone()],
            Self::AlwaysNormal => ALWAYS_NORMAL.map(str::to_owned),
        }
    }
}
