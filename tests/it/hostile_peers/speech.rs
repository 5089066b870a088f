//! What DICOM peers say, byte by byte, so that any byte can be a lie (PS3.8 9.3, PS3.7 6.3).

pub const DX: &str = "1.2.840.10008.5.1.4.1.1.1.1";
pub const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";
pub const VERIFICATION: &str = "1.2.840.10008.1.1";
pub const IMPLICIT_LE: &str = "1.2.840.10008.1.2";
pub const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
pub const EXPLICIT_BE: &str = "1.2.840.10008.1.2.2";
pub const JPEG_BASELINE: &str = "1.2.840.10008.1.2.4.50";
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// Contexts of the request that [`Request::new`] makes.
pub const IN_EXPLICIT: u8 = 1;
pub const ECHO: u8 = 3;
pub const IN_IMPLICIT: u8 = 5;
pub const IN_JPEG: u8 = 7;
pub const IN_BIG_ENDIAN: u8 = 9;

/// Message control header (PS3.8 E.2): command or data, last or not.
pub const COMMAND: u8 = 3;
pub const COMMAND_MORE: u8 = 1;
pub const DATA: u8 = 2;
pub const DATA_MORE: u8 = 0;

pub const C_STORE: u16 = 0x0001;
pub const C_ECHO: u16 = 0x0030;

fn be16(n: usize) -> [u8; 2] {
    u16::try_from(n).unwrap().to_be_bytes()
}

fn be32(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap().to_be_bytes()
}

/// A PDU of `kind` that claims `length` bytes.
pub fn pdu_claiming(kind: u8, length: u32, body: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &length.to_be_bytes(), body].concat()
}

pub fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &be32(body.len()), body].concat()
}

/// An item of an association request (PS3.8 9.3.2).
pub fn item(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &be16(body.len()), body].concat()
}

pub fn release() -> Vec<u8> {
    pdu(5, &[0; 4])
}

pub fn abort() -> Vec<u8> {
    pdu(7, &[0; 4])
}

/// An A-ASSOCIATE-RQ whose every field can be another.
#[derive(Clone)]
pub struct Request {
    pub version: u16,
    pub called: Vec<u8>,
    pub calling: Vec<u8>,
    pub application: Vec<u8>,
    pub contexts: Vec<Vec<u8>>,
    pub user: Vec<u8>,
}

/// A presentation context item.
pub fn context(id: u8, class: &[u8], syntaxes: &[&[u8]]) -> Vec<u8> {
    let syntaxes: Vec<u8> = syntaxes.iter().flat_map(|syntax| item(0x40, syntax)).collect();
    item(0x20, &[&[id, 0, 0, 0][..], &item(0x30, class), &syntaxes].concat())
}

fn padded(title: &[u8]) -> Vec<u8> {
    let mut title = title.to_vec();
    title.resize(16, b' ');
    title
}

impl Request {
    /// One that is as it should be.
    pub fn new() -> Self {
        let contexts = [
            (IN_EXPLICIT, DX, EXPLICIT_LE),
            (ECHO, VERIFICATION, IMPLICIT_LE),
            (IN_IMPLICIT, DX, IMPLICIT_LE),
            (IN_JPEG, DX, JPEG_BASELINE),
            (IN_BIG_ENDIAN, DX, EXPLICIT_BE),
        ];
        Self {
            version: 1,
            called: padded(b"RESIDENTD"),
            calling: padded(b"CART7"),
            application: b"1.2.840.10008.3.1.1.1".to_vec(),
            contexts: contexts.map(|(id, class, syntax)| context(id, class.as_bytes(), &[syntax.as_bytes()])).to_vec(),
            user: [item(0x51, &[0, 0, 64, 0]), item(0x52, b"1.2.3")].concat(),
        }
    }

    pub fn called(mut self, title: &[u8]) -> Self {
        self.called = padded(title);
        self
    }

    pub fn calling(mut self, title: &[u8]) -> Self {
        self.calling = padded(title);
        self
    }

    pub fn contexts(mut self, contexts: Vec<Vec<u8>>) -> Self {
        self.contexts = contexts;
        self
    }

