//! The resident: composes the pure stages into the reading of one instance.
//!
//! One of the two files that know everything (the other is `daemon`). It decides
//! nothing medical: each stage does, and the first that declines ends the reading.

use std::path::Path;
use std::time::Instant;

use dicom_object::DefaultDicomObject;

use super::wire::{Answered, Found};
use super::write::{self, Drafted};
use crate::digest::Digest;
use crate::infer::bundle::Bundle;
use crate::infer::manifest::Mask;
use crate::infer::route::{Asleep, route};
use crate::infer::writer::Writer;
use crate::instance::{Headers, Instance, InstanceError, Pixels};
use crate::pixels::{self, Frames, PixelError};
use crate::preprocess::{self, Gray, Light, Look, Sector};
use crate::quality::{self, Fitness, Unfit};
use crate::report::facts::Facts;
use crate::report::reading::{Outcome, Reading, Reason, ReasonCode, Text, Timing};
use crate::study::Study;

/// Bundles in memory, ready to read.
pub struct Resident {
    bundles: Vec<Bundle>,
    asleep: Vec<Asleep>,
    fitness: Vec<Fitness>,
    writer: Option<Writer>,
    /// The last image that was read, as the writer looks at it.
    seen: Option<Vec<f32>>,
}

/// A reading while it is made.
#[derive(Default)]
struct Draft {
    study: Option<Study>,
    pixels_sha256: Option<Digest>,
    timings: Vec<Timing>,
    seen: Option<Vec<f32>>,
}

impl Draft {
    /// Runs one stage and notes how long it took.
    fn stage<T>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let start = Instant::now();
        let result = work(self);
        let ms = start.elapsed().as_secs_f64() * 1e3;
        // Of a cine a stage is run frame by frame.
        match self.timings.iter_mut().find(|timing| timing.stage == name) {
            Some(timing) => timing.ms += ms,
            None => self.timings.push(Timing { stage: name.to_owned(), ms }),
        }
        result
    }

    /// Without words: those are written outside this process (`report::write`), from the
    /// findings alone.
    fn finish(self, outcome: Outcome) -> Reading {
        Reading {
            study: self.study,
            outcome,
            text: Text::default(),
            written: None,
            pixels_sha256: self.pixels_sha256,
            timings: self.timings,
        }
    }
}

impl Resident {
    /// A resident that reads with `bundles` what `fitness` lets pass, drafts with `writer`, and
    /// knows of those `asleep`.
    #[must_use]
    pub const fn new(bundles: Vec<Bundle>, asleep: Vec<Asleep>, fitness: Vec<Fitness>, writer: Option<Writer>) -> Self {
        Self { bundles, asleep, fitness, writer, seen: None }
    }

    /// Drafts the words of `facts`, which are of the image that was read last.
    #[must_use]
    pub fn write(&mut self, facts: &Facts) -> Drafted {
        match &self.writer {
            Some(writer) => write::draft(writer, facts, self.seen.take()),
            None => Drafted::NoWriter,
        }
    }

    /// Reads the file at `path`, which must have digest `expected` if given. Always
    /// gives a reading: what cannot be read is an abstention or failure with its reason.
    #[must_use]
    pub fn read(&mut self, path: &Path, expected: Option<Digest>) -> Answered {
        let mut draft = Draft::default();
        let inspected = draft.stage("validate", |_| Instance::inspect(path));
        let found = inspected.as_ref().ok().map(|(instance, _)| found(instance));
        let outcome = match inspected {
            Ok((instance, _)) if expected.is_some_and(|e| e != instance.sha256) => failure(
                "the stored file is not the one that was received (its digest differs): check the box's storage",
            ),
            Ok((instance, headers)) => self.outcome(&instance, &headers, &mut draft).unwrap_or_else(|refused| refused),
            Err(e) => unreadable(&e),
        };
        self.seen = draft.seen.take();
        Answered { found, reading: draft.finish(outcome) }
    }

    /// The stages in order; the first that declines gives the outcome as `Err`.
    fn outcome(&self, instance: &Instance, headers: &Headers, draft: &mut Draft) -> Result<Outcome, Outcome> {
        let object = draft.stage("parse", |_| open(instance))?;
        let study = Study::from_object(&object).map_err(|e| abstention(ReasonCode::Malformed, e.to_string()))?;
        let study = draft.study.insert(study).clone();
        if headers.pixels == Pixels::Absent {
            return Err(abstention(ReasonCode::NoPixels, "the instance holds no image (no pixel data)"));
        }
        let bundle =
            route(&self.bundles, &self.asleep, &study).map_err(|words| abstention(ReasonCode::NoModel, words))?;

        let frames = draft.stage("decode", |_| pixels::decode(&object)).map_err(|e| declined(&e))?;
        draft.pixels_sha256 = Some(frames.sha256);
        let logits = self.logits(bundle, &study, (&frames, &Look::from_object(&object)), draft)?;
        Ok(Outcome::Report(Box::new(bundle.findings(&logits, study.view.as_deref()))))
    }

