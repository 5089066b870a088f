//! What a broker's acknowledgement of a message says.

use std::fmt;

/// What an acknowledgement says (MQTT 5, 3.4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 0x00: the broker has it, and someone to give it to.
    Taken,
    /// 0x10: the broker had nobody to give it to and forgot it.
    NoSubscriber,
    /// 0x80 and above: the broker did not take it.
    Refused(u8),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, words) = match self {
            Self::Taken => (0x00, "taken"),
            Self::NoSubscriber => (0x10, "nobody subscribes"),
            Self::Refused(code) => match code {
                0x83 => (*code, "refused by the broker's own rule"),
                0x87 => (*code, "not authorised"),
                0x8F => (*code, "topic filter refused"),
                0x90 => (*code, "topic name refused"),
                0x91 => (*code, "packet id in use"),
                0x97 => (*code, "quota exceeded"),
                0x99 => (*code, "payload format refused"),
                _ => (*code, "refused without a reason"),
            },
        };
        write!(f, "{words} (0x{code:02x})")
    }
}
