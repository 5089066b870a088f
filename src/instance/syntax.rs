//! How a transfer syntax lays out element headers (PS3.5 7.1 and annex A).

use super::uid::Uid;

/// Layout of element headers and byte order of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// No VR in the header, little endian: the default syntax (PS3.5 A.1).
    ImplicitLe,
    /// VR in the header, little endian: all others, compressed ones included.
    ExplicitLe,
    /// VR in the header, big endian: retired, still sent by old ultrasound carts.
    ExplicitBe,
}

/// Implicit VR Little Endian.
pub const IMPLICIT_LE: &str = "1.2.840.10008.1.2";
/// Explicit VR Little Endian.
pub const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
/// Explicit VR Big Endian.
pub const EXPLICIT_BE: &str = "1.2.840.10008.1.2.2";
/// Syntaxes whose whole dataset is deflated: its size after inflating has no bound.
const DEFLATED: [&str; 3] = ["1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"];

impl Syntax {
    /// The layout under a transfer syntax; a private or unknown one is taken for
    /// explicit little endian, as PS3.5 A.4 demands of all encapsulated ones.
    /// `None` for a deflated dataset.
    #[must_use]
    pub fn of(transfer_syntax: &Uid) -> Option<Self> {
        match transfer_syntax.as_str() {
            IMPLICIT_LE => Some(Self::ImplicitLe),
            EXPLICIT_BE => Some(Self::ExplicitBe),
            deflated if DEFLATED.contains(&deflated) => None,
            _ => Some(Self::ExplicitLe),
        }
    }

    /// Two bytes as a number in this byte order.
    #[must_use]
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        if self == Self::ExplicitBe { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    /// Four bytes as a number in this byte order.
    #[must_use]
    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        if self == Self::ExplicitBe { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}
