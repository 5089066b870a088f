//! Inference: verified bundles, routing by header, the model inside tract, calibrated findings; a writer of words.

pub mod bundle;
pub mod cine;
#[cfg(test)]
pub(crate) mod damaged;
pub mod decide;
pub mod findings;
pub mod int8;
pub mod manifest;
pub mod model;
pub mod route;
pub mod writer;
