//! Command sets (PS3.7 6.3 and annex E): implicit little endian, group 0000, no sequences.

use dicom_core::Tag;

use super::limits::MAX_COMMAND_BYTES;
use crate::instance::uid::Uid;

/// C-STORE-RQ (PS3.7 9.3.1.1).
pub const C_STORE_RQ: u16 = 0x0001;
/// C-ECHO-RQ (PS3.7 9.3.5.1).
pub const C_ECHO_RQ: u16 = 0x0030;
/// C-CANCEL-RQ (PS3.7 9.3.2.3): has no response.
pub const C_CANCEL_RQ: u16 = 0x0FFF;
/// The bit that makes a response of a request (PS3.7 E.1).
pub const RESPONSE: u16 = 0x8000;

/// Success (PS3.7 C.1.1).
pub const SUCCESS: u16 = 0x0000;
/// Processing failure (PS3.7 C.5.11).
pub const PROCESSING_FAILURE: u16 = 0x0110;
/// Duplicate SOP instance (PS3.7 C.5.5).
pub const DUPLICATE_SOP_INSTANCE: u16 = 0x0111;
/// Invalid SOP instance: its UID is none (PS3.7 C.5.16).
pub const INVALID_SOP_INSTANCE: u16 = 0x0117;
/// SOP class not supported in this context (PS3.7 C.5.20).
pub const SOP_CLASS_NOT_SUPPORTED: u16 = 0x0122;
/// Unrecognised operation (PS3.7 C.5.23).
pub const UNRECOGNISED_OPERATION: u16 = 0x0211;
/// Out of resources: try later (PS3.4 table B.2-1).
pub const OUT_OF_RESOURCES: u16 = 0xA700;
/// Dataset is not of the command's SOP class and instance (PS3.4 table B.2-1).
pub const DATASET_MISMATCH: u16 = 0xA900;
/// Cannot understand: never will (PS3.4 table B.2-1).
pub const CANNOT_UNDERSTAND: u16 = 0xC000;

/// The value of (0000,0800) that says that no dataset follows (PS3.7 E.1).
const NO_DATASET: u16 = 0x0101;
/// Longest Error Comment (0000,0902), an LO.
const MAX_COMMENT_BYTES: usize = 64;

const GROUP_LENGTH: Tag = Tag(0, 0x0000);
const AFFECTED_SOP_CLASS_UID: Tag = Tag(0, 0x0002);
const COMMAND_FIELD: Tag = Tag(0, 0x0100);
const MESSAGE_ID: Tag = Tag(0, 0x0110);
const MESSAGE_ID_RESPONDED_TO: Tag = Tag(0, 0x0120);
const COMMAND_DATA_SET_TYPE: Tag = Tag(0, 0x0800);
const STATUS: Tag = Tag(0, 0x0900);
const ERROR_COMMENT: Tag = Tag(0, 0x0902);
const AFFECTED_SOP_INSTANCE_UID: Tag = Tag(0, 0x1000);

/// What a peer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub field: u16,
    pub message_id: u16,
    pub has_dataset: bool,
    /// `None` where absent or not a UID.
    pub sop_class_uid: Option<Uid>,
    /// `None` where absent or not a UID.
    pub sop_instance_uid: Option<Uid>,
}

/// Bytes that are no command set.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum NotACommand {
    #[error("command set is longer than {MAX_COMMAND_BYTES} bytes")]
    TooLong,
    #[error("command set ends inside an element, at byte {0}")]
    Truncated(usize),
    #[error("command set has {0}, which is of another group or occurs twice")]
    Misplaced(Tag),
    #[error("command set has {0} with a value that is not one 16-bit number")]
    Value(Tag),
    #[error("command set has a group length that is not its length")]
    GroupLength,
    #[error("command set lacks {0}")]
    Missing(Tag),
}

