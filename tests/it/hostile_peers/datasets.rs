//! Lies in a dataset (PS3.5 7): each sent as a C-STORE, none answered with success.

use super::script::{Allow, Case, Step};
use super::speech::*;

/// Cannot understand, or dataset does not match.
const NO: &[u16] = &[0xC000];
const MISMATCH: &[u16] = &[0xA900];
const CONFLICT: &[u16] = &[0, 0x0111];
const UNDEFINED: u32 = u32::MAX;

/// One element in explicit little endian that claims `length`.
fn claiming(group: u16, element: u16, vr: &str, length: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), element.to_le_bytes()].concat();
    bytes.extend(vr.as_bytes());
    if ["OB", "OW", "SQ", "UN", "UT"].contains(&vr) {
        bytes.extend([0, 0]);
        bytes.extend(length.to_le_bytes());
    } else {
        bytes.extend(u16::try_from(length).unwrap().to_le_bytes());
    }
    bytes.extend(value);
    bytes
}

fn explicit(group: u16, element: u16, vr: &str, value: &[u8]) -> Vec<u8> {
    claiming(group, element, vr, u32::try_from(value.len()).unwrap(), value)
}

fn number(element: u16, n: u16) -> Vec<u8> {
    explicit(0x0028, element, "US", &n.to_le_bytes())
}

fn identity(instance: &str) -> Vec<u8> {
    [explicit(8, 0x0016, "UI", &uid(DX)), explicit(8, 0x0018, "UI", &uid(instance))].concat()
}

fn shape(rows: u16, columns: u16) -> Vec<u8> {
    [number(0x0002, 1), number(0x0010, rows), number(0x0011, columns), number(0x0100, 16)].concat()
}

fn pixels(bytes: usize) -> Vec<u8> {
    explicit(0x7FE0, 0x0010, "OW", &vec![7; bytes])
}

/// An image of 64 by 64 that is as it should be.
pub fn image(instance: &str) -> Vec<u8> {
    [identity(instance), shape(64, 64), pixels(64 * 64 * 2)].concat()
}

/// The UID under which every lie is sent.
const LIE: &str = "1.2.999.100";

/// An image with something put in before its pixels.
fn with(extra: &[u8]) -> Vec<u8> {
    [&identity(LIE)[..], &shape(64, 64), extra, &pixels(64 * 64 * 2)].concat()
}

fn sent(name: &'static str, context: u8, dataset: &[u8], allow: Allow) -> Case {
    let steps = vec![
        Step::Send(Request::new().bytes()),
        Step::Heard(1),
        Step::Send(store(context, LIE, dataset)),
        Step::Heard(2),
        Step::Send(release()),
    ];
    Case { name, steps, allow }
}

fn no(name: &'static str, dataset: &[u8]) -> Case {
    sent(name, IN_EXPLICIT, dataset, Allow::Refused(NO))
}

pub fn cases() -> Vec<Case> {
    [pictures(), lengths(), structures(), identities(), syntaxes(), repetitions()].into_iter().flatten().collect()
}

fn pictures() -> Vec<Case> {
    let picture = |shape: Vec<u8>, pixels: Vec<u8>| [identity(LIE), shape, pixels].concat();
    let frames = |n: &str| with(&explicit(0x0028, 0x0008, "IS", n.as_bytes()));
    let all = || shape(64, 64);
    let missing = |from: usize, to: usize| {
        let mut shape = all();
        shape.drain(from..to);
        picture(shape, pixels(8192))
    };
    let samples = [number(0x0002, 0xFFFF), number(0x0010, 64), number(0x0011, 64), number(0x0100, 16)].concat();
    let bits = [number(0x0002, 1), number(0x0010, 64), number(0x0011, 64), number(0x0100, 0)].concat();
    vec![
        no("65,535 by 65,535 pixels in 64 bytes", &picture(shape(0xFFFF, 0xFFFF), pixels(64))),
        no("no rows", &picture(shape(0, 64), pixels(64))),
        no("no rows and no pixels", &picture(shape(0, 0), pixels(0))),
        no("one byte too few", &picture(all(), pixels(8190))),
        no("half the pixels", &picture(all(), pixels(4096))),
        no("twice the pixels", &picture(all(), pixels(16_384))),
        no("rows not said", &missing(10, 20)),
        no("columns not said", &missing(20, 30)),
        no("bits not said", &missing(30, 40)),
        no("samples not said", &missing(0, 10)),
        no("65,535 samples a pixel", &picture(samples, pixels(8192))),
        no("pixels of no bits", &picture(bits, pixels(8192))),
        no("a thousand million frames", &frames("1000000000")),
        no("minus one frame", &frames("-1")),
        no("frames in exponents", &frames("1e9 ")),
        no("frames that overflow 64 bits", &frames("99999999999999999998")),
        no("frames in 200 characters", &frames(&"9".repeat(200))),
        no(
            "rows of four bytes",
            &picture([explicit(0x28, 0x10, "US", &[64, 0, 0, 0]), number(0x11, 64)].concat(), pixels(64)),
        ),
        no("rows twice", &with(&number(0x0010, 1))),
        no("pixels twice", &[with(&[]), pixels(8192)].concat()),
    ]
}

