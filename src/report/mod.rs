//! Reports: the reading as it crosses processes, its words, and its FHIR form.

pub mod compose;
pub mod fhir;
pub mod identity;
pub mod reading;
mod words;

pub use words::{HEDGES, Hedge, Place};
