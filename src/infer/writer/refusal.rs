//! Why a writer's text is not used. Each reason has a code that is counted and sealed; the report
//! is the grammar's then.

use serde::{Deserialize, Serialize};

use crate::infer::model::ModelError;

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The fact sheet is of a format that came after the writer.
    #[error("the fact sheet has format {found}, the writer knows {known}")]
    SheetFormat {
        /// Of the sheet.
        found: u32,
        /// Newest that the writer knows.
        known: u32,
    },
    /// The writer looks at the image, and none was read.
    #[error("the writer needs the image of the reading, and there is none")]
    NoImage,
    /// The decoder repeats itself.
    #[error("the decoder repeats itself")]
    Looped,
    /// The decoder ended at once.
    #[error("the decoder wrote nothing")]
    Empty,
    /// No end within the limit.
    #[error("the text did not end within {0} tokens")]
    TooLong(usize),
    /// The decoder insists on words that the sheet forbids.
    #[error("the decoder insists on words that the fact sheet forbids")]
    Forbidden,
    /// What came out is no text.
    #[error("the tokens are no text: {0}")]
    Garbled(String),
    /// Too slow.
    #[error("the text was not written in time")]
    OutOfTime,
    /// A graph failed.
    #[error(transparent)]
    Model(ModelError),
}

/// The code of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in Refusal")]
pub enum RefusalCode {
    SheetFormat,
    NoImage,
    Looped,
    Empty,
    TooLong,
    Forbidden,
    Garbled,
    OutOfTime,
    Model,
}

impl Refusal {
    /// Its code.
    #[must_use]
    pub const fn code(&self) -> RefusalCode {
        match self {
            Self::SheetFormat { .. } => RefusalCode::SheetFormat,
            Self::NoImage => RefusalCode::NoImage,
            Self::Looped => RefusalCode::Looped,
            Self::Empty => RefusalCode::Empty,
            Self::TooLong(_) => RefusalCode::TooLong,
            Self::Forbidden => RefusalCode::Forbidden,
            Self::Garbled(_) => RefusalCode::Garbled,
            Self::OutOfTime => RefusalCode::OutOfTime,
            Self::Model(_) => RefusalCode::Model,
        }
    }
}