fn lengths() -> Vec<Case> {
    let cut = image(LIE);
    let many: Vec<u8> = (0..100_001u32).flat_map(|_| explicit(0x0009, 0x1001, "LO", b"")).collect();
    vec![
        no("no bytes", &[]),
        no("one byte", &[8]),
        no("an element that claims 2 GiB", &with(&claiming(0x0009, 0x1001, "UN", 0x8000_0000, b"x"))),
        no("an element that claims 4 GiB less two", &with(&claiming(0x0009, 0x1001, "OB", 0xFFFF_FFFE, b"x"))),
        no("an element that claims more than the rest", &with(&claiming(0x0009, 0x1001, "LO", 0xFFFE, b"x"))),
        no(
            "pixels that claim more than the rest",
            &[identity(LIE), shape(64, 64), claiming(0x7FE0, 0x10, "OW", 8193, &[0; 8192])].concat(),
        ),
        no("cut inside a header", &cut[..cut.len() - 8192 - 3]),
        no("cut inside the pixels", &cut[..cut.len() - 100]),
        no("cut inside the UID", &cut[..20]),
        no(
            "a value of 1 MiB and two bytes that is no picture",
            &with(&explicit(0x0009, 0x1001, "UN", &vec![0; 1_048_578])),
        ),
        no("100,001 elements", &with(&many)),
        no("a dataset longer than is allowed", &with(&explicit(0x0009, 0x1001, "UN", &vec![0; 1_000_000]).repeat(3))),
        no("zeros", &[0; 65_536]),
        no("ones", &[0xFF; 65_536]),
        sent("a text of odd length", IN_EXPLICIT, &with(&explicit(0x0010, 0x0010, "PN", b"ODD")), Allow::Tolerated),
    ]
}

