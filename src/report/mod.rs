//! Reports: the reading as it crosses processes, its words, and its FHIR form.

pub mod reading;
