//! The window against random schedules of acknowledgements, receipts, refusals, losses and
//! reconnects, with a model of the client, the broker, the receiver and the store that knows the truth.

use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;

use super::super::awaiting::AHEAD;
use super::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Produce(u8),
    HandIn,
    Notice,
    Assign,
    /// Answer the n-th live packet id; `None` is success.
    Answer(usize, Option<u8>),
    /// Answer a packet id that may not be live.
    Stray(u16),
    Fetch,
    Answered,
    FetchFails,
    Record,
    Resume,
    Ring,
    Lose,
    Connect(Option<u16>, Option<u32>),
    /// The receiver's receipt for the n-th outcome that it has arrives; whether it is lost.
    Receipt(usize, bool),
    Overdue,
    Remind,
    Ask(u64, u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1u8..20).prop_map(Step::Produce),
        8 => Just(Step::HandIn),
        1 => Just(Step::Notice),
        8 => Just(Step::Assign),
        8 => (0usize..16, prop_oneof![3 => Just(None), 1 => prop::sample::select(vec![0x10, 0x80, 0x87, 0x97, 0x99]).prop_map(Some)])
            .prop_map(|(which, reason)| Step::Answer(which, reason)),
        1 => (0u16..20).prop_map(Step::Stray),
        4 => Just(Step::Fetch),
        4 => Just(Step::Answered),
        1 => Just(Step::FetchFails),
        3 => Just(Step::Record),
        2 => Just(Step::Resume),
        2 => Just(Step::Ring),
        1 => Just(Step::Lose),
        2 => (prop::option::of(0u16..40), prop::option::of(50u32..200)).prop_map(|(r, p)| Step::Connect(r, p)),
        6 => (0usize..40, prop::bool::weighted(0.3)).prop_map(|(which, lost)| Step::Receipt(which, lost)),
        1 => Just(Step::Overdue),
        1 => Just(Step::Remind),
        1 => (1u64..200, 0u64..40).prop_map(|(from, more)| Step::Ask(from, from + more)),
    ]
}

/// Client, broker, receiver and store around a window.
struct World {
    proof: Proof,
    window: Window<u32>,
    produced: u64,
    recorded: BTreeSet<u64>,
    /// Success was answered to a hand-in of these.
    truly_taken: BTreeSet<u64>,
    connected: bool,
    limit: usize,
    max_packet: usize,
    next_pkid: u16,
    unassigned: VecDeque<Option<u64>>,
    live: Vec<(u16, Option<u64>)>,
    question: Option<(Fetch, Vec<Parcel>)>,
    /// By urgency; a refusal or a new round goes back.
    last_handed: [u64; 2],
    /// Whether each urgency may start at its head once more.
    new_round: [bool; 2],
    /// What the receiver has, and its receipt has not arrived.
    at_receiver: BTreeSet<u64>,
    asked: BTreeSet<u64>,
}

/// Every seventh outcome makes a large packet.
fn packet_bytes(sequence: u64) -> usize {
    if sequence.is_multiple_of(7) { 150 } else { 40 }
}

/// Every fifth outcome is urgent.
fn urgency(sequence: u64) -> Urgency {
    if sequence.is_multiple_of(5) { Urgency::Urgent } else { Urgency::Routine }
}

impl World {
    fn new(proof: Proof, produced: u64) -> Self {
        Self {
            proof,
            window: Window::new(proof),
            produced,
            recorded: BTreeSet::new(),
            truly_taken: BTreeSet::new(),
            connected: false,
            limit: 0,
            max_packet: 0,
            next_pkid: 0,
            unassigned: VecDeque::new(),
            live: Vec::new(),
            question: None,
            last_handed: [0; 2],
            new_round: [false; 2],
            at_receiver: BTreeSet::new(),
            asked: BTreeSet::new(),
        }
    }

    fn answer_to(&self, fetch: Fetch) -> Vec<Parcel> {
        (fetch.after + 1..=self.produced.min(fetch.until))
            .filter(|s| match fetch.lane {
                Lane::Outbox(lane) => !self.recorded.contains(s) && urgency(*s) == lane,
                Lane::Asked => true,
            })
            .take(fetch.limit as usize)
            .map(|sequence| Parcel {
                outgoing: Outgoing { sequence, report_id: String::new(), jws: String::new() },
                packet_bytes: packet_bytes(sequence),
            })
            .collect()
    }

    fn record(&mut self) {
        let sequences = self.window.unrecorded().to_vec();
        self.recorded.extend(&sequences);
        self.window.recorded(&sequences);
    }

