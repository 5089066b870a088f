//! From decoded frames to what a model is given: presentation-polarity grayscale, then
//! a fixed geometry; of an ultrasound screen only the sector.
//!
//! `input` is shared with the training pipeline: its arithmetic is the definition in
//! the doc of that function, and changing it needs new models.

mod gray;
mod input;
mod look;
mod lut;
mod sector;

pub use gray::{Gray, gray};
pub use input::{Geometry, input};
pub use look::Look;
pub use sector::{Light, Sector};