    pub fn body(&self) -> Vec<u8> {
        [
            &self.version.to_be_bytes()[..],
            &[0, 0],
            &self.called,
            &self.calling,
            &[0; 32],
            &item(0x10, &self.application),
            &self.contexts.concat(),
            &item(0x50, &self.user),
        ]
        .concat()
    }

    pub fn bytes(&self) -> Vec<u8> {
        pdu(1, &self.body())
    }
}

/// A presentation data value that claims `length` bytes.
pub fn pdv_claiming(context: u8, header: u8, length: u32, data: &[u8]) -> Vec<u8> {
    [&length.to_be_bytes()[..], &[context, header], data].concat()
}

pub fn pdv(context: u8, header: u8, data: &[u8]) -> Vec<u8> {
    [&be32(data.len() + 2)[..], &[context, header], data].concat()
}

/// One P-DATA-TF with one value.
pub fn p_data(context: u8, header: u8, data: &[u8]) -> Vec<u8> {
    pdu(4, &pdv(context, header, data))
}

/// One element in implicit little endian, of group 0000 as of any other.
pub fn implicit(group: u16, element: u16, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap().to_le_bytes();
    [&group.to_le_bytes()[..], &element.to_le_bytes(), &length, value].concat()
}

/// A UID padded to even length.
pub fn uid(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

/// A command set of these elements, its group length first.
pub fn command_of(elements: &[Vec<u8>]) -> Vec<u8> {
    let body = elements.concat();
    [implicit(0, 0, &u32::try_from(body.len()).unwrap().to_le_bytes()), body].concat()
}

/// The elements of a request, to be kept or not.
pub fn elements(field: u16, class: &str, instance: Option<&[u8]>, dataset: bool) -> Vec<Vec<u8>> {
    let number = |element, n: u16| implicit(0, element, &n.to_le_bytes());
    let mut all = vec![
        implicit(0, 0x0002, &uid(class)),
        number(0x0100, field),
        number(0x0110, 9),
        number(0x0800, if dataset { 1 } else { 0x0101 }),
    ];
    all.extend(instance.map(|instance| implicit(0, 0x1000, instance)));
    all
}

pub fn store_command(instance: &str) -> Vec<u8> {
    command_of(&elements(C_STORE, DX, Some(&uid(instance)), true))
}

pub fn echo_command() -> Vec<u8> {
    command_of(&elements(C_ECHO, VERIFICATION, None, false))
}

/// C-STORE of `dataset`, each part in one PDU as far as it fits.
pub fn store(context: u8, instance: &str, dataset: &[u8]) -> Vec<u8> {
    let mut bytes = p_data(context, COMMAND, &store_command(instance));
    let mut chunks = dataset.chunks(32 * 1024).peekable();
    if dataset.is_empty() {
        bytes.extend(p_data(context, DATA, &[]));
    }
    while let Some(chunk) = chunks.next() {
        bytes.extend(p_data(context, if chunks.peek().is_some() { DATA_MORE } else { DATA }, chunk));
    }
    bytes
}

/// The statuses of the responses, and how the conversation went, in PDU types.
pub fn responses(mut bytes: &[u8]) -> (Vec<u8>, Vec<(u16, u16)>) {
    let (mut kinds, mut statuses) = (Vec::new(), Vec::new());
    while let Some((head, rest)) = bytes.split_first_chunk::<6>() {
        let length = u32::from_be_bytes([head[2], head[3], head[4], head[5]]) as usize;
        let Some((body, after)) = rest.split_at_checked(length) else { break };
        kinds.push(head[0]);
        if head[0] == 4 {
            statuses.extend(status(&body[6..]));
        }
        bytes = after;
    }
    (kinds, statuses)
}

/// Command field and status of a response's command set.
fn status(mut bytes: &[u8]) -> Option<(u16, u16)> {
    let (mut field, mut status) = (None, None);
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let (value, after) = rest.split_at_checked(length)?;
        let number = || Some(u16::from_le_bytes(value.try_into().ok()?));
        match (head[2], head[3]) {
            (0x00, 0x01) => field = number(),
            (0x00, 0x09) => status = number(),
            _ => {}
        }
        bytes = after;
    }
    field.zip(status)
}
