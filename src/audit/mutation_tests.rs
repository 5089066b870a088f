//! Ten thousand seeded attacks on a log that was really written, at or before its last
//! checkpoint: none may pass.

use std::sync::Arc;

use super::verify::verify;
use super::*;
use crate::clock::Moment;
use crate::digest::Digest;
use crate::seal::key::DeviceKey;

const MUTATIONS: u64 = 10_000;
const LINES: u64 = 260;
/// Lines that no checkpoint covers; no mutation starts there.
const LATER: u64 = 12;

/// `SplitMix64` (Steele et al., 2014): the same attacks each time.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}

/// A device's log: its lines, where its segments begin, its checkpoints.
struct Device {
    lines: Vec<Vec<u8>>,
    segments: Vec<Segment>,
    checkpoints: Vec<Checkpoint>,
}

fn device() -> Device {
    let folder = tempfile::tempdir().unwrap();
    let key = Arc::new(DeviceKey::generate().unwrap());
    let limits = Limits { segment_bytes: 9000, segments: 100 };
    let mut log = Log::open(folder.path(), limits, Some(Arc::clone(&key))).unwrap().log;
    let mut published = Vec::new();
    for n in 0..LINES {
        let at = Moment { unix_ms: 1_800_000_000_000 + i64::try_from(n).unwrap() * 250, synchronised: n > 20 };
        let instance = Digest::of(&[&n.to_le_bytes()[..], key.id().as_bytes()].concat());
        let event = match n % 4 {
            0 => Event::Accepted { instance, calling_ae: "CART7".parse().unwrap(), address: [10, 0, 0, 7].into() },
            1 => Event::Read {
                instance,
                outcome: Outcome::Report,
                reason: None,
                bundle: Some(Digest::of(b"b")),
                prior: None,
            },
            2 => Event::Sealed { sequence: n / 4 + 1, outcome: instance, report_id: "an-id".into(), instance },
            _ => Event::Delivered { sequence: n / 4 + 1, proof: key.id().into() },
        };
        log.append(&[(at, event)]).unwrap();
        if n % 40 == 17 || n + 1 + LATER == LINES {
            published.push(log.checkpoint(at).unwrap().unwrap());
        }
    }
    log.sync().unwrap();
    let (segments, local) = Segment::all(folder.path()).unwrap();
    let all = published.iter().map(|jws| &**jws).chain(local.iter().map(String::as_str));
    let mut checkpoints: Vec<_> = all.map(|jws| Checkpoint::open(jws, &[key.public().clone()]).unwrap()).collect();
    checkpoints.retain(|checkpoint| checkpoint.seq <= LINES - LATER);
    let lines = segments.iter().flat_map(|segment| line::complete(&segment.bytes).0.map(<[u8]>::to_vec)).collect();
    Device { lines, segments, checkpoints }
}

impl Device {
    /// The segments of `lines`, cut where this device's are cut.
    fn cut(&self, lines: &[Vec<u8>]) -> Vec<Segment> {
        let starts: Vec<usize> = self.segments.iter().map(|s| usize::try_from(s.first).unwrap() - 1).collect();
        let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
        let cut = starts.iter().zip(ends).filter(|(start, _)| **start < lines.len());
        cut.map(|(start, end)| Segment {
            first: *start as u64 + 1,
            bytes: lines[*start..end.min(lines.len())].iter().flat_map(|l| [l.as_slice(), b"\n"].concat()).collect(),
        })
        .collect()
    }
}

/// How many lines the last checkpoint covers.
fn signed_lines() -> usize {
    usize::try_from(LINES - LATER).unwrap()
}

/// Numbers and chains `lines` anew from line `from` (0-based) on: the best that someone
/// without the key can do.
fn chained_anew(lines: &mut [Vec<u8>], from: usize) {
    for at in from..lines.len() {
        let prev = if at == 0 { Head::GENESIS.sha256 } else { Digest::of(&lines[at - 1]) };
        let mut line: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&lines[at]).unwrap();
        line["seq"] = (at + 1).into();
        line["prev"] = prev.to_string().into();
        lines[at] = serde_json::to_vec(&line).unwrap();
    }
}