impl Command {
    /// Reads a whole command set.
    ///
    /// # Errors
    /// It is not one, or lacks what every request has.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotACommand> {
        if bytes.len() > MAX_COMMAND_BYTES {
            return Err(NotACommand::TooLong);
        }
        let [mut field, mut message_id, mut data_set_type] = [None; 3];
        let [mut sop_class_uid, mut sop_instance_uid] = [None, None];
        let mut rest = bytes;
        let mut last = None;
        while !rest.is_empty() {
            let (tag, value, after) = element(rest).ok_or(NotACommand::Truncated(bytes.len() - rest.len()))?;
            // Ascending order (PS3.7 6.3.1) makes each occur once.
            if tag.group() != 0 || last >= Some(tag) {
                return Err(NotACommand::Misplaced(tag));
            }
            let number = || value.try_into().map(u16::from_le_bytes).map(Some).map_err(|_| NotACommand::Value(tag));
            let uid = || std::str::from_utf8(value).ok().and_then(|text| text.parse::<Uid>().ok());
            match tag {
                // Some leave it out, which harms nobody; a false one is a lie about where this ends.
                GROUP_LENGTH if value != length(after.len()).to_le_bytes() => {
                    return Err(NotACommand::GroupLength);
                }
                COMMAND_FIELD => field = number()?,
                MESSAGE_ID => message_id = number()?,
                COMMAND_DATA_SET_TYPE => data_set_type = number()?,
                AFFECTED_SOP_CLASS_UID => sop_class_uid = uid(),
                AFFECTED_SOP_INSTANCE_UID => sop_instance_uid = uid(),
                _ => {}
            }
            (last, rest) = (Some(tag), after);
        }
        let field = field.ok_or(NotACommand::Missing(COMMAND_FIELD))?;
        // C-CANCEL and responses name another message instead.
        let names_itself = field != C_CANCEL_RQ && field & RESPONSE == 0;
        Ok(Self {
            field,
            message_id: message_id.or((!names_itself).then_some(0)).ok_or(NotACommand::Missing(MESSAGE_ID))?,
            has_dataset: data_set_type.ok_or(NotACommand::Missing(COMMAND_DATA_SET_TYPE))? != NO_DATASET,
            sop_class_uid,
            sop_instance_uid,
        })
    }

    /// The response to this request, as bytes of a command set.
    pub fn response(&self, status: u16, comment: &str) -> Vec<u8> {
        let mut body = Vec::new();
        if let Some(uid) = &self.sop_class_uid {
            put(&mut body, AFFECTED_SOP_CLASS_UID, uid.as_str().as_bytes(), 0);
        }
        put(&mut body, COMMAND_FIELD, &(self.field | RESPONSE).to_le_bytes(), 0);
        put(&mut body, MESSAGE_ID_RESPONDED_TO, &self.message_id.to_le_bytes(), 0);
        put(&mut body, COMMAND_DATA_SET_TYPE, &NO_DATASET.to_le_bytes(), 0);
        put(&mut body, STATUS, &status.to_le_bytes(), 0);
        if !comment.is_empty() {
            let plain: Vec<u8> =
                comment.bytes().filter(|b| (b' '..=b'~').contains(b) && *b != b'\\').take(MAX_COMMENT_BYTES).collect();
            put(&mut body, ERROR_COMMENT, &plain, b' ');
        }
        if let Some(uid) = &self.sop_instance_uid {
            put(&mut body, AFFECTED_SOP_INSTANCE_UID, uid.as_str().as_bytes(), 0);
        }
        let mut bytes = Vec::new();
        put(&mut bytes, GROUP_LENGTH, &length(body.len()).to_le_bytes(), 0);
        bytes.extend(body);
        bytes
    }
}

/// Splits the first element off: its tag, its value, what follows.
fn element(bytes: &[u8]) -> Option<(Tag, &[u8], &[u8])> {
    let (&[g0, g1, e0, e1, l0, l1, l2, l3], rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?;
    let (value, after) = rest.split_at_checked(length)?;
    Some((Tag(u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1])), value, after))
}

/// Appends one element, padded to even length.
fn put(bytes: &mut Vec<u8>, tag: Tag, value: &[u8], padding: u8) {
    let odd = value.len() % 2;
    bytes.extend(tag.group().to_le_bytes());
    bytes.extend(tag.element().to_le_bytes());
    bytes.extend(length(value.len() + odd).to_le_bytes());
    bytes.extend(value);
    bytes.extend(std::iter::repeat_n(padding, odd));
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a command set is some kilobytes long")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn store() -> Command {
        let [class, instance] = ["1.2.840.10008.5.1.4.1.1.7", "1.2.3"].map(|uid| uid.parse().ok());
        Command {
            field: C_STORE_RQ,
            message_id: 7,
            has_dataset: false,
            sop_class_uid: class,
            sop_instance_uid: instance,
        }
    }

    #[test]
    fn a_response_is_a_command_set_that_echoes_the_request() {
        let bytes = store().response(CANNOT_UNDERSTAND, "why\\not");
        let read = Command::parse(&bytes).unwrap();
        assert_eq!(read.field, 0x8001);
        assert_eq!((read.sop_class_uid, read.sop_instance_uid), (store().sop_class_uid, store().sop_instance_uid));
        assert!(bytes.windows(6).any(|w| w == b"whynot"));
        assert_eq!(u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize, bytes.len() - 12);
    }

    #[test]
    fn a_comment_is_cut_to_what_the_element_may_hold() {
        let bytes = store().response(CANNOT_UNDERSTAND, &"x".repeat(500));
        assert_eq!(String::from_utf8_lossy(&bytes).matches('x').count(), MAX_COMMENT_BYTES);
    }

    #[test]
    fn a_request_without_an_id_a_foreign_group_and_a_lying_length_are_refused() {
        let mut bytes = Vec::new();
        put(&mut bytes, COMMAND_FIELD, &C_STORE_RQ.to_le_bytes(), 0);
        assert_eq!(Command::parse(&bytes), Err(NotACommand::Missing(MESSAGE_ID)));
        put(&mut bytes, Tag(8, 0x18), b"1.2", 0);
        assert_eq!(Command::parse(&bytes), Err(NotACommand::Misplaced(Tag(8, 0x18))));
        assert_eq!(Command::parse(&[0, 0, 0, 1, 255, 255, 255, 127, 0]), Err(NotACommand::Truncated(0)));
        assert_eq!(Command::parse(&[0; MAX_COMMAND_BYTES + 1]), Err(NotACommand::TooLong));
        let mut lie = store().response(SUCCESS, "");
        lie[8] += 2;
        assert_eq!(Command::parse(&lie), Err(NotACommand::GroupLength));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = Command::parse(&bytes);
        }
    }
}
