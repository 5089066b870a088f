//! Inference: bundles, the model inside tract, calibrated findings.

pub mod findings;
