//! Why a dataset's element headers cannot be trusted: what, which tag, which byte.

use std::io;

use dicom_core::Tag;

/// Why a dataset is refused. Offsets count from the dataset's first byte; no message
/// carries a value, so that none can carry patient data.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// The source could not be read: says nothing about the dataset.
    #[error("reading at byte {offset}: {source}")]
    Io {
        /// Where.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The enclosing scope ends inside an element header.
    #[error("the data ends inside an element header at byte {offset}")]
    Truncated {
        /// Where the header starts.
        offset: u64,
    },
    /// A length claims more bytes than its scope has.
    #[error("{tag} at byte {offset} claims {length} bytes where {remaining} remain")]
    TooLong {
        /// Which element.
        tag: Tag,
        /// Where its header starts.
        offset: u64,
        /// What it claims.
        length: u64,
        /// What is there.
        remaining: u64,
    },
    /// A value that no picture needs is larger than the bound.
    #[error("{tag} at byte {offset} has a value of {length} bytes, more than {limit}")]
    TooLarge {
        /// Which element.
        tag: Tag,
        /// Where its header starts.
        offset: u64,
        /// Its length in bytes.
        length: u64,
        /// The bound in bytes.
        limit: u64,
    },
    /// Sequences in sequences beyond any real file.
    #[error("{tag} at byte {offset} is nested deeper than {limit} levels")]
    TooDeep {
        /// Which element.
        tag: Tag,
        /// Where its header starts.
        offset: u64,
        /// The bound.
        limit: usize,
    },
    /// More elements and items than any real file.
    #[error("more than {limit} elements, at byte {offset}")]
    TooMany {
        /// Where the one too many starts.
        offset: u64,
        /// The bound.
        limit: u32,
    },
    /// Two bytes that are no value representation.
    #[error("{tag} at byte {offset} has no value representation")]
    Vr {
        /// Which element.
        tag: Tag,
        /// Where its header starts.
        offset: u64,
    },
    /// A tag that may not stand there, such as a stray delimiter.
    #[error("{tag} at byte {offset} may not stand there")]
    Misplaced {
        /// Which element.
        tag: Tag,
        /// Where its header starts.
        offset: u64,
    },
    /// An undefined length where the standard allows none.
    #[error("{tag} at byte {offset} may not have an undefined length")]
    Undefined {
        /// Which element.
        tag: Tag,
        /// Where its header starts.
        offset: u64,
    },
    /// A sequence, item or pixel data of undefined length is not closed.
    #[error("a scope of undefined length is not closed by byte {offset}")]
    Unclosed {
        /// Where its delimiter was looked for last.
        offset: u64,
    },
    /// An element that may occur once occurs again.
    #[error("{tag} at byte {offset} occurs twice")]
    Duplicate {
        /// Which element.
        tag: Tag,
        /// Where the second one starts.
        offset: u64,
    },
    /// A value that must be read is not of its type.
    #[error("{tag} at byte {offset} has a value that is not {expected}")]
    Value {
        /// Which element.
        tag: Tag,
        /// Where its header starts.
        offset: u64,
        /// What it should be.
        expected: &'static str,
    },
    /// An element without which the dataset says nothing.
    #[error("{tag} is missing")]
    Missing {
        /// Which element.
        tag: Tag,
    },
    /// An image of no pixels, or of more than any decoder should be asked for.
    #[error("{rows} rows of {columns} columns in {frames} frames is not 1 to {limit} pixels")]
    Pixels {
        /// Rows (0028,0010).
        rows: u16,
        /// Columns (0028,0011).
        columns: u16,
        /// Number of Frames (0028,0008).
        frames: u32,
        /// The bound.
        limit: u64,
    },
    /// Pixel data in fragments where the transfer syntax has none, or the other way round.
    #[error("pixel data is not {expected}, as its transfer syntax demands")]
    Encoding {
        /// How it should be there.
        expected: &'static str,
    },
    /// Native pixel data is not as long as the image description says.
    #[error("pixel data has {length} bytes where the image description says {expected}")]
    PixelLength {
        /// Length in bytes of (7FE0,0010).
        length: u64,
        /// rows · columns · samples · bits · frames / 8.
        expected: u128,
    },
}