/// One attack; the name of its kind and what it leaves on the disk.
#[expect(clippy::too_many_lines, reason = "one arm an attack reads best beside the others")]
fn mutated(device: &Device, other: &Device, kind: u64, random: &mut Seeded) -> (&'static str, Vec<Segment>) {
    let mut lines = device.lines.clone();
    let signed = signed_lines();
    let at = random.below(signed);
    let forged = |seq: usize| {
        let mut line: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&device.lines[seq]).unwrap();
        line["at"] = "2026-01-01T00:00:00Z".into();
        serde_json::to_vec(&line).unwrap()
    };
    match kind {
        0 => {
            // Any bit of any byte, line feeds included.
            let mut segments = device.segments.clone();
            let bytes = lines[..signed].iter().map(|line| line.len() + 1).sum::<usize>();
            let mut offset = random.below(bytes);
            for segment in &mut segments {
                if offset < segment.bytes.len() {
                    segment.bytes[offset] ^= 1 << random.below(8);
                    break;
                }
                offset -= segment.bytes.len();
            }
            ("bit flip", segments)
        }
        1 => {
            let many = 1 + random.below((signed - at).min(5));
            lines.drain(at..at + many);
            ("deletion", device.cut(&lines))
        }
        2 => {
            let with = (at + 1 + random.below(signed - 1)) % signed;
            lines.swap(at, with);
            ("swap", device.cut(&lines))
        }
        3 => {
            let line = lines[random.below(signed)].clone();
            lines.insert(at, line);
            ("duplication", device.cut(&lines))
        }
        4 => {
            let mut segments = device.cut(&lines[..=at]);
            let last = segments.last_mut().unwrap();
            last.bytes.truncate(last.bytes.len() - 1 - random.below(lines[at].len()));
            ("truncation inside a line", segments)
        }
        5 => ("truncation", device.cut(&lines[..at])),
        6 => {
            let many = 1 + random.below((signed - at).min(40));
            lines[at..at + many].clone_from_slice(&other.lines[at..at + many]);
            ("splice of another device", device.cut(&lines))
        }
        7 => {
            lines[at..].clone_from_slice(&other.lines[at..]);
            chained_anew(&mut lines, at);
            ("another device's tail, chained anew", device.cut(&lines))
        }
        8 => {
            lines[at] = forged(at);
            chained_anew(&mut lines, at);
            ("edit, chained anew", device.cut(&lines))
        }
        9 => {
            lines.remove(at);
            chained_anew(&mut lines, at);
            ("deletion, chained anew", device.cut(&lines))
        }
        10 => {
            lines.insert(at, forged(random.below(signed)));
            chained_anew(&mut lines, at);
            ("insertion, chained anew", device.cut(&lines))
        }
        11 => {
            // The front is gone, and a forged line says that the device retired it.
            let gone = 1 + random.below(device.segments.len() - 2);
            let mut segments = device.segments[gone..].to_vec();
            let through = segments[0].first - 1;
            let head = Digest::of(&device.lines[usize::try_from(through).unwrap() - 1]);
            let word = Event::Retired { through, head };
            let tail = segments.last_mut().unwrap();
            let now = Moment { unix_ms: 1_800_000_100_000, synchronised: true };
            let end = Head { seq: LINES, sha256: Digest::of(device.lines.last().unwrap()) };
            line::write(&mut tail.bytes, end, now, &word);
            ("front cut off, with a forged retirement", segments)
        }
        12 => {
            let from = random.below(device.segments.len() - 1);
            let mut segments = device.segments.clone();
            segments.remove(from);
            ("a segment taken out", segments)
        }
        13 => {
            let mut segments = device.segments.clone();
            let with = random.below(segments.len() - 2);
            let (a, b) = (segments[with].bytes.clone(), segments[with + 1].bytes.clone());
            (segments[with].bytes, segments[with + 1].bytes) = (b, a);
            ("two segments exchanged", segments)
        }
        14 => {
            // Cut short, then filled up with invented lines to the old length.
            let length = lines.len();
            lines.truncate(at);
            (at..length).for_each(|seq| lines.push(forged(seq)));
            chained_anew(&mut lines, at);
            ("tail invented", device.cut(&lines))
        }
        _ => {
            let mut segments = device.cut(&lines);
            let insert = random.next().to_le_bytes();
            let bytes = &mut segments[0].bytes;
            let place = random.below(bytes.len());
            bytes.splice(place..place, insert.into_iter().take(1 + usize::from(insert[7] % 8)));
            ("bytes put in", segments)
        }
    }
}

#[test]
fn no_mutation_at_or_before_the_last_checkpoint_goes_undetected() {
    let (device, other) = (device(), device());
    let untouched = verify(&device.segments, &device.checkpoints);
    assert!(untouched.passed() && untouched.later == LATER, "{untouched}");
    assert!(device.segments.len() > 4 && device.checkpoints.len() > 8);
    let mut random = Seeded(20_261_124);
    let mut tried = std::collections::BTreeMap::new();
    for n in 0..MUTATIONS {
        let (kind, segments) = mutated(&device, &other, n % 16, &mut random);
        assert_ne!(segments, device.segments, "{kind} {n} changed nothing");
        let verified = verify(&segments, &device.checkpoints);
        assert!(!verified.passed(), "{kind}, mutation {n}, was not detected: {verified}");
        *tried.entry(kind).or_insert(0_u64) += 1;
    }
    assert_eq!((tried.len(), tried.values().sum::<u64>()), (16, MUTATIONS));
}

#[test]
fn what_was_chained_anew_is_caught_by_the_checkpoint_alone() {
    let (device, other) = (device(), device());
    let mut random = Seeded(7);
    for kind in [7, 8, 9, 10, 14] {
        let (name, segments) = mutated(&device, &other, kind, &mut random);
        let last = u64::try_from(segments.iter().map(|s| line::complete(&s.bytes).0.count()).sum::<usize>()).unwrap();
        // A checkpoint that the forger could sign for himself would hold: the chain is whole.
        let bytes = &segments.last().unwrap().bytes;
        let line = line::complete(bytes).0.last().unwrap();
        let forged = Checkpoint { seq: last, head: Digest::of(line), ..device.checkpoints[0].clone() };
        assert!(verify(&segments, &[forged]).passed(), "{name}");
        assert!(!verify(&segments, &device.checkpoints).passed(), "{name}");
    }
}

#[test]
fn truncation_after_the_last_checkpoint_is_said_to_be_beyond_proof() {
    let device = device();
    let whole = verify(&device.segments, &device.checkpoints);
    assert!(whole.to_string().contains(&format!("holds up to checkpoint {}, {LATER} later lines", LINES - LATER)));
    assert!(whole.to_string().contains("not proven: 12 later lines"), "{whole}");
    let cut = verify(&device.cut(&device.lines[..signed_lines()]), &device.checkpoints);
    assert!(cut.passed() && cut.later == 0, "{cut}");
}

#[test]
fn a_log_without_a_checkpoint_proves_nothing() {
    let device = device();
    assert!(!verify(&device.segments, &[]).passed());
    assert!(!verify(&[], &device.checkpoints).passed());
}
