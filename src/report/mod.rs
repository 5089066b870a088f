//! Reports: the reading as it crosses processes, its facts, its words, and its FHIR form.
//!
//! [`facts`] are made of a reading, [`grammar`] says them in any [`crate::language`], and
//! [`write`] is the one way from a reading to its texts, for the daemon and the commands alike.

pub mod compare;
pub mod facts;
pub mod fhir;
pub mod grammar;
pub mod guard;
pub mod identity;
pub mod label;
pub mod reading;
pub mod urgent;
pub mod vocabulary;
pub mod write;
pub mod written;
