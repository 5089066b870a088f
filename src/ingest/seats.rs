//! Seats for associations: so many in all, so many an address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The seats of one listener. The map holds taken seats only, so it is bounded by them.
pub(super) struct Seats {
    taken: Mutex<HashMap<IpAddr, u16>>,
    in_all: u16,
    per_peer: u16,
}

/// A seat, free again when dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    peer: IpAddr,
}

impl Seats {
    pub fn new(in_all: u16, per_peer: u16) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::default(), in_all, per_peer })
    }

    /// A seat for `peer`, if there is one.
    pub fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().map(|n| u32::from(*n)).sum::<u32>() >= u32::from(self.in_all) {
            return None;
        }
        if taken.get(&peer).copied().unwrap_or_default() >= self.per_peer {
            return None;
        }
        *taken.entry(peer).or_default() += 1;
        Some(Seat { seats: Arc::clone(self), peer })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_peer) = taken.get_mut(&self.peer) {
            *of_peer -= 1;
            if *of_peer == 0 {
                taken.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_bounded_in_all_and_per_peer_and_come_back() {
        let seats = Seats::new(3, 2);
        let [a, b, c] = [1, 2, 3].map(|n| IpAddr::from([10, 0, 0, n]));
        let first = seats.take(a);
        let _second = seats.take(a).unwrap();
        assert!(first.is_some() && seats.take(a).is_none());
        let _third = seats.take(b).unwrap();
        assert!(seats.take(c).is_none());
        drop(first);
        assert!(seats.take(c).is_some());
    }

    #[test]
    fn no_seat_for_anyone_leaves_no_trace() {
        let seats = Seats::new(1, 0);
        assert!(seats.take(IpAddr::from([10, 0, 0, 1])).is_none());
        assert!(seats.taken.lock().unwrap().is_empty());
    }
}
