//! The targets: each decodes bytes, and holds what must hold of whatever was decoded. One that
//! returns is content; a panic, an abort, a hang or a failed claim is a finding.
//!
//! They are plain functions of bytes: whoever has libFuzzer calls them from three lines of
//! `fuzz_target!`.

mod dicom;
mod files;
mod links;
mod network;
mod words;

/// What is fuzzed.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Words of its format that no seed may spell.
    pub tokens: &'static [&'static [&'static [u8]]],
    pub most_bytes: usize,
    /// Executions with every `cargo test`: half a second's worth.
    pub few: u64,
}

/// A few kilobytes reach all that an element or a message can say.
const SMALL: usize = 4 * 1024;
/// Where what is large matters: several PDUs, several frames.
const LARGE: usize = 64 * 1024;

/// Every target. Those that strangers reach come first.
pub const TARGETS: [Target; 16] = [
    Target { name: "pdu_stream", run: network::pdu_stream, tokens: &[PDU], most_bytes: LARGE, few: 20_000 },
    Target { name: "command_set", run: network::command_set, tokens: &[PDU, ELEMENTS], most_bytes: SMALL, few: 40_000 },
    Target { name: "validator", run: dicom::validator, tokens: &[ELEMENTS], most_bytes: LARGE, few: 20_000 },
    Target { name: "jws", run: network::jws, tokens: &[JOSE], most_bytes: LARGE, few: 4_000 },
    Target { name: "message", run: network::message, tokens: &[JOSE], most_bytes: LARGE, few: 4_000 },
    Target { name: "link", run: links::link, tokens: &[JOSE], most_bytes: SMALL, few: 2_000 },
    Target { name: "identifiers", run: dicom::identifiers, tokens: &[], most_bytes: 256, few: 40_000 },
    Target { name: "order", run: words::order, tokens: &[], most_bytes: SMALL, few: 2_000 },
    Target { name: "reader", run: dicom::reader, tokens: &[ELEMENTS, JPEG], most_bytes: LARGE, few: 2_000 },
    Target { name: "reader_wire", run: files::reader_wire, tokens: &[], most_bytes: LARGE, few: 10_000 },
    Target { name: "fact_sheet", run: words::fact_sheet, tokens: &[], most_bytes: LARGE, few: 1_000 },
    Target { name: "tokenizer", run: words::tokenizer, tokens: &[], most_bytes: SMALL, few: 2_000 },
    Target { name: "configuration", run: files::configuration, tokens: &[], most_bytes: LARGE, few: 4_000 },
    Target { name: "manifest", run: files::manifest, tokens: &[], most_bytes: LARGE, few: 4_000 },
    Target { name: "archive", run: files::archive, tokens: &[TAR], most_bytes: LARGE, few: 4_000 },
    Target { name: "audit_log", run: files::audit_log, tokens: &[], most_bytes: LARGE, few: 4_000 },
];

/// Types of PDUs and of items in them, UIDs that are negotiated (PS3.8 9.3).
const PDU: &[&[u8]] = &[
    b"\x01\0",
    b"\x04\0",
    b"\x05\0",
    b"\x07\0",
    b"\x10\0",
    b"\x20\0",
    b"\x21\0",
    b"\x30\0",
    b"\x40\0",
    b"\x50\0",
    b"\x51\0",
    b"\x52\0",
    b"\x53\0",
    b"\x54\0",
    b"\x55\0",
    b"\x56\0",
    b"\x57\0",
    b"\x58\0",
    b"1.2.840.10008.3.1.1.1",
    b"1.2.840.10008.1.1",
    b"1.2.840.10008.1.2",
    b"1.2.840.10008.1.2.1",
    b"1.2.840.10008.5.1.4.1.1.1.1",
    b"RESIDENTD       ",
    b"\x01\x01",
    b"\x01\x03",
    b"\x01\x02",
    b"\x01\x00",
];
/// Tags and value representations, in either byte order (PS3.5 7).
const ELEMENTS: &[&[u8]] = &[
    b"\xE0\x7F\x10\0OW\0\0",
    b"\xE0\x7F\x10\0",
    b"\x7F\xE0\0\x10",
    b"\xFE\xFF\0\xE0",
    b"\xFE\xFF\x0D\xE0",
    b"\xFE\xFF\xDD\xE0\0\0\0\0",
    b"\xFF\xFE\xE0\0",
    b"\xFF\xFF\xFF\xFF",
    b"\x08\0\x18\0",
    b"\x08\0\x16\0",
    b"\x28\0\x10\0US\x02\0",
    b"\x28\0\x11\0US\x02\0",
    b"\x28\0\x02\0",
    b"\x28\0\x08\0",
    b"\x28\0\0\x01",
    b"\x28\0\x03\x01",
    b"\x40\0\x75\x02",
    b"\x20\0\x0D\0",
    b"SQ\0\0",
    b"UN\0\0",
    b"OB\0\0",
    b"OW\0\0",
    b"UI",
    b"US",
    b"CS",
    b"LO",
    b"PN",
    b"IS",
    b"DS",
    b"UT\0\0",
    b"AE",
    b"\0\0\0\x01",
    b"\0\0\0\x08",
    b"\0\0\x10\0",
    b"DICM",
    b"\x02\0\x10\0UI",
    b"1.2.840.10008.1.2.4.50",
    b"1.2.840.10008.1.2.4.70",
    b"1.2.840.10008.1.2.5",
    b"1.2.840.10008.1.2.4.90",
];
/// Markers of JPEG and JPEG 2000.
const JPEG: &[&[u8]] = &[
    b"\xFF\xD8",
    b"\xFF\xD9",
    b"\xFF\xC0",
    b"\xFF\xC1",
    b"\xFF\xC3",
    b"\xFF\xC4",
    b"\xFF\xDA",
    b"\xFF\xDB",
    b"\xFF\xDD",
    b"\xFF\xD0",
    b"\xFF\x4F",
    b"\xFF\x51",
    b"\xFF\x52",
    b"\xFF\x5C",
    b"\xFF\x90",
    b"\xFF\x93",
];
/// Of tar headers (IEEE 1003.1): both magics, types, names that leave, pax records.
const TAR: &[&[u8]] = &[
    b"ustar\x0000",
    b"ustar  \0",
    b"../",
    b"/",
    b"./",
    b"signature.jws",
    b"00000000000\0",
    b"77777777777\0",
    b"\x80\0\0\0",
    b"12 path=../x\n",
    b"14 size=99999\n",
    b"30 mtime=1700000000.000000000\n",
];
/// Of RFC 7515, and what an attacker would like to say there.
const JOSE: &[&[u8]] = &[
    b"{\"alg\":\"EdDSA\"",
    b"\"alg\":\"none\"",
    b"\"alg\":\"HS256\"",
    b"\"crit\":[\"b64\"]",
    b"\"b64\":false",
    b"\"jwk\":{",
    b"\"kid\":",
    b"\"typ\":\"residentd-receipt+jws\"",
    b"\"typ\":\"residentd-command+jws\"",
    b"eyJ",
    b"..",
    b"=",
    b"null",
    b"\\u0000",
    b"1e999",
    b"[[[[[[[[[[[[[[[[",
    b"\"device\":\"cart\"",
    b"\"from\":1",
    b"\"to\":18446744073709551615",
];
