//! From logits to findings: calibration, then bands. Pure arithmetic.

use super::findings::{Band, Finding, Findings, MAX_FINDINGS, Probability};
use super::manifest::{Calibration, FindingSpec};

/// The findings that `specs` make of `logits` of an image of `view`; those that are not
/// for that view are left out, and [`undecided`] names them.
///
/// # Panics
/// Never: the bundle was refused at load if an output index exceeds the logits.
#[must_use]
pub fn decide(specs: &[FindingSpec], logits: &[f32], view: Option<&str>) -> heapless::Vec<Finding, MAX_FINDINGS> {
    specs.iter().filter(|spec| spec.is_for(view)).map(|spec| one(spec, logits[spec.output])).collect()
}

/// What [`decide`] leaves out on images of `view`, as the report's "not assessed" says it:
/// `pulmonary edema on PA images`.
#[must_use]
pub fn undecided(specs: &[FindingSpec], view: Option<&str>) -> Vec<String> {
    let on = view.unwrap_or("such");
    specs.iter().filter(|spec| !spec.is_for(view)).map(|spec| format!("{} on {on} images", spec.words)).collect()
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
        prevalence: spec.prevalence,
        positives_among_present: spec.positives_among_present,
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
    use crate::infer::findings::Code;

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

    fn spec(label: &str, view: Option<&[&str]>) -> FindingSpec {
        FindingSpec {
            label: label.try_into().unwrap(),
            output: 0,
            words: label.into(),
            code: Code { system: String::new(), code: String::new(), display: String::new() },
            calibration: Calibration { slope: 1.0, intercept: 0.0 },
            absent_below: p(0.2),
            present_above: p(0.7),
            prevalence: p(0.1),
            positives_among_present: p(0.3),
            view: view.map(|views| views.iter().map(|v| (*v).to_owned()).collect()),
            auroc: [0.0; 3],
            sensitivity_at_absent: [0.0; 3],
            specificity_at_present: [0.0; 3],
        }
    }

    #[test]
    fn a_finding_is_decided_on_its_views_and_named_as_not_assessed_on_others() {
        let specs = [spec("edema", Some(&["AP"])), spec("effusion", None)];
        let labels = |view| decide(&specs, &[0.0], view).iter().map(|f| f.label.to_string()).collect::<Vec<_>>();
        assert_eq!(labels(Some("AP")), ["edema", "effusion"]);
        assert_eq!(labels(Some("PA")), ["effusion"]);
        assert_eq!(labels(None), ["effusion"]);
        assert_eq!(undecided(&specs, Some("PA")), ["edema on PA images"]);
        assert!(undecided(&specs, Some("AP")).is_empty());
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