    fn hand_in(&mut self) {
        match self.window.next_report() {
            Next::Send(outgoing) => {
                assert!(self.connected, "handed in without a connection");
                assert!(packet_bytes(outgoing.sequence) <= self.max_packet);
                let sequence = outgoing.sequence;
                let last = &mut self.last_handed[urgency(sequence) as usize];
                if !self.asked.contains(&sequence) {
                    let back = sequence <= *last;
                    let may_go_back = &mut self.new_round[urgency(sequence) as usize];
                    assert!(!back || *may_go_back, "out of order");
                    *may_go_back &= !back;
                    *last = sequence;
                }
                assert!(self.live.iter().all(|(_, s)| *s != Some(outgoing.sequence)), "twice at once");
                self.unassigned.push_back(Some(outgoing.sequence));
            }
            Next::TooLarge { sequence, .. } => assert!(packet_bytes(sequence) > self.max_packet),
            Next::Nothing => {}
        }
        assert!(self.live.len() + self.unassigned.len() <= self.limit, "more than the window");
    }

    /// As rumqttc does it: ids cycle through 1..=limit, and a live one must not come up again.
    fn assign(&mut self) {
        let Some(what) = self.unassigned.pop_front() else { return };
        self.next_pkid = if usize::from(self.next_pkid) >= self.limit { 1 } else { self.next_pkid + 1 };
        assert!(self.live.iter().all(|(pkid, _)| *pkid != self.next_pkid), "packet id in use");
        self.live.push((self.next_pkid, what));
        self.window.outgoing(self.next_pkid);
    }

    fn answer(&mut self, which: usize, reason: Option<u8>) {
        if self.live.is_empty() {
            return;
        }
        let (pkid, what) = self.live.remove(which % self.live.len());
        let verdict = match reason {
            None => Verdict::Taken,
            Some(0x10) => Verdict::NoSubscriber,
            Some(code) => Verdict::Refused(code),
        };
        match (self.window.acknowledged(pkid, verdict), what) {
            (Acknowledged::Delivered(s), Some(truth)) => {
                assert_eq!((s, reason, self.proof), (truth, None, Proof::Acknowledgement));
                self.truly_taken.insert(s);
            }
            (Acknowledged::Taken(s), Some(truth)) => {
                assert_eq!((s, reason, self.proof), (truth, None, Proof::Receipt));
                self.at_receiver.insert(s);
            }
            (Acknowledged::Refused { sequence, .. }, Some(truth)) => {
                assert_eq!(sequence, truth);
                assert!(reason.is_some());
                self.last_handed = self.last_handed.map(|last| last.min(sequence - 1));
            }
            (Acknowledged::Notice(_, v), None) => assert_eq!(v, verdict),
            (other, truth) => panic!("{truth:?} was answered, the window says {other:?}"),
        }
    }

    fn receipt(&mut self, which: usize, lost: bool) {
        let Some(sequence) = self.at_receiver.iter().nth(which % self.at_receiver.len().max(1)).copied() else {
            return;
        };
        self.at_receiver.remove(&sequence);
        if !lost {
            self.recorded.insert(sequence);
            self.truly_taken.insert(sequence);
            self.window.receipted(sequence, true);
        }
    }

    fn lose(&mut self) {
        self.window.disconnected();
        self.connected = false;
        self.limit = 0;
        self.unassigned.clear();
        self.live.clear();
        self.next_pkid = 0;
        self.last_handed = [0; 2];
        self.new_round = [false; 2];
        self.asked.clear();
    }

    fn connect(&mut self, receive_maximum: Option<u16>, max_packet: Option<u32>) {
        self.lose();
        self.window.connected(receive_maximum, max_packet);
        self.connected = true;
        self.limit = receive_maximum.map_or(WINDOW, |r| WINDOW.min(r.into()));
        self.max_packet = max_packet.map_or(usize::MAX, |p| p as usize);
    }