    /// The logits of the frames that `bundle` looks at. They are made gray one at a time: a
    /// cine costs no more memory than its decoded samples.
    fn logits(
        &self,
        bundle: &Bundle,
        study: &Study,
        (frames, look): (&Frames, &Look),
        draft: &mut Draft,
    ) -> Result<Vec<f32>, Outcome> {
        let (cine, geometry) = (bundle.manifest().cine, bundle.manifest().geometry());
        // Unless the bundle asks for more, the middle one: the first is often blank or a title.
        let chosen = cine.map_or_else(|| vec![frames.frames / 2], |cine| cine.sampled(frames.frames));
        let sector = match bundle.manifest().input.mask {
            None => None,
            Some(Mask::Sector) => Some(draft.stage("present", |_| sector_of(frames, &chosen, look))?),
        };
        let mut logits = Vec::with_capacity(chosen.len());
        for (nth, frame) in chosen.iter().enumerate() {
            let gray = draft.stage("present", |_| seen(frames, *frame, look, sector.as_ref()));
            if let Some(flaw) = self.flaw(&gray, study, draft)? {
                // A frame that is not fit is left out; a cine of which most are not is not read.
                let left_out = nth + 1 - logits.len();
                if 2 * left_out > chosen.len() {
                    return Err(unfit(flaw));
                }
                continue;
            }
            let input = draft.stage("preprocess", |_| preprocess::input(&gray, &geometry));
            if let Some(geometry) = self.writer.as_ref().and_then(Writer::geometry) {
                draft.seen = Some(preprocess::input(&gray, &geometry));
            }
            let of_frame = draft.stage("infer", |_| bundle.logits(&input)).map_err(|e| failure(&e.to_string()))?;
            logits.push(of_frame);
        }
        Ok(cine.map_or_else(|| logits.concat(), |cine| cine.aggregate.of(&logits)))
    }

    /// What makes a frame unfit to be read: its pixels, or what a bundle that knows such images
    /// says of it.
    fn flaw(&self, gray: &Gray, study: &Study, draft: &mut Draft) -> Result<Option<Unfit>, Outcome> {
        if let Err(flaw) = draft.stage("quality", |_| quality::assess(gray)) {
            return Ok(Some(flaw));
        }
        for fitness in self.fitness.iter().filter(|fitness| fitness.judges(study)) {
            let flaw = draft.stage("fitness", |_| fitness.judge(gray)).map_err(|e| failure(&e.to_string()))?;
            if flaw.is_some() {
                return Ok(flaw);
            }
        }
        Ok(None)
    }
}

fn unfit(unfit: Unfit) -> Outcome {
    Outcome::Abstention(Reason { code: ReasonCode::Unfit, words: unfit.to_string(), unfit: Some(unfit) })
}

/// Frame `frame` as a model is to see it.
fn seen(frames: &Frames, frame: u32, look: &Look, sector: Option<&Sector>) -> Gray {
    let gray = preprocess::gray(frames, frame, look);
    match sector {
        None => gray,
        Some(sector) => sector.cut(&gray),
    }
}

/// The ultrasound sector of the frames `chosen`.
fn sector_of(frames: &Frames, chosen: &[u32], look: &Look) -> Result<Sector, Outcome> {
    let mut light = Light::none();
    for frame in chosen {
        light.add(&preprocess::gray(frames, *frame, look));
    }
    light.sector().ok_or_else(|| abstention(ReasonCode::Unfit, "no ultrasound sector is seen in the image"))
}

fn open(instance: &Instance) -> Result<DefaultDicomObject, Outcome> {
    dicom_object::open_file(&instance.path)
        .map_err(|e| abstention(ReasonCode::Malformed, format!("the file cannot be parsed: {e}")))
}

fn found(instance: &Instance) -> Found {
    Found {
        sha256: instance.sha256,
        size_bytes: instance.size_bytes,
        sop_class_uid: instance.sop_class_uid.clone(),
        sop_instance_uid: instance.sop_instance_uid.clone(),
        transfer_syntax_uid: instance.transfer_syntax_uid.clone(),
    }
}

fn abstention(code: ReasonCode, words: impl Into<String>) -> Outcome {
    Outcome::Abstention(Reason::new(code, words))
}

fn failure(words: &str) -> Outcome {
    Outcome::Failure(Reason::new(ReasonCode::Internal, words))
}

fn unreadable(error: &InstanceError) -> Outcome {
    match error {
        // Our paths are none of a receiver's business; what the system said is.
        InstanceError::Unreadable { source, .. } => failure(&format!("the stored file cannot be read: {source}")),
        other => abstention(ReasonCode::Malformed, other.to_string()),
    }
}

fn declined(error: &PixelError) -> Outcome {
    let code = match error {
        PixelError::NoPixels => ReasonCode::NoPixels,
        PixelError::TooLarge(_) => ReasonCode::TooLarge,
        PixelError::Undecodable(_) | PixelError::Corrupt { .. } => ReasonCode::Undecodable,
        PixelError::Missing(_) | PixelError::Malformed(_) => ReasonCode::Malformed,
    };
    abstention(code, error.to_string())
}

#[cfg(test)]
#[path = "resident_tests.rs"]
mod tests;
