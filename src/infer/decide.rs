//! From logits to findings: calibration, then bands. Pure arithmetic.

use super::findings::{Band, Finding, Findings, Probability};
use super::manifest::{Calibration, FindingSpec};

/// The findings that `specs` make of `logits`.
///
/// # Panics
/// Never: the bundle was refused at load if an output index exceeds the logits.
#[must_use]
pub fn decide(specs: &[FindingSpec], logits: &[f32]) -> heapless::Vec<Finding, { super::findings::MAX_FINDINGS }> {
    specs.iter().map(|spec| one(spec, logits[spec.output])).collect()
}

fn one(spec: &FindingSpec, logit: f32) -> Finding {
    let probability = calibrated(spec.calibration, logit);
    Finding {
        label: spec.label.clone(),
        words: spec.words.clone(),
        code: spec.code.clone(),
        probability,
        band: band(probability, spec.absent_below, spec.present_above),
        absent_below: spec.absent_below,
        present_above: spec.present_above,
    }
}

/// Platt scaling.
fn calibrated(calibration: Calibration, logit: f32) -> Probability {
    let z = f64::from(calibration.slope) * f64::from(logit) + f64::from(calibration.intercept);
    #[expect(clippy::cast_possible_truncation, reason = "a probability loses only digits")]
    let p = (1.0 / (1.0 + (-z).exp())) as f32;
    Probability::try_from(p).expect("a logistic of finite numbers is in 0..=1")
}

fn band(p: Probability, absent_below: Probability, present_above: Probability) -> Band {
    if p >= present_above {
        Band::Present
    } else if p < absent_below {
        Band::Absent
    } else {
        Band::Uncertain
    }
}

impl Findings {
    /// True where any finding lies in `band`.
    #[must_use]
    pub fn any(&self, band: Band) -> bool {
        self.findings.iter().any(|f| f.band == band)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(value: f32) -> Probability {
        value.try_into().unwrap()
    }

    #[test]
    fn the_thresholds_belong_to_the_band_above_them() {
        assert_eq!(band(p(0.2), p(0.2), p(0.7)), Band::Uncertain);
        assert_eq!(band(p(0.7), p(0.2), p(0.7)), Band::Present);
        assert_eq!(band(p(0.199), p(0.2), p(0.7)), Band::Absent);
        assert_eq!(band(p(0.5), p(0.5), p(0.5)), Band::Present);
    }

    #[test]
    fn extreme_logits_are_still_probabilities() {
        let calibration = Calibration { slope: 1.0e30, intercept: 0.0 };
        assert_eq!(f32::from(calibrated(calibration, f32::MAX)).to_bits(), 1.0f32.to_bits());
        assert_eq!(f32::from(calibrated(calibration, f32::MIN)).to_bits(), 0.0f32.to_bits());
        let plain = Calibration { slope: 1.0, intercept: 0.0 };
        assert!((f32::from(calibrated(plain, 0.0)) - 0.5).abs() < 1e-6);
    }
}
