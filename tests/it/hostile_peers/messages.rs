//! Lies inside an association: fragments (PS3.8 annex E) and command sets (PS3.7 6.3, 9.3).

use std::time::Duration;

use super::datasets::image;
use super::script::{Allow, Case, Step};
use super::speech::*;

const NOT_A_UID: &[u16] = &[0x0117];
const NOT_HERE: &[u16] = &[0x0122];
const NO_DATASET: &[u16] = &[0xC000];
const UNKNOWN: &[u16] = &[0x0211];

/// Associates as it should, then sends `bytes`.
fn inside(name: &'static str, bytes: Vec<u8>, allow: Allow) -> Case {
    let steps = vec![Step::Send(Request::new().bytes()), Step::Heard(1), Step::Send(bytes)];
    Case { name, steps, allow }
}

fn ends(name: &'static str, bytes: Vec<u8>) -> Case {
    inside(name, bytes, Allow::Ended)
}

pub fn cases() -> Vec<Case> {
    [fragments(), order(), command_sets(), requests(), floods()].into_iter().flatten().collect()
}

fn fragments() -> Vec<Case> {
    let echo = echo_command();
    let claims = |length: u32| pdu(4, &pdv_claiming(ECHO, COMMAND, length, &echo));
    let length = u32::try_from(echo.len() + 2).unwrap();
    let whole = |size: usize, uid: &str| {
        let dataset = image(uid);
        let mut bytes: Vec<u8> = Vec::new();
        for (more, last, part) in [(COMMAND_MORE, COMMAND, store_command(uid)), (DATA_MORE, DATA, dataset)] {
            let mut chunks = part.chunks(size).peekable();
            while let Some(chunk) = chunks.next() {
                bytes.extend(p_data(IN_EXPLICIT, if chunks.peek().is_some() { more } else { last }, chunk));
            }
        }
        bytes
    };
    let longest = {
        let dataset = image("1.2.999.20");
        let (head, tail) = dataset.split_at(dataset.len() / 2);
        let filler = vec![pdv(IN_EXPLICIT, DATA_MORE, &[]); (131_072 - tail.len() - 6) / 6];
        let data = [&filler.concat()[..], &pdv(IN_EXPLICIT, DATA, tail)].concat();
        let command = p_data(IN_EXPLICIT, COMMAND, &store_command("1.2.999.20"));
        [&command[..], &p_data(IN_EXPLICIT, DATA_MORE, head), &pdu(4, &data)].concat()
    };
    vec![
        inside("an instance in fragments of one byte", whole(1, "1.2.999.21"), Allow::Statuses(&[0])),
        inside("an instance in fragments of seven bytes", whole(7, "1.2.999.22"), Allow::Statuses(&[0])),
        inside("20,000 empty fragments before the last", longest, Allow::Statuses(&[0])),
        ends("a fragment that claims no bytes", claims(0)),
        ends("a fragment that claims one byte", claims(1)),
        ends("a fragment that claims 2^32-1 bytes", claims(u32::MAX)),
        ends("a fragment that claims one byte more than there is", claims(length + 1)),
        ends("a fragment that claims one byte less than there is", claims(length - 1)),
        ends("a PDU that claims no bytes and has some", pdu_claiming(4, 0, &echo)),
        ends("a PDU that claims 2^32-1 bytes", pdu_claiming(4, u32::MAX, &echo)),
        ends("a PDU of 128 KiB and one byte", pdu(4, &pdv(ECHO, COMMAND_MORE, &[0; 131_067]))),
        ends("a PDU that claims more than ever comes", pdu_claiming(4, 100_000, &pdv(ECHO, COMMAND, &echo))),
        ends("a PDU without a fragment", pdu(4, &[])),
        ends("half a fragment header", pdu(4, &[0, 0, 0, 9, 3])),
        ends("a PDU of an unknown type", pdu(9, &[0; 100])),
        ends("a second request", Request::new().bytes()),
        ends("an acceptance from the peer", pdu(2, &Request::new().body())),
        ends("a release response to nothing", pdu(6, &[0; 4])),
        ends("a release without its four bytes", pdu(5, &[])),
    ]
}

