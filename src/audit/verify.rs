//! Verifying a log against checkpoints: what is proven, what is wrong, and what no signature
//! can show. The pure half of `residentd audit verify`: bytes and checkpoints in, statements out.

use std::collections::BTreeMap;
use std::fmt;

use super::checkpoint::Checkpoint;
use super::line::{self, Head, Line};
use super::segment::Segment;
use crate::digest::Digest;
use crate::seal::verify::Statement;

/// What came of verifying.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// In order of reading.
    pub statements: Vec<Statement>,
    /// The last line up to which a checkpoint holds.
    pub holds_to: Option<u64>,
    /// Lines that chain after it, which nobody signed for.
    pub later: u64,
}

impl Verified {
    /// True where a checkpoint holds and nothing was refuted.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.holds_to.is_some() && !self.statements.iter().any(|s| matches!(s, Statement::Refuted(_)))
    }

    fn say(&mut self, statement: Statement) {
        self.statements.push(statement);
    }
}

impl fmt::Display for Verified {
    /// One statement a line, then the verdict.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statements.iter().try_for_each(|statement| writeln!(f, "{statement}"))?;
        match self.holds_to.filter(|_| self.passed()) {
            Some(seq) => write!(f, "The log holds up to checkpoint {seq}, {} later lines chained.", self.later),
            None => f.write_str("THE LOG DOES NOT HOLD."),
        }
    }
}

/// What was found while walking the lines.
#[derive(Default)]
struct Walked {
    /// The first line's place and what it says of the line before.
    start: Option<Head>,
    last: Option<Head>,
    /// Hashes of the lines that checkpoints are about.
    signed: BTreeMap<u64, Digest>,
    /// `retired` lines: their own place, and the last line that they say is gone.
    retired: Vec<(u64, Head)>,
    /// Bytes after the last line feed.
    torn: usize,
    /// A line does not follow: what comes after it was not looked at.
    stopped: bool,
}

/// Verifies `segments`, in order, against `checkpoints`, whose signatures were checked.
#[must_use]
pub fn verify(segments: &[Segment], checkpoints: &[Checkpoint]) -> Verified {
    let mut verified = Verified::default();
    let mut walked = Walked::default();
    walked.signed.extend(checkpoints.iter().map(|c| (c.seq, Head::GENESIS.sha256)));
    if let Err(wrong) = walked.all(segments) {
        walked.stopped = true;
        verified.say(Statement::Refuted(format!("{wrong}; what follows was not looked at")));
    }
    let Some((start, last)) = walked.start.zip(walked.last) else {
        verified.say(Statement::Refuted("there is no line here".to_owned()));
        return verified;
    };
    hold(&mut verified, &walked, start, last, checkpoints);
    beginning(&mut verified, &walked, start);
    match verified.holds_to {
        Some(seq) => verified.later = last.seq.saturating_sub(seq),
        None => verified.say(Statement::NotProven(
            "no checkpoint holds, so nothing shows that the device wrote these lines: give one with --checkpoint"
                .to_owned(),
        )),
    }
    limits(&mut verified, &walked, last);
    verified
}

/// Every checkpoint against the line that it is about.
fn hold(verified: &mut Verified, walked: &Walked, start: Head, last: Head, checkpoints: &[Checkpoint]) {
    let mut newest: Option<&Checkpoint> = None;
    let (mut held, mut retired) = (0, 0);
    for checkpoint in checkpoints {
        let Checkpoint { seq, at, .. } = checkpoint;
        if *seq > last.seq && walked.stopped {
            // Not looked at, and the walk already says what is wrong.
        } else if *seq > last.seq {
            verified.say(Statement::Refuted(format!(
                "line {seq} was signed for at {at}, and the log ends at line {}: lines were cut off, or this is another log",
                last.seq
            )));
        } else if *seq < start.seq {
            retired += 1;
        } else if walked.hash_of(*seq, start) == Some(checkpoint.head) {
            held += 1;
            newest = newest.filter(|newest| newest.seq >= *seq).or(Some(checkpoint));
        } else {
            verified.say(Statement::Refuted(format!(
                "line {seq} is not the one that was signed for at {at}: it or a line before it was changed"
            )));
        }
    }
    if let Some(Checkpoint { seq, at, synchronised, kid, .. }) = newest {
        verified.holds_to = Some(*seq);
        let clock = if *synchronised { "a synchronised clock" } else { "a clock that was NOT synchronised" };
        verified.say(Statement::Proven(format!(
            "lines {} to {seq} are as key {kid} signed for them at {at} by {clock} ({held} checkpoints hold)",
            start.seq + 1
        )));
    }
    if retired > 0 {
        verified.say(Statement::NotProven(format!(
            "{retired} checkpoints are about lines before {}, which are no longer kept here",
            start.seq + 1
        )));
    }
}

