//! Lies before there is an association (PS3.8 9.3.2): none of them gets one that harms.

use super::script::{Allow, Case, Step};
use super::speech::*;

/// A request, and a C-ECHO in case it is believed.
fn asks(name: &'static str, request: &Request) -> Case {
    says(name, &request.bytes())
}

fn says(name: &'static str, bytes: &[u8]) -> Case {
    Case { name, steps: vec![Step::Send(bytes.to_vec())], allow: Allow::Ended }
}

/// Legal, if odd: must be let in and answered.
fn control(name: &'static str, request: &Request) -> Case {
    let echo = p_data(ECHO, COMMAND, &echo_command());
    let steps =
        vec![Step::Send(request.bytes()), Step::Heard(1), Step::Send(echo), Step::Heard(2), Step::Send(release())];
    Case { name, steps, allow: Allow::Statuses(&[0]) }
}

pub fn cases() -> Vec<Case> {
    [lengths(), kinds(), contexts(), titles(), items()].into_iter().flatten().collect()
}

fn lengths() -> Vec<Case> {
    let body = Request::new().body();
    let claims = |length: u32| pdu_claiming(1, length, &body);
    let length = u32::try_from(body.len()).unwrap();
    vec![
        control("a request as it should be", &Request::new()),
        says("a request that claims no bytes", &claims(0)),
        says("a request that claims 2^32-1 bytes", &claims(u32::MAX)),
        says("a request that claims 2^31 bytes", &claims(1 << 31)),
        says("a request that claims one byte more than it has", &claims(length + 1)),
        says("a request that claims one byte less than it has", &claims(length - 1)),
        says("a request that claims half of itself", &claims(length / 2)),
        says("a request of 67 bytes, one less than its fixed part", &pdu(1, &body[..67])),
        says(
            "a request of the largest length and one byte",
            &pdu(1, &[body.clone(), vec![0; 65_537 - body.len()]].concat()),
        ),
        says("a request of 64 KiB of zeros", &pdu(1, &[0; 65_536])),
    ]
}

fn kinds() -> Vec<Case> {
    let mut cases: Vec<Case> = [
        ("type 0 first", 0),
        ("an acceptance first", 2),
        ("a rejection first", 3),
        ("data first", 4),
        ("a release first", 5),
        ("a release response first", 6),
        ("an abort first", 7),
        ("type 8 first", 8),
        ("type 255 first", 255),
    ]
    .map(|(name, kind)| says(name, &pdu(kind, &Request::new().body())))
    .into();
    cases.push(says("a store without an association", &store(IN_EXPLICIT, "1.2.3", &[0; 64])));
    cases
}

fn contexts() -> Vec<Case> {
    let verification = |id| context(id, VERIFICATION.as_bytes(), &[IMPLICIT_LE.as_bytes()]);
    let request = |contexts| Request::new().contexts(contexts);
    let odd = || (0..128u8).map(|n| verification(n * 2 + 1)).collect::<Vec<_>>();
    let long = |n: usize| "1.".repeat(n / 2);
    let deflated = Case {
        name: "only a deflated syntax, then data in it",
        steps: vec![
            Step::Send(request(vec![context(1, DX.as_bytes(), &[DEFLATED.as_bytes()])]).bytes()),
            Step::Heard(1),
            Step::Send(store(1, "1.2.999.1", &[0x78, 0x9C, 0x03, 0x00])),
        ],
        allow: Allow::Ended,
    };
    vec![
        control("128 contexts, as many as there can be", &request(odd())),
        asks("no context", &request(Vec::new())),
        asks("129 contexts", &request([odd(), vec![verification(1)]].concat())),
        asks("1,200 contexts", &request((0..1_200).map(|_| verification(1)).collect())),
        asks("one id twice", &request(vec![verification(1), verification(3), verification(1)])),
        asks("an even id", &request(vec![verification(2)])),
        asks("id 0", &request(vec![verification(0)])),
        asks("a class of 66 characters", &request(vec![context(1, long(66).as_bytes(), &[IMPLICIT_LE.as_bytes()])])),
        asks("a class of 60,000 characters", &request(vec![context(1, long(60_000).as_bytes(), &[])])),
        asks("a syntax of 60,000 characters", &request(vec![context(1, DX.as_bytes(), &[long(60_000).as_bytes()])])),
        asks("an empty class", &request(vec![context(1, b"", &[IMPLICIT_LE.as_bytes()])])),
        asks("a class that is no text", &request(vec![context(1, &[0xFF; 64], &[&[0xFE; 64]])])),
        asks("a class that is a path", &request(vec![context(1, b"../../etc/passwd", &[b"/dev/zero"])])),
        asks("a context without syntaxes", &request(vec![context(1, VERIFICATION.as_bytes(), &[])])),
        asks("a context without anything", &request(vec![item(0x20, &[])])),
        asks("a context of one byte", &request(vec![item(0x20, &[1])])),
        asks("5,000 syntaxes", &request(vec![context(1, DX.as_bytes(), &[&b"1.2.3"[..]; 5_000])])),
        deflated,
    ]
}