    fn fetch(&mut self) {
        self.record();
        if let Some(fetch) = self.window.fetch() {
            self.question = Some((fetch, self.answer_to(fetch)));
        }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Produce(n) => self.produced += u64::from(n),
            Step::HandIn => self.hand_in(),
            Step::Notice => {
                if self.window.hand_in_notice(0).is_ok() {
                    self.unassigned.push_back(None);
                }
            }
            Step::Assign => self.assign(),
            Step::Answer(which, reason) => self.answer(which, reason),
            Step::Stray(pkid) if self.live.iter().all(|(live, _)| *live != pkid) => {
                assert_eq!(self.window.acknowledged(pkid, Verdict::Taken), Acknowledged::Unknown);
            }
            Step::Stray(_) => {}
            Step::Fetch => self.fetch(),
            Step::Answered => {
                if let Some((fetch, parcels)) = self.question.take() {
                    self.window.fetched(fetch, parcels);
                }
            }
            Step::FetchFails => {
                if self.question.take().is_some() {
                    self.window.fetch_failed();
                }
            }
            Step::Record => self.record(),
            Step::Resume => self.window.resume(),
            Step::Ring => self.window.ring(),
            Step::Lose => self.lose(),
            Step::Connect(receive_maximum, max_packet) => self.connect(receive_maximum, max_packet),
            _ if self.proof == Proof::Acknowledgement => {}
            Step::Receipt(which, lost) => self.receipt(which, lost),
            Step::Overdue => {
                if self.window.overdue() > 0 {
                    self.new_round = [true; 2];
                }
            }
            Step::Remind => self.window.remind(),
            Step::Ask(from, to) => {
                if self.connected && self.window.ask(from, to) == Request::Taken {
                    self.asked.extend(from..=to);
                }
            }
        }
        let known: BTreeSet<u64> = self.recorded.iter().chain(self.window.unrecorded()).copied().collect();
        assert_eq!(known, self.truly_taken, "delivered without its proof, or a proof lost");
        assert!(self.window.unrecorded().len() <= 2 * WINDOW + FETCH as usize);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_or_claimed_and_all_drains_once_faults_end(
        steps in prop::collection::vec(step(), 0..400),
        proof in prop::sample::select(vec![Proof::Acknowledgement, Proof::Receipt]),
    ) {
        let mut world = World::new(proof, 0);
        for step in steps {
            world.apply(step);
        }
        // Faults end here, without a reconnect where a usable connection stands.
        if !world.connected || world.limit == 0 || world.max_packet < 150 {
            world.apply(Step::Connect(Some(3), None));
        }
        world.apply(Step::Ring);
        let rounds = 8 * world.produced + 64;
        for _ in 0..rounds {
            for step in [Step::Resume, Step::Fetch, Step::Answered, Step::HandIn, Step::Assign, Step::Answer(0, None), Step::Record] {
                world.apply(step);
            }
            // A receipt that was lost comes when the outcome is sent again: after a wait, not before.
            world.apply(Step::Receipt(0, false));
            if world.at_receiver.is_empty() && world.live.is_empty() {
                world.apply(Step::Overdue);
            }
        }
        prop_assert_eq!(world.recorded.len() as u64, world.produced);
    }
}

#[test]
fn a_too_large_outcome_is_passed_over_and_the_others_go_on() {
    let mut world = World::new(Proof::Acknowledgement, 10);
    world.connect(None, Some(100));
    for _ in 0..40 {
        for step in [Step::Fetch, Step::Answered, Step::HandIn, Step::Assign, Step::Answer(0, None), Step::Record] {
            world.apply(step);
        }
    }
    assert_eq!(world.recorded.len(), 9);
    assert!(!world.recorded.contains(&7));
    world.fetch();
    assert!(world.question.is_none(), "an outcome that cannot go is not fetched again and again");
}

#[test]
fn a_refusal_forgets_nothing_that_was_fetched_and_not_handed_in_again() {
    // Found by the property above: 1 is refused and fetched again, then 2 is refused.
    let mut world = World::new(Proof::Acknowledgement, 2);
    world.connect(None, None);
    let refuse = || Step::Answer(0, Some(0x10));
    for step in [Step::Fetch, Step::Answered, Step::HandIn, Step::HandIn, Step::Assign, refuse()] {
        world.apply(step);
    }
    for step in [Step::Resume, Step::Fetch, Step::Assign, Step::Answered, refuse(), Step::Resume] {
        world.apply(step);
    }
    for _ in 0..2 {
        for step in [Step::Fetch, Step::Answered, Step::HandIn, Step::Assign, Step::Answer(0, None), Step::Record] {
            world.apply(step);
        }
    }
    assert_eq!(world.recorded.len(), 2, "both arrive without a reconnect");
}

#[test]
fn refusals_of_one_round_are_one_failure() {
    let mut world = World::new(Proof::Acknowledgement, 3);
    world.connect(None, None);
    for step in [Step::Fetch, Step::Answered, Step::Fetch, Step::Answered] {
        world.apply(step);
    }
    (0..3).for_each(|_| world.hand_in());
    (0..3).for_each(|_| world.assign());
    let back_off = |answer| match answer {
        Acknowledged::<u32>::Refused { back_off, .. } => back_off,
        other => panic!("{other:?}"),
    };
    assert_eq!(back_off(world.window.acknowledged(1, Verdict::NoSubscriber)), Some(0));
    assert_eq!(back_off(world.window.acknowledged(2, Verdict::NoSubscriber)), None);
    assert!(world.window.fetch().is_none(), "nothing moves during the wait");
    world.window.resume();
    assert_eq!(back_off(world.window.acknowledged(3, Verdict::Refused(0x97))), Some(1));
}

