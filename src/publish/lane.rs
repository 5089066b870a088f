//! One way out of the store: how far it was read, and what was read and not handed in yet. Pure.

use std::collections::VecDeque;

use crate::store::{Outgoing, Urgency};

/// Ranges that receivers asked for and that wait: more than a few receivers ask for at once.
const ASKED_RANGES: usize = 8;

/// Which way an outcome takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Out of the outbox, in the order of the sequence among outcomes of one urgency.
    Outbox(Urgency),
    /// Out of what is kept, delivered or not, because a receiver asked.
    Asked,
}

/// A question to the store; hand its answer to `Window::fetched`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    pub(super) epoch: u64,
    /// What to read.
    pub lane: Lane,
    /// Only sequences above this …
    pub after: u64,
    /// … and up to this.
    pub until: u64,
    /// At most so many.
    pub limit: u32,
}

/// An outcome of the outbox and the size of the packet it would make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The outcome.
    pub outgoing: Outgoing,
    /// Size of its PUBLISH packet, at most a few bytes too large.
    pub packet_bytes: usize,
}

/// Reading forward through one urgency of the outbox.
#[derive(Debug)]
pub(super) struct Forward {
    /// Tells the answer to an old question from the answer to the last one.
    pub epoch: u64,
    /// Everything up to here is delivered.
    floor: u64,
    /// Everything up to here was read in this round.
    pub cursor: u64,
    pub ready: VecDeque<Parcel>,
    /// The store may have more above the cursor.
    pub stale: bool,
    /// Something before the cursor has to be met again, after the end was reached.
    again: bool,
}

impl Default for Forward {
    fn default() -> Self {
        Self { epoch: 0, floor: 0, cursor: 0, ready: VecDeque::new(), stale: true, again: false }
    }
}

impl Forward {
    /// Starts a new round at the head.
    pub fn restart(&mut self) {
        self.again = false;
        self.back_to(self.floor);
    }

    /// `sequence` was refused: it and what was read after it are met again.
    pub fn refused(&mut self, sequence: u64) {
        // What was read and not handed in is forgotten with it: before that, too.
        let unhanded = self.ready.front().map_or(u64::MAX, |parcel| parcel.outgoing.sequence - 1);
        self.back_to(self.cursor.min(sequence - 1).min(unhanded));
    }

    /// Once the end is reached, a new round starts: what follows is not held up by what comes again.
    pub fn again(&mut self) {
        self.again = true;
    }

    /// True where everything that the store had was handed in, and nothing has to be met again.
    pub fn is_done(&self) -> bool {
        !self.stale && !self.again && self.ready.is_empty()
    }

    /// True where the store has to be asked; starts the next round where one is due.
    pub fn wants(&mut self) -> bool {
        if self.again && !self.stale && self.ready.is_empty() {
            self.restart();
        }
        self.stale && self.ready.is_empty()
    }

    /// The store's answer to a question for what comes after `after`.
    pub fn fetched(&mut self, after: u64, full: bool, parcels: Vec<Parcel>) {
        if let (true, Some(first)) = (after == self.floor, parcels.first()) {
            self.floor = first.outgoing.sequence - 1;
        }
        if let Some(last) = parcels.last() {
            self.cursor = last.outgoing.sequence;
        }
        self.stale |= full;
        self.ready.extend(parcels);
    }

    fn back_to(&mut self, cursor: u64) {
        self.cursor = cursor;
        self.epoch += 1;
        self.stale = true;
        self.ready.clear();
    }
}

/// What receivers asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub epoch: u64,
    /// First and last sequence.
    ranges: heapless::Deque<(u64, u64), ASKED_RANGES>,
    pub ready: VecDeque<Parcel>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// It will be done.
    Taken,
    /// The same was asked before and is under way.
    UnderWay,
    /// Too much was asked already; ask again later.
    Busy,
}

impl Asked {
    pub fn ask(&mut self, from: u64, to: u64) -> Request {
        if self.ranges.iter().any(|(first, last)| *first <= from && to <= *last) {
            return Request::UnderWay;
        }
        self.ranges.push_back((from, to)).map_or(Request::Busy, |()| Request::Taken)
    }

    /// The range to ask the store for: everything after the first, up to the second.
    pub fn wants(&self) -> Option<(u64, u64)> {
        let (from, to) = self.ranges.front().filter(|_| self.ready.is_empty())?;
        Some((from - 1, *to))
    }

    pub fn fetched(&mut self, full: bool, parcels: Vec<Parcel>) {
        let Some((from, to)) = self.ranges.front_mut() else { return };
        match parcels.last() {
            Some(last) if full && last.outgoing.sequence < *to => *from = last.outgoing.sequence + 1,
            _ => {
                self.ranges.pop_front();
            }
        }
        self.ready.extend(parcels);
    }

    /// The connection is gone; who still wants something asks again.
    pub fn forget(&mut self) {
        self.epoch += 1;
        self.ranges.clear();
        self.ready.clear();
    }
}
