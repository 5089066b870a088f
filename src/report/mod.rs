//! Reports: the reading as it crosses processes, its facts, its words, and its FHIR form.

pub mod compare;
pub mod compose;
pub mod facts;
pub mod fhir;
pub mod guard;
pub mod identity;
pub mod label;
pub mod reading;
pub mod vocabulary;
mod words;

pub use words::{HEDGES, Hedge, Place};
