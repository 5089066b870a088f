//! What strangers can repeat at will, written once a window and then counted.

use std::time::Instant;

use super::REPEAT_WINDOW;
use super::event::{Event, Why};

/// Peers that are told apart in a window, of each kind of event; the others are counted
/// together. So nobody makes more than some ten thousand lines a day from outside.
const PEERS: usize = 16;
/// Places for what is counted together: one a status.
const TOGETHER: usize = 16;

/// The events of one window.
#[derive(Default)]
pub(super) struct Repeats {
    denied: heapless::Vec<Seen, { PEERS + TOGETHER }>,
    refused: heapless::Vec<Seen, { PEERS + TOGETHER }>,
}

struct Seen {
    event: Event,
    since: Instant,
    more: u64,
}

impl Repeats {
    /// The event to be written now, if it is one; else it was counted.
    pub fn admit(&mut self, event: Event, now: Instant) -> Option<Event> {
        let seen = match event {
            Event::Denied { .. } => &mut self.denied,
            Event::Refused { .. } => &mut self.refused,
            other => return Some(other),
        };
        let full = seen.len() >= PEERS && !seen.iter().any(|seen| seen.event == event);
        let event = if full { nameless(event) } else { event };
        if let Some(seen) = seen.iter_mut().find(|seen| seen.event == event) {
            seen.more += 1;
            return None;
        }
        if seen.push(Seen { event: event.clone(), since: now, more: 0 }).is_ok() {
            return Some(event);
        }
        // More kinds than places: counted with the last one.
        if let Some(last) = seen.last_mut() {
            last.more += 1;
        }
        None
    }

    /// The counts of the windows that are over, or of all.
    pub fn due(&mut self, now: Instant, all: bool) -> Vec<Event> {
        let mut due = Vec::new();
        for seen in [&mut self.denied, &mut self.refused] {
            seen.retain(|seen| {
                let over = all || now.duration_since(seen.since) >= REPEAT_WINDOW;
                if over && seen.more > 0 {
                    due.push(counted(&seen.event, seen.more));
                }
                !over
            });
        }
        due
    }

    /// When the first window is over.
    pub fn next(&self) -> Option<Instant> {
        self.denied.iter().chain(&self.refused).map(|seen| seen.since + REPEAT_WINDOW).min()
    }
}

fn nameless(event: Event) -> Event {
    match event {
        Event::Denied { .. } => Event::Denied { address: None, calling_ae: None, why: Why::Several, more: 0 },
        Event::Refused { status, .. } => Event::Refused { address: None, calling_ae: None, status, more: 0 },
        other => other,
    }
}

fn counted(event: &Event, count: u64) -> Event {
    let mut event = event.clone();
    if let Event::Denied { more, .. } | Event::Refused { more, .. } = &mut event {
        *more = count;
    }
    event
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::*;

    fn denied(host: u8) -> Event {
        Event::Denied { address: Some(IpAddr::from([10, 0, 0, host])), calling_ae: None, why: Why::Address, more: 0 }
    }

    #[test]
    fn a_flood_from_one_peer_is_one_line_and_its_count() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        assert_eq!(repeats.admit(denied(1), start), Some(denied(1)));
        (0..9999).for_each(|_| assert_eq!(repeats.admit(denied(1), start), None));
        assert!(repeats.due(start + Duration::from_secs(1), false).is_empty());
        let due = repeats.due(repeats.next().unwrap(), false);
        assert!(matches!(due[..], [Event::Denied { more: 9999, .. }]), "{due:?}");
        assert_eq!(repeats.next(), None);
    }

    #[test]
    fn a_flood_from_many_peers_is_bounded_and_none_is_uncounted() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        let written = (0..=255).filter_map(|host| repeats.admit(denied(host), start)).count();
        assert_eq!(written, PEERS + 1);
        let more: u64 = repeats
            .due(start, true)
            .iter()
            .map(|event| if let Event::Denied { more, .. } = event { *more } else { 0 })
            .sum();
        assert_eq!(written as u64 + more, 256);
    }

    #[test]
    fn what_is_no_strangers_doing_is_always_written() {
        let (mut repeats, now) = (Repeats::default(), Instant::now());
        (0..100).for_each(|_| assert_eq!(repeats.admit(Event::Stopping, now), Some(Event::Stopping)));
    }
}
