//! MQTT 5 as both ends of the wire need it: what opens the broker's door, what a message and
//! its acknowledgement are, and one connection. It decides nothing about outcomes.

mod access;
mod backoff;
mod link;
mod message;
mod verdict;

pub use access::{Access, AccessError};
pub use backoff::{BackOff, random};
pub use link::{Arrival, Event, Full, KEEP_ALIVE, Link, Loss, Manner, Retained, Subscribed, Terms, packet_bytes};
pub use message::{JOSE, JSON, Message, Qos, Retain};
pub use verdict::Verdict;