fn titles() -> Vec<Case> {
    let request = Request::new;
    let version = |version| Request { version, ..Request::new() };
    let application = |name: &[u8]| Request { application: name.to_vec(), ..Request::new() };
    vec![
        asks("version 0", &version(0)),
        asks("version 2", &version(2)),
        control("version 0xFFFF: of it only bit 0 counts", &version(0xFFFF)),
        asks("another called title", &request().called(b"SOMEBODY")),
        asks("no called title", &request().called(b"")),
        asks("a called title of zeros", &request().called(&[0; 16])),
        asks("a called title of 0xFF", &request().called(&[0xFF; 16])),
        asks("a called title with an escape sequence", &request().called(b"\x1B[2J\x1B]0;own\x07\n\r")),
        asks("no calling title", &request().calling(b"")),
        asks("a calling title of zeros", &request().calling(&[0; 16])),
        asks("a calling title of 0xFF", &request().calling(&[0xFF; 16])),
        asks("a calling title with a line break and a backslash", &request().calling(b"A\\B\nINFO  forged")),
        asks("a calling title that is not allowed", &request().calling(b"INTRUDER")),
        asks("another application context", &application(b"1.2.840.10008.3.1.1.2")),
        asks("no application context", &application(b"")),
        asks("an application context of 60,000 bytes", &application(&[b'1'; 60_000])),
    ]
}

fn items() -> Vec<Case> {
    let with = |items: &[u8]| {
        let fixed = &Request::new().body()[..68];
        pdu(1, &[fixed, items].concat())
    };
    let user = |user: Vec<u8>| Request { user, ..Request::new() };
    let lie = [0x20, 0, 0xFF, 0xFF, 1, 0, 0, 0];
    let inner = item(0x20, &[&[1, 0, 0, 0][..], &[0x30, 0, 0xFF, 0xFF], b"1.2"].concat());
    vec![
        says("no items", &with(&[])),
        says("an item that claims more than there is", &with(&lie)),
        says("an item in an item that claims more than there is", &with(&inner)),
        says("half an item header", &with(&[0x20, 0, 0])),
        says("10,000 empty items", &with(&[0x10, 0, 0, 0].repeat(10_000))),
        says("10,000 application contexts", &with(&item(0x10, b"1").repeat(10_000))),
        says("items of unknown types", &with(&(0..=255).flat_map(|kind| item(kind, b"?")).collect::<Vec<_>>())),
        asks("user information that claims more than there is", &user([0x51, 0, 0xFF, 0xFF, 0].to_vec())),
        asks("a maximum length of one byte", &user(item(0x51, &[9]))),
        asks("a user identity that lies about its lengths", &user(item(0x58, &[2, 1, 0xFF, 0xFF, b'u']))),
        asks("an extended negotiation that lies about its length", &user(item(0x56, &[0xFF, 0xFF, b'1']))),
        asks("a role selection that lies about its length", &user(item(0x54, &[0xFF, 0xFF, b'1']))),
        control("a peer that takes no PDU longer than one byte", &user(item(0x51, &[0, 0, 0, 1]))),
        control("a peer that takes PDUs of any length", &user(item(0x51, &[0; 4]))),
    ]
}
