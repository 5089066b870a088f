//! Attacks on a sealed outcome, each of which must fail to open, and a foreign verifier.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::seal::header::{Algorithm, Clock, ContentType, Kind, Type};

fn header(key: &DeviceKey) -> Header {
    Header {
        alg: Algorithm::EdDsa,
        kid: key.id().to_owned(),
        typ: Type::Outcome,
        cty: ContentType::FhirJson,
        seq: 7,
        prev: Digest::of(b"before"),
        report_id: "2368b158-67f0-8590-acf1-5233a2b2090f".into(),
        kind: Kind::Report,
        instance_sha256: Digest::of(b"file"),
        pixels_sha256: Some(Digest::of(b"pixels")),
        bundle_sha256: None,
        config_sha256: Digest::of(b"config"),
        sealed_at: "2027-01-15T08:00:00.123Z".into(),
        clock: Clock::Synchronised,
        test: false,
    }
}

fn sealed() -> (DeviceKey, [PublicKey; 1], String) {
    let key = DeviceKey::generate().unwrap();
    let jws = seal(&key, &header(&key), br#"{"resourceType":"Bundle"}"#).unwrap();
    let keys = [key.public().clone()];
    (key, keys, jws)
}

/// A JWS with this very header text, properly signed.
fn signed_with(key: &DeviceKey, header: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode("{}"));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())))
}

#[test]
fn what_was_sealed_is_what_is_opened() {
    let (key, keys, jws) = sealed();
    let opened = open(&jws, &keys).unwrap();
    assert_eq!(opened.header, header(&key));
    assert_eq!(opened.payload, br#"{"resourceType":"Bundle"}"#);
    assert_eq!(opened.sha256, Digest::of(jws.as_bytes()));
    assert_eq!(seal(&key, &opened.header, &opened.payload).unwrap(), jws);
}

#[test]
fn the_header_is_written_in_its_order_and_without_nulls() {
    let (_, _, jws) = sealed();
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(jws.split('.').next().unwrap()).unwrap()).unwrap();
    assert!(text.starts_with(r#"{"alg":"EdDSA","kid":""#), "{text}");
    let Value::Object(members) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
    let names: Vec<_> = members.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "alg",
            "kid",
            "typ",
            "cty",
            "seq",
            "prev",
            "report_id",
            "kind",
            "instance_sha256",
            "pixels_sha256",
            "config_sha256",
            "sealed_at",
            "clock",
            "test"
        ]
    );
}