fn order() -> Vec<Case> {
    let (uid, dataset) = ("1.2.999.30", image("1.2.999.30"));
    let command = || p_data(IN_EXPLICIT, COMMAND, &store_command(uid));
    let half = || p_data(IN_EXPLICIT, DATA_MORE, &dataset[..dataset.len() / 2]);
    let (echo, stored) = (echo_command(), store_command(uid));
    let first_half = |context, command: &[u8]| p_data(context, COMMAND_MORE, &command[..20]);
    let after = |parts: &[Vec<u8>]| parts.concat();
    vec![
        ends("data before any command", p_data(IN_EXPLICIT, DATA, &dataset)),
        ends("a command in a context that was not proposed", p_data(99, COMMAND, &echo)),
        ends("a command in context 0", p_data(0, COMMAND, &echo)),
        ends("data in a context that was not proposed", after(&[command(), p_data(99, DATA, &dataset)])),
        ends("data in another accepted context", after(&[command(), p_data(IN_IMPLICIT, DATA, &dataset)])),
        ends("a command inside a command", after(&[first_half(ECHO, &echo), p_data(IN_EXPLICIT, COMMAND, &stored)])),
        ends(
            "two commands interleaved",
            after(&[
                first_half(ECHO, &echo),
                first_half(IN_EXPLICIT, &stored),
                p_data(ECHO, COMMAND, &echo[20..]),
                p_data(IN_EXPLICIT, COMMAND, &stored[20..]),
            ]),
        ),
        ends("data inside a command", after(&[first_half(IN_EXPLICIT, &stored), p_data(IN_EXPLICIT, DATA, &dataset)])),
        ends("a command inside a dataset", after(&[command(), half(), p_data(ECHO, COMMAND, &echo)])),
        ends("a release inside a command", after(&[first_half(ECHO, &echo), release()])),
        ends("a release inside a dataset", after(&[command(), half(), release()])),
        ends("a release where the dataset belongs", after(&[command(), release()])),
        ends("an abort inside a dataset", after(&[command(), half(), abort()])),
        ends("a request inside a dataset", after(&[command(), half(), Request::new().bytes()])),
        ends("a dataset that stops in the middle", after(&[command(), half()])),
        ends("a command that stops in the middle", first_half(ECHO, &echo)),
    ]
}

fn command_sets() -> Vec<Case> {
    let uid = uid("1.2.999.40");
    let full = || elements(C_STORE, DX, Some(&uid), true);
    let sent = |set: &[u8]| p_data(IN_EXPLICIT, COMMAND, set);
    let without = |at: usize| {
        let mut elements = full();
        elements.remove(at);
        sent(&command_of(&elements))
    };
    let with = |at: usize, element: Vec<u8>| {
        let mut elements = full();
        elements[at] = element;
        sent(&command_of(&elements))
    };
    let mut wrong_length = command_of(&full());
    wrong_length[8] ^= 4;
    let mut endless = command_of(&full());
    endless.extend([0, 0, 0, 0x10, 0xFF, 0xFF, 0xFF, 0xFF]);
    let explicit = [&[0, 0, 0, 1][..], b"US", &[2, 0, 1, 0]].concat();
    let twice = sent(&[command_of(&full()), full().concat()].concat());
    vec![
        ends("an empty command set", sent(&[])),
        ends("a command set of zeros", sent(&[0; 100])),
        ends("a command set of 4 KiB and one byte", sent(&[command_of(&full()), vec![0; 4_000]].concat())),
        ends("a command set of 100 KiB", sent(&vec![0x55; 100_000])),
        ends("a command set with a wrong group length", sent(&wrong_length)),
        ends("a command set that ends inside an element", sent(&endless)),
        ends("a command set that ends inside a header", sent(&command_of(&full())[..37])),
        ends("a command set with explicit VRs", sent(&explicit)),
        ends("a command set with every element twice", twice),
        ends("a command set with an element of a dataset", with(4, implicit(8, 0x0018, &uid))),
        ends("a command set backwards", sent(&command_of(&full().into_iter().rev().collect::<Vec<_>>()))),
        ends("no command field", without(1)),
        ends("no message id", without(2)),
        ends("no dataset type", without(3)),
        ends("a command field of four bytes", with(1, implicit(0, 0x0100, &[1, 0, 0, 0]))),
        ends("a command field of no bytes", with(1, implicit(0, 0x0100, &[]))),
        ends("a message id of one byte", with(2, implicit(0, 0x0110, &[7]))),
        ends("a dataset type of three bytes", with(3, implicit(0, 0x0800, &[1, 0, 0]))),
    ]
}

