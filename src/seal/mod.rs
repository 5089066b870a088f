//! Sealing: keys, the signed form of an outcome, the chain of outcomes, and its check.
//!
//! The one place that signs. It knows nothing of sockets, stores or models: a reading
//! and the chain's head go in, the bytes that are stored, sent and verified come out.

pub mod chain;
pub mod event;
pub mod header;
pub mod jws;
pub mod key;
pub mod link;
pub mod message;
pub mod outcome;
pub mod pseudonym;
pub mod public;
pub mod receiver;
pub mod verify;