#[test]
fn any_changed_bit_of_any_byte_breaks_the_seal() {
    let (_, keys, jws) = sealed();
    for at in 0..jws.len() {
        for bit in 0..8 {
            let mut bytes = jws.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let opened = String::from_utf8(bytes).ok().and_then(|changed| open(&changed, &keys).ok());
            assert!(opened.is_none(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn any_other_character_at_the_end_of_a_part_breaks_the_seal() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.+/ \n";
    let (_, keys, jws) = sealed();
    let dots: Vec<usize> = jws.match_indices('.').map(|(at, _)| at).chain([jws.len()]).collect();
    for end in dots {
        for c in ALPHABET {
            let mut changed = jws.clone().into_bytes();
            if changed[end - 1] == *c {
                continue;
            }
            changed[end - 1] = *c;
            assert!(open(std::str::from_utf8(&changed).unwrap(), &keys).is_err());
        }
    }
}

#[test]
fn cut_lengthened_or_rearranged_it_does_not_open() {
    let (_, keys, jws) = sealed();
    for end in 0..jws.len() {
        assert!(open(&jws[..end], &keys).is_err(), "{end}");
    }
    let parts: Vec<&str> = jws.split('.').collect();
    let [h, p, s] = parts[..] else { panic!() };
    let rearranged = [
        format!("{jws}\n"),
        format!(" {jws}"),
        format!("{jws}="),
        format!("{jws}."),
        format!("{jws}.{s}"),
        format!("{h}..{s}"),
        format!("{h}.{p}."),
        format!("{p}.{h}.{s}"),
        format!("{h}.{p}.{p}"),
        "..".into(),
        String::new(),
    ];
    for changed in rearranged {
        assert!(open(&changed, &keys).is_err(), "{changed}");
    }
}

#[test]
fn only_ed25519_is_accepted_and_never_none() {
    let (key, keys, _) = sealed();
    let text = serde_json::to_string(&header(&key)).unwrap();
    assert!(open(&signed_with(&key, &text), &keys).is_ok());
    assert!(open(&signed_with(&key, &text.replace("\"EdDSA\"", "\"Ed25519\"")), &keys).is_ok());
    for alg in ["\"none\"", "\"None\"", "\"HS256\"", "\"ES256\"", "\"eddsa\"", "\"Ed448\"", "null", "[\"EdDSA\"]"] {
        let error = open(&signed_with(&key, &text.replace("\"EdDSA\"", alg)), &keys).unwrap_err();
        assert!(matches!(error, OpenError::Algorithm(_)), "{alg}: {error}");
    }
    let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode("{}"));
    assert!(open(&unsigned, &keys).is_err());
}

#[test]
fn headers_that_could_be_read_in_two_ways_are_refused() {
    let (key, keys, _) = sealed();
    let text = serde_json::to_string(&header(&key)).unwrap();
    let with = |member: &str| signed_with(&key, &format!("{{{member},{}", &text[1..]));
    assert!(open(&with(r#""later":{"a":1}"#), &keys).is_ok(), "members of later versions are ignored");
    for member in
        [r#""crit":["later"]"#, r#""crit":[]"#, r#""b64":false"#, r#""seq":7"#, r#""alg":"EdDSA""#, r#""x":1,"x":1"#]
    {
        let error = open(&with(member), &keys).unwrap_err();
        assert!(matches!(error, OpenError::Header(_)), "{member}: {error}");
    }
    let changes = [
        ("\"seq\":7", "\"seq\":0"),
        ("\"seq\":7", "\"seq\":9007199254740992"),
        ("\"seq\":7", "\"seq\":-1"),
        ("residentd-outcome", "residentd-command"),
        ("\"kind\":\"report\"", "\"kind\":\"final\""),
        ("\"test\":false", "\"test\":null"),
    ];
    for (from, to) in changes {
        assert!(text.contains(from));
        assert!(matches!(open(&signed_with(&key, &text.replace(from, to)), &keys), Err(OpenError::Header(_))), "{to}");
    }
    for text in ["", "[]", "null", "{", "{}x"] {
        assert!(open(&signed_with(&key, text), &keys).is_err(), "{text}");
    }
}

#[test]
fn another_keys_seal_does_not_open_even_under_the_first_keys_name() {
    let (key, keys, jws) = sealed();
    let stranger = DeviceKey::generate().unwrap();
    assert!(matches!(open(&jws, &[stranger.public().clone()]), Err(OpenError::UnknownKey(_))));
    assert!(matches!(open(&jws, &[]), Err(OpenError::UnknownKey(_))));
    let forged = signed_with(&stranger, &serde_json::to_string(&header(&key)).unwrap());
    assert_eq!(open(&forged, &keys), Err(OpenError::Signature));
    assert_eq!(seal(&stranger, &header(&key), b"{}"), Err(SealError::OtherKey(key.id().to_owned())));
}

#[test]
fn nothing_is_sealed_that_could_not_be_opened() {
    let key = DeviceKey::generate().unwrap();
    assert!(matches!(seal(&key, &header(&key), &vec![b' '; MAX_JWS_BYTES]), Err(SealError::TooLarge(_))));
    for seq in [0, MAX_SEQUENCE + 1] {
        assert_eq!(seal(&key, &Header { seq, ..header(&key) }, b"{}"), Err(SealError::Sequence(seq)));
    }
    let (_, keys, jws) = sealed();
    assert_eq!(open(&"A".repeat(MAX_JWS_BYTES + 1), &keys), Err(OpenError::TooLarge));
    assert!(open(&jws, &keys).is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_open_panic(text in "[A-Za-z0-9_.=-]{0,200}|\\PC{0,60}") {
        let (_, keys, _) = sealed();
        prop_assert!(open(&text, &keys).is_err());
    }

    #[test]
    fn any_payload_survives(payload in proptest::collection::vec(any::<u8>(), 1..500)) {
        let key = DeviceKey::generate().unwrap();
        let jws = seal(&key, &header(&key), &payload).unwrap();
        prop_assert_eq!(open(&jws, &[key.public().clone()]).unwrap().payload, payload);
    }
}

/// Reads the JWK and the JWS as two lines; exits 0 where the seal holds and 1 where it
/// does not, 77 where the library is missing. This library's own limits are below ours
/// (512 bytes of header, 128,000 of payload), and unless told otherwise it refuses header
/// members that RFC 7515 4 says to ignore.
const JOSERFC: &str = r#"
import signal, sys
signal.alarm(60)
try:
    from joserfc import jws
    from joserfc.jwk import OKPKey
except ImportError:
    sys.exit(77)
jwk, compact = sys.stdin.read().split("\n")[:2]
registry = jws.JWSRegistry(algorithms=["EdDSA"], strict_check_header=False)
registry.max_header_length, registry.max_payload_length = 8192, 16 * 1024 * 1024
try:
    opened = jws.deserialize_compact(compact, OKPKey.import_key(__import__("json").loads(jwk)), registry=registry)
except Exception as error:
    print(type(error).__name__, error, file=sys.stderr)
    sys.exit(1)
sys.stdout.buffer.write(opened.payload)
"#;

/// Exit code and payload that joserfc gives; `None` where it is not installed.
fn joserfc(jwk: &str, jws: &str) -> Option<(i32, Vec<u8>)> {
    let mut python = Command::new("python3")
        .args(["-c", JOSERFC])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    python.stdin.take().unwrap().write_all(format!("{jwk}\n{jws}\n").as_bytes()).ok()?;
    let output = python.wait_with_output().ok()?;
    output.status.code().filter(|code| *code != 77).map(|code| (code, output.stdout))
}

#[test]
fn a_stock_jose_library_of_another_language_verifies_the_seal() {
    let (key, _, jws) = sealed();
    let jwk = key.public().to_jwk();
    let Some((code, payload)) = joserfc(&jwk, &jws) else {
        eprintln!("skipped: python3 with joserfc is not installed");
        return;
    };
    assert_eq!((code, payload.as_slice()), (0, &br#"{"resourceType":"Bundle"}"#[..]));
    let at = jws.find('.').unwrap() + 3;
    let other = if jws.as_bytes()[at] == b'A' { "B" } else { "A" };
    let changed = format!("{}{other}{}", &jws[..at], &jws[at + 1..]);
    assert_eq!(joserfc(&jwk, &changed).unwrap().0, 1);
}