fn requests() -> Vec<Case> {
    let ask = |context, elements: &[Vec<u8>]| p_data(context, COMMAND, &command_of(elements));
    let named = |instance: Option<&[u8]>| {
        let command = ask(IN_EXPLICIT, &elements(C_STORE, DX, instance, true));
        [command, p_data(IN_EXPLICIT, DATA, &image("1.2.999.50"))].concat()
    };
    let misnamed = |name, instance: &[u8]| inside(name, named(Some(instance)), Allow::Refused(NOT_A_UID));
    let class = |context, class: &str| {
        let command = ask(context, &elements(C_STORE, class, Some(&uid("1.2.999.50")), true));
        [command, p_data(context, DATA, &image("1.2.999.50"))].concat()
    };
    let operation = |field| ask(IN_EXPLICIT, &elements(field, DX, None, false));
    let bare = ask(IN_EXPLICIT, &elements(C_STORE, DX, Some(&uid("1.2.999.50")), false));
    vec![
        inside("a store without an instance UID", named(None), Allow::Refused(NOT_A_UID)),
        misnamed("a store of an empty UID", b""),
        misnamed("a store of a path out of the spool", b"../../../../etc/cron.d/x"),
        misnamed("a store of an absolute path", b"/etc/passwd"),
        misnamed("a store of a UID with a slash", b"1.2/../../3\0"),
        misnamed("a store of the UID of two dots", b".."),
        misnamed("a store of a UID with a NUL in it", b"1.2\x003.4\0"),
        misnamed("a store of a UID of 66 characters", "1.".repeat(33).as_bytes()),
        misnamed("a store of a UID of 3,000 characters", "1.".repeat(1_500).as_bytes()),
        misnamed("a store of a UID with SQL in it", b"1.2'; DROP TABLE instances; --"),
        misnamed("a store of a UID in another script", "١.٢".as_bytes()),
        inside(
            "a store of another class than the context's",
            class(IN_EXPLICIT, SECONDARY_CAPTURE),
            Allow::Refused(NOT_HERE),
        ),
        inside("a store in the context of Verification", class(ECHO, VERIFICATION), Allow::Refused(NOT_HERE)),
        inside("a store that says there is no dataset", bare.clone(), Allow::Refused(NO_DATASET)),
        inside(
            "a store that says there is no dataset, and then one",
            [bare, p_data(IN_EXPLICIT, DATA, &image("1.2.999.50"))].concat(),
            Allow::EndedOrRefused(NO_DATASET),
        ),
        inside(
            "a C-ECHO in a storage context",
            ask(IN_EXPLICIT, &elements(C_ECHO, DX, None, false)),
            Allow::Refused(NOT_HERE),
        ),
        ends(
            "a C-ECHO that announces a dataset that never comes",
            ask(ECHO, &elements(C_ECHO, VERIFICATION, None, true)),
        ),
        inside("a C-FIND", operation(0x0020), Allow::Refused(UNKNOWN)),
        inside("a C-GET", operation(0x0010), Allow::Refused(UNKNOWN)),
        inside("a C-MOVE", operation(0x0021), Allow::Refused(UNKNOWN)),
        inside("an N-ACTION", operation(0x0130), Allow::Refused(UNKNOWN)),
        inside("a command that does not exist", operation(0x7777), Allow::Refused(UNKNOWN)),
        ends("a response to nothing", ask(IN_EXPLICIT, &elements(0x8001, DX, None, false))),
        ends("1,000 cancellations of nothing", operation(0x0FFF).repeat(1_000)),
    ]
}

fn floods() -> Vec<Case> {
    let flood = |name, bytes: Vec<u8>, allow| {
        let steps = vec![Step::Send(Request::new().bytes()), Step::Heard(1), Step::Flood(bytes, 1_000_000)];
        Case { name, steps, allow }
    };
    let empties = pdu(4, &pdv(ECHO, COMMAND_MORE, &[]).repeat(20_000));
    let command = p_data(IN_EXPLICIT, COMMAND, &store_command("1.2.999.60"));
    let slowly = |bytes: Vec<u8>, pause_ms| Step::Trickle(bytes, Duration::from_millis(pause_ms));
    let one_byte_a_time = p_data(IN_EXPLICIT, DATA_MORE, &[0]).repeat(10_000);
    let associated = || vec![Step::Send(Request::new().bytes()), Step::Heard(1)];
    let never_reads = vec![
        Step::Send(Request::new().bytes()),
        Step::Heard(1),
        Step::StopReading,
        Step::Flood(p_data(ECHO, COMMAND, &echo_command()).repeat(100), 10_000),
    ];
    vec![
        flood("PDUs without fragments, for ever", pdu(4, &[]).repeat(1_000), Allow::Ended),
        flood("empty fragments of a command, for ever", empties, Allow::Ended),
        Case { name: "10,000 C-ECHOs whose answers are never read", steps: never_reads, allow: Allow::Ended },
        Case {
            name: "a dataset of one byte a fragment, far below 10 kB/s",
            steps: [associated(), vec![Step::Send(command.clone()), slowly(one_byte_a_time, 1)]].concat(),
            allow: Allow::Ended,
        },
        Case {
            name: "a command of one byte a second",
            steps: [associated(), vec![slowly(command, 400)]].concat(),
            allow: Allow::Ended,
        },
    ]
}
