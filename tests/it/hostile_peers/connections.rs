//! Connections that are no conversation: silence, slowness, floods, other protocols.

use std::time::Duration;

use super::datasets::image;
use super::script::{Allow, Case, Step};
use super::speech::*;

/// What a peer trickles at: a byte now and then.
const NOW_AND_THEN: Duration = Duration::from_millis(300);

/// The first bytes of a TLS 1.2 `ClientHello`.
pub const CLIENT_HELLO: [u8; 11] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3];

pub fn says(name: &'static str, bytes: &[u8]) -> Case {
    Case { name, steps: vec![Step::Send(bytes.to_vec())], allow: Allow::Ended }
}

fn does(name: &'static str, steps: Vec<Step>) -> Case {
    Case { name, steps, allow: Allow::Ended }
}

/// What other programs say to a port, whatever it speaks.
pub fn strangers() -> Vec<Case> {
    vec![
        says("an HTTP request", b"GET / HTTP/1.1\r\nHost: cart\r\n\r\n"),
        says("an SSH greeting", b"SSH-2.0-OpenSSH_9.6\r\n"),
        says("an SMB negotiation", b"\0\0\0\x54\xFFSMB\x72\0\0\0\0\x18\x01\x28"),
        says("an MLLP message", b"\x0BMSH|^~\\&|||||||ADT^A01|1|P|2.5\r\x1C\r"),
        says("line breaks, 1 MB", &[b'\n'; 1_000_000]),
        says("zeros, 1 MB", &vec![0; 1_000_000]),
        says("ones, 1 MB", &vec![0xFF; 1_000_000]),
        does("nothing, and then a close", vec![Step::Close]),
        does("nothing, and then a reset", vec![Step::Reset]),
        does("nothing, and the sending half closed", vec![Step::HalfClose]),
        does("nothing at all", Vec::new()),
        says("one byte and then nothing", &[1]),
    ]
}

pub fn cases() -> Vec<Case> {
    let request = || Request::new().bytes();
    let associated = |then: Vec<Step>| [vec![Step::Send(request()), Step::Heard(1)], then].concat();
    let half = || {
        let stored = store(IN_EXPLICIT, "1.2.999.150", &image("1.2.999.150"));
        stored[..stored.len() / 2].to_vec()
    };
    let mut cases = strangers();
    cases.extend([
        says("a TLS greeting where none is spoken", &[&CLIENT_HELLO[..], &[0; 600]].concat()),
        does("a request a byte now and then", vec![Step::Trickle(request(), NOW_AND_THEN)]),
        does("half a request and a half-close", vec![Step::Send(request()[..50].to_vec()), Step::HalfClose]),
        does("half a request and a reset", vec![Step::Send(request()[..50].to_vec()), Step::Reset]),
        does("an association and silence", associated(Vec::new())),
        does("an association and a half-close", associated(vec![Step::HalfClose])),
        does("an association and a reset", associated(vec![Step::Reset])),
        does("an association and half a header", associated(vec![Step::Send(vec![4, 0, 0])])),
        does("an association and an abort", associated(vec![Step::Send(abort())])),
        does("an abort with reasons that there are not", associated(vec![Step::Send(pdu(7, &[9, 9, 9, 9]))])),
        does("half an instance and silence", associated(vec![Step::Send(half())])),
        does("half an instance and a half-close", associated(vec![Step::Send(half()), Step::HalfClose])),
        does("half an instance and a reset", associated(vec![Step::Send(half()), Step::Reset])),
        does("half an instance and a close", associated(vec![Step::Send(half()), Step::Close])),
        does(
            "half an instance and then a byte now and then",
            associated(vec![Step::Send(half()), Step::Trickle(vec![7; 1_000], NOW_AND_THEN)]),
        ),
    ]);
    cases
}
