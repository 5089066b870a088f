//! Who is let in at once: connections of one address, connections that have asked for
//! nothing yet, associations; each has its bound.
//!
//! Silent connections, from however many addresses, lock no scanner out: they take none
//! of the associations' seats, and where they are too many, the one that has waited
//! longest gives way to the next. An association keeps its seat until it ends.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::limits::MAX_WAITING;

/// The seats of the listener.
pub(super) struct Seats {
    taken: Mutex<Vec<Taken>>,
    associations: u16,
    per_peer: u16,
}

struct Taken {
    peer: IpAddr,
    call: Arc<Call>,
    associated: bool,
}

/// How the holder of a seat is told to leave; also tells one seat from another.
type Call = Notify;

/// A seat, free again when dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    call: Arc<Call>,
}

impl Seats {
    pub fn new(associations: u16, per_peer: u16) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::default(), associations, per_peer })
    }

    /// A place to wait in for `peer`, unless it has as many connections as it may.
    pub fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.iter().filter(|seat| seat.peer == peer).count() >= usize::from(self.per_peer) {
            return None;
        }
        if taken.iter().filter(|seat| !seat.associated).count() >= MAX_WAITING {
            // In order of arrival: the first is the one that waits longest.
            let silent = taken.iter().position(|seat| !seat.associated)?;
            taken.remove(silent).call.notify_one();
        }
        let call = Arc::new(Call::new());
        taken.push(Taken { peer, call: Arc::clone(&call), associated: false });
        Some(Seat { seats: Arc::clone(self), call })
    }
}

impl Seat {
    /// Makes it an association's seat, which nobody takes; false where there is none free.
    pub fn associate(&self) -> bool {
        let free = |taken: &mut Vec<Taken>, at: usize| {
            let associations = taken.iter().filter(|seat| seat.associated).count();
            taken[at].associated = associations < usize::from(self.seats.associations);
            taken[at].associated
        };
        self.with(free).unwrap_or(false)
    }

    /// Waits until the seat was given to somebody else.
    pub async fn called_away(&self) {
        self.call.notified().await;
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Taken>, usize) -> T) -> Option<T> {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        // It may be gone: called away, and not yet left.
        let at = taken.iter().position(|seat| Arc::ptr_eq(&seat.call, &self.call))?;
        Some(act(&mut taken, at))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.with(|taken, at| drop(taken.remove(at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: usize) -> IpAddr {
        let [.., high, low] = n.to_be_bytes();
        IpAddr::from([10, 0, high, low])
    }

    #[test]
    fn associations_are_bounded_in_all_and_connections_per_peer_and_come_back() {
        let seats = Seats::new(3, 2);
        let first = seats.take(peer(1)).unwrap();
        let second = seats.take(peer(1)).unwrap();
        assert!(seats.take(peer(1)).is_none());
        let third = seats.take(peer(2)).unwrap();
        assert!([&first, &second, &third].into_iter().all(Seat::associate));
        let fourth = seats.take(peer(3)).unwrap();
        assert!(!fourth.associate());
        drop(first);
        assert!(fourth.associate());
        assert!(seats.take(peer(1)).is_some());
    }

    #[test]
    fn no_seat_for_anyone_leaves_no_trace() {
        let seats = Seats::new(1, 0);
        assert!(seats.take(peer(1)).is_none());
        assert!(seats.taken.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn who_has_waited_longest_without_asking_gives_way_and_no_association_does() {
        let seats = Seats::new(1, 1);
        let associated = seats.take(peer(0)).unwrap();
        assert!(associated.associate());
        let mut silent: Vec<Seat> = (1..=MAX_WAITING).map(|n| seats.take(peer(n)).unwrap()).collect();
        let newcomer = seats.take(peer(MAX_WAITING + 1)).unwrap();
        let longest = silent.remove(0);
        longest.called_away().await;
        assert!(!longest.associate(), "too late: it is another's now");
        drop(longest);
        drop(associated);
        assert!(newcomer.associate());
        assert_eq!(seats.taken.lock().unwrap().len(), MAX_WAITING);
    }
}