/// A log that starts later than with line 1 says why, in a line that is signed for.
fn beginning(verified: &mut Verified, walked: &Walked, start: Head) {
    if start == Head::GENESIS {
        return verified.say(Statement::Proven("it starts with the device's first line".to_owned()));
    }
    let signed = |seq: u64| verified.holds_to.is_some_and(|to| seq <= to);
    let said = walked.retired.iter().find(|(seq, gone)| *gone == start && signed(*seq));
    verified.say(match said {
        Some((seq, _)) => Statement::Proven(format!(
            "it starts with line {}: those before were retired by the device, which line {seq} says",
            start.seq + 1
        )),
        None => Statement::Refuted(format!(
            "it starts with line {}, and no line that is signed for says that those before were retired",
            start.seq + 1
        )),
    });
}

fn limits(verified: &mut Verified, walked: &Walked, last: Head) {
    if walked.torn > 0 {
        verified.say(Statement::NotProven(format!(
            "{} bytes after line {} are half a line: it is being written, or the power was cut",
            walked.torn, last.seq
        )));
    }
    if verified.later > 0 {
        verified.say(Statement::NotProven(format!(
            "{} later lines chain to it, but no given checkpoint covers them: whether they are all, or were rewritten, \
             only a later checkpoint shows",
            verified.later
        )));
    }
}

impl Walked {
    fn hash_of(&self, seq: u64, start: Head) -> Option<Digest> {
        if seq == start.seq { Some(start.sha256) } else { self.signed.get(&seq).copied() }
    }

    /// Walks until the first line that does not follow.
    fn all(&mut self, segments: &[Segment]) -> Result<(), String> {
        for (at, segment) in segments.iter().enumerate() {
            let expected = self.last.map_or(segment.first, |last| last.seq + 1);
            if segment.first != expected {
                return Err(format!(
                    "the segment of line {} stands where that of line {expected} belongs",
                    segment.first
                ));
            }
            let (lines, complete) = line::complete(&segment.bytes);
            for bytes in lines {
                self.one(segment.first, bytes)?;
            }
            self.torn = segment.bytes.len() - complete;
            if at + 1 < segments.len() && self.torn > 0 {
                return Err(format!("the segment of line {} ends in half a line", segment.first));
            }
        }
        Ok(())
    }

    fn one(&mut self, first: u64, bytes: &[u8]) -> Result<(), String> {
        let expected = self.last.map_or(first, |last| last.seq + 1);
        let line = Line::read(bytes).ok_or_else(|| format!("line {expected} is not a line of an audit log"))?;
        if line.seq != expected {
            return Err(format!("line {} stands where line {expected} belongs", line.seq));
        }
        match self.last {
            Some(last) if last.sha256 != line.prev => {
                return Err(format!("line {expected} does not follow line {}: one of both was changed", last.seq));
            }
            None if expected == 1 && line.prev != Head::GENESIS.sha256 => {
                return Err("line 1 claims to follow another line".to_owned());
            }
            None => self.start = Some(Head { seq: expected.saturating_sub(1), sha256: line.prev }),
            Some(_) => {}
        }
        let sha256 = Digest::of(bytes);
        self.last = Some(Head { seq: expected, sha256 });
        if let Some(signed) = self.signed.get_mut(&expected) {
            *signed = sha256;
        }
        if let ("retired", Some(seq), Some(head)) = (line.event.as_str(), line.through, line.head) {
            self.retired.push((expected, Head { seq, sha256: head }));
        }
        Ok(())
    }
}