fn structures() -> Vec<Case> {
    let open = |vr: &str| claiming(0x0009, 0x1001, vr, UNDEFINED, &[]);
    let item = [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
    let bare = |element: [u8; 2]| [&[0xFE, 0xFF][..], &element, &[0; 4]].concat();
    let bomb = |vr: &str, levels: usize| [open(vr), item.to_vec()].concat().repeat(levels);
    // Defined lengths, from the inside out.
    let defined = (0..70).fold(Vec::new(), |inner: Vec<u8>, _| {
        let item = [&[0xFE, 0xFF, 0x00, 0xE0][..], &u32::try_from(inner.len()).unwrap().to_le_bytes(), &inner].concat();
        explicit(0x0009, 0x1001, "SQ", &item)
    });
    let lying_item = [&[0xFE, 0xFF, 0x00, 0xE0][..], &1_000u32.to_le_bytes(), &[0; 20]].concat();
    let encapsulated = |fragments: &[u8]| {
        [&identity(LIE)[..], &shape(64, 64), &claiming(0x7FE0, 0x0010, "OB", UNDEFINED, &[]), fragments].concat()
    };
    let fragment =
        |claims: u32, bytes: usize| [&[0xFE, 0xFF, 0x00, 0xE0][..], &claims.to_le_bytes(), &vec![0; bytes]].concat();
    let end = bare([0xDD, 0xE0]);
    let jpeg = |name, fragments: &[u8]| sent(name, IN_JPEG, &encapsulated(fragments), Allow::Refused(NO));
    vec![
        no("1,100 sequences in one another, 22 kB", &with(&bomb("SQ", 1_100))),
        no("100,000 sequences in one another", &with(&bomb("SQ", 50_000))),
        no("1,100 unknown elements in one another", &with(&bomb("UN", 1_100))),
        no("70 sequences in one another, each of a true length", &with(&defined)),
        no("an unknown element that is never closed", &[with(&open("UN")), vec![0; 1_000]].concat()),
        no("a sequence that is never closed", &with(&[open("SQ"), item.to_vec()].concat())),
        no("an item that claims more than its sequence", &with(&explicit(0x0009, 0x1001, "SQ", &lying_item))),
        no("a sequence of what is no item", &with(&explicit(0x0009, 0x1001, "SQ", &[0x55; 64]))),
        no("the end of an item that never began", &with(&bare([0x0D, 0xE0]))),
        no("the end of a sequence that never began", &with(&bare([0xDD, 0xE0]))),
        no("an item outside a sequence", &with(&bare([0x00, 0xE0]))),
        no(
            "a delimiter with a length",
            &with(&[&open("SQ")[..], &[0xFE, 0xFF, 0xDD, 0xE0, 4, 0, 0, 0], &[0; 4]].concat()),
        ),
        no("an undefined length where none may be", &with(&open("OB"))),
        no("no value representation", &with(&[9, 0, 1, 0x10, b'?', b'?', 2, 0, 0, 0])),
        no("a value representation in lower case", &with(&explicit(9, 0x1001, "lo", b"ab"))),
        no("an element of a command set", &with(&explicit(0, 0x0100, "US", &[1, 0]))),
        no("an element of a file meta group", &with(&explicit(2, 0x0010, "UI", &uid(DEFLATED)))),
        jpeg("fragments that never end", &fragment(8, 8)),
        jpeg("a fragment that claims more than the rest", &[fragment(0xFFFF_FFF0, 8), end.clone()].concat()),
        jpeg("a fragment of undefined length", &[fragment(UNDEFINED, 8), end.clone()].concat()),
        jpeg("100,001 fragments", &[fragment(0, 0).repeat(100_001), end.clone()].concat()),
        jpeg("an element among the fragments", &[&fragment(8, 8)[..], &number(0x10, 1), &end].concat()),
        sent("a JPEG context with bare pixels", IN_JPEG, &image(LIE), Allow::Refused(NO)),
        no("a bare context with fragments", &encapsulated(&[fragment(0, 0), fragment(8192, 8192), end].concat())),
    ]
}

fn identities() -> Vec<Case> {
    let class = |class: &str| {
        [explicit(8, 0x0016, "UI", &uid(class)), explicit(8, 0x0018, "UI", &uid(LIE)), shape(64, 64), pixels(8192)]
            .concat()
    };
    let named = |value: &[u8]| {
        [&explicit(8, 0x0016, "UI", &uid(DX))[..], &explicit(8, 0x0018, "UI", value), &shape(64, 64), &pixels(8192)]
            .concat()
    };
    let mismatch = |name, dataset: &[u8]| sent(name, IN_EXPLICIT, dataset, Allow::Refused(MISMATCH));
    vec![
        mismatch("another instance than the command's", &image("1.2.999.101")),
        mismatch("another class than the command's", &class(SECONDARY_CAPTURE)),
        no("no instance UID", &[explicit(8, 0x0016, "UI", &uid(DX)), shape(64, 64), pixels(8192)].concat()),
        no("no class UID", &[explicit(8, 0x0018, "UI", &uid(LIE)), shape(64, 64), pixels(8192)].concat()),
        no("an empty instance UID", &named(b"")),
        no("a path for an instance UID", &named(b"../../../../etc/passwd")),
        no("a UID of 70 characters", &named("1.".repeat(35).as_bytes())),
        no("a UID of two dots", &named(b"..")),
        no("a UID that is no text", &named(&[0xFF; 10])),
        no("two instance UIDs", &with(&explicit(8, 0x0018, "UI", &uid("1.2.3")))),
        no("two instance UIDs in one value", &named(b"1.2.999.100\\1.2.3")),
    ]
}

fn syntaxes() -> Vec<Case> {
    let file = [vec![0; 128], b"DICM".to_vec(), explicit(2, 0x0010, "UI", &uid(EXPLICIT_LE)), image(LIE)].concat();
    let other = |name, context| sent(name, context, &image(LIE), Allow::Refused(NO));
    vec![
        other("explicit in a context of implicit", IN_IMPLICIT),
        other("little endian in a context of big endian", IN_BIG_ENDIAN),
        no(
            "implicit in a context of explicit",
            &[implicit(8, 0x0016, &uid(DX)), implicit(8, 0x0018, &uid(LIE))].concat(),
        ),
        no("a whole file where the dataset belongs", &file),
        no("a deflated stream", &[0x78, 0x9C, 0xED, 0xC1, 0x01, 0x01, 0, 0, 0, 0x80, 0x90, 0xFE]),
        no("a zip bomb's first bytes", b"PK\x03\x04\x14\0\0\0\x08\0"),
        no("an HTTP request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ]
}

/// The same UID again: with the same bytes a success, with others not.
fn repetitions() -> Vec<Case> {
    let both = |name, uid: &'static str, second: Vec<u8>, allow| {
        let steps = vec![
            Step::Send(Request::new().bytes()),
            Step::Heard(1),
            Step::Send(store(IN_EXPLICIT, uid, &image(uid))),
            Step::Heard(2),
            Step::Send(store(IN_EXPLICIT, uid, &second)),
            Step::Heard(3),
            Step::Send(release()),
        ];
        Case { name, steps, allow }
    };
    let mut other = image("1.2.999.111");
    *other.last_mut().unwrap() ^= 1;
    vec![
        both("the same instance twice", "1.2.999.110", image("1.2.999.110"), Allow::Statuses(&[0, 0])),
        both("the same UID with other pixels", "1.2.999.111", other, Allow::Statuses(CONFLICT)),
    ]
}