#[test]
fn a_receive_maximum_of_zero_hands_in_nothing() {
    let mut window = Window::<u32>::new(Proof::Acknowledgement);
    window.connected(Some(0), None);
    assert!(!window.has_room());
    assert_eq!(window.hand_in_notice(1), Err(1));
    assert_eq!(window.fetch(), None);
}

/// Turns until nothing moves any more; receipts for what `receipts` says.
fn turn(world: &mut World, rounds: u64, receipts: impl Fn(u64) -> bool) -> Vec<u64> {
    let mut sent = Vec::new();
    for _ in 0..rounds {
        for step in [Step::Fetch, Step::Answered, Step::HandIn, Step::Assign] {
            world.apply(step);
        }
        if let Some((_, Some(sequence))) = world.live.last() {
            sent.push(*sequence);
        }
        world.apply(Step::Answer(0, None));
        for sequence in std::mem::take(&mut world.at_receiver) {
            if receipts(sequence) {
                world.at_receiver.insert(sequence);
                world.apply(Step::Receipt(0, false));
            }
        }
    }
    sent
}

#[test]
fn urgent_outcomes_overtake_and_each_urgency_keeps_its_order() {
    let mut world = World::new(Proof::Receipt, 12);
    world.connect(None, None);
    // Both lanes have to be read before the first hand-in.
    for step in [Step::Fetch, Step::Answered, Step::Fetch, Step::Answered] {
        world.apply(step);
    }
    assert_eq!(turn(&mut world, 20, |_| true), [5, 10, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12]);
}

#[test]
fn what_nobody_receipts_is_sent_again_after_a_wait_and_holds_up_nothing() {
    let mut world = World::new(Proof::Receipt, 4);
    world.connect(None, None);
    assert_eq!(turn(&mut world, 20, |sequence| sequence != 2), [1, 2, 3, 4]);
    assert_eq!(turn(&mut world, 20, |_| true), [0; 0], "no second time before the wait is over");
    world.apply(Step::Overdue);
    assert_eq!(turn(&mut world, 20, |_| true), [0; 0], "a whole wait, not the rest of one");
    world.apply(Step::Overdue);
    world.produced = 6;
    world.window.ring();
    assert_eq!(turn(&mut world, 20, |_| true), [5, 6, 2], "what is new goes first");
    assert_eq!(world.recorded.len(), 6);
}

#[test]
fn a_receiver_that_is_not_there_is_sent_a_bounded_number_ahead_and_urgent_ones_still() {
    let mut world = World::new(Proof::Receipt, 2 * AHEAD as u64);
    world.connect(None, None);
    let sent = turn(&mut world, 4 * AHEAD as u64, |_| false);
    assert!(sent.len() <= AHEAD, "{}", sent.len());
    let again = |world: &mut World| {
        world.apply(Step::Overdue);
        world.apply(Step::Overdue);
        turn(world, 4 * AHEAD as u64, |_| false)
    };
    let mut met: BTreeSet<u64> = sent.into_iter().collect();
    (0..3).for_each(|_| met.extend(again(&mut world)));
    assert_eq!(met.len(), 2 * AHEAD, "rounds reach the end of the outbox");
}

#[test]
fn a_receiver_can_ask_for_what_was_delivered_and_for_nothing_that_is_not() {
    let mut world = World::new(Proof::Receipt, 9);
    world.connect(None, None);
    turn(&mut world, 20, |_| true);
    world.apply(Step::Ask(3, 4));
    world.apply(Step::Ask(8, 40));
    assert_eq!(world.window.ask(8, 9), Request::UnderWay);
    assert_eq!(turn(&mut world, 20, |_| true), [3, 4, 8, 9]);
    assert_eq!((0..20).filter(|n| world.window.ask(100 + n, 100 + n) == Request::Busy).count(), 12);
}

#[test]
fn what_is_asked_for_and_refused_is_met_again_where_it_still_waits() {
    let mut world = World::new(Proof::Receipt, 1);
    world.connect(None, None);
    world.apply(Step::Ask(1, 1));
    // The asked one is in flight when the outbox's own copy is read and passed over.
    for step in [Step::Fetch, Step::Answered, Step::Fetch, Step::Answered, Step::HandIn, Step::HandIn, Step::Assign] {
        world.apply(step);
    }
    world.apply(Step::Answer(0, Some(0x97)));
    world.apply(Step::Resume);
    assert_eq!(turn(&mut world, 9, |_| true), [1]);
    assert_eq!(world.recorded.len(), 1);
}
