//! The sector against training's, and against what a screen shows beside it.

use std::path::Path;

use serde::Deserialize;

use super::*;
use crate::preprocess::{Geometry, input};

/// A fan between two rays and two arcs, with something in it that a black corner is not.
fn fan(width: u32, height: u32) -> Gray {
    let value = |at: u32| {
        let (x, y) = (f64::from(at % width) - f64::from(width) / 2.0, f64::from(at / width) + 40.0);
        let (r, slope) = (x.hypot(y), (x / y).abs());
        let lit = slope < 0.6 && r > 60.0 && r < f64::from(height);
        if lit { 60.0 + f64::from(at % 7) * 9.0 } else { 2.0 }
    };
    #[expect(clippy::cast_possible_truncation, reason = "shades of gray")]
    let values = (0..width * height).map(|at| value(at) as f32).collect();
    Gray { width, height, values }
}

fn sector(frames: &[&Gray]) -> Option<Sector> {
    let mut light = Light::none();
    for frame in frames {
        light.add(frame);
    }
    light.sector()
}

fn paint(gray: &mut Gray, columns: std::ops::Range<u32>, rows: std::ops::Range<u32>, shade: impl Fn(u32, u32) -> f32) {
    for y in rows {
        for x in columns.clone() {
            gray.values[(y * gray.width + x) as usize] = shade(x, y);
        }
    }
}

#[test]
fn what_is_burned_in_beside_the_sector_changes_no_bit_of_what_a_model_sees() {
    let plain = fan(640, 480);
    let mut named = plain.clone();
    // Letters two pixels thick, a ruler's ticks, and a bar of grays.
    paint(&mut named, 8..150, 8..20, |x, y| if x % 6 < 2 || y % 6 < 2 { 250.0 } else { 2.0 });
    paint(&mut named, 600..606, 40..470, |_, y| if y % 40 < 3 { 255.0 } else { 2.0 });
    paint(&mut named, 20..32, 200..328, |_, y| y as f32 / 2.0);
    let seen = |gray: &Gray| sector(&[gray]).unwrap().cut(gray);
    assert!(plain.values != named.values && seen(&plain) == seen(&named));
}

#[test]
fn a_screen_without_ultrasound_has_no_sector() {
    let mut text = Gray { width: 640, height: 480, values: vec![0.0; 640 * 480] };
    assert!(sector(&[&text]).is_none());
    paint(&mut text, 10..600, 10..400, |x, y| if y % 30 < 8 && x % 3 == 0 { 255.0 } else { 0.0 });
    assert!(sector(&[&text]).is_none());
}

#[test]
fn the_sector_of_a_cine_is_that_of_all_its_frames_in_any_order() {
    let bright = fan(320, 240);
    let mut dark = bright.clone();
    paint(&mut dark, 0..200, 0..240, |_, _| 2.0);
    let both = sector(&[&bright, &dark]).unwrap();
    assert!(both.inside == sector(&[&dark, &bright]).unwrap().inside);
    assert!(both.inside == sector(&[&bright]).unwrap().inside && both.inside != sector(&[&dark]).unwrap().inside);
    assert_eq!(both.cut(&dark).width, both.cut(&bright).width);
}

#[test]
fn a_sector_that_fills_the_frame_is_the_frame() {
    let full = Gray { width: 200, height: 150, values: (0..30_000).map(|at| 50.0 + (at / 200) as f32).collect() };
    // The darkest row is not lit: the rest is.
    let seen = sector(&[&full]).unwrap().cut(&full);
    assert!(seen.width == 200 && seen.height > 130, "{seen:?}");
}

/// As in the bundle's manifest.
const GEOMETRY: Geometry =
    Geometry { width: 96, height: 96, low_percentile: 1.0, high_percentile: 99.0, mean: 0.5, std: 0.25 };

/// `golden/sector.json` of the bundle, which training wrote.
#[derive(Deserialize)]
struct Golden {
    width: u32,
    height: u32,
    /// Gray bytes of each frame.
    frames: Vec<Vec<u8>>,
    /// Cells inside, row by row, `1` or `0`.
    inside: String,
    /// The input that the first frame becomes, in thousandths.
    input: Vec<i32>,
}

#[test]
fn training_and_daemon_cut_the_same_sector_and_make_the_same_input() {
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/lung-ultrasound");
    let golden: Golden = serde_json::from_slice(&std::fs::read(bundle.join("golden/sector.json")).unwrap()).unwrap();
    let (width, height) = (golden.width, golden.height);
    let frames: Vec<Gray> = golden
        .frames
        .iter()
        .map(|bytes| Gray { width, height, values: bytes.iter().map(|b| f32::from(*b)).collect() })
        .collect();
    let sector = sector(&frames.iter().collect::<Vec<_>>()).unwrap();
    let inside: String = sector.inside.iter().map(|inside| if *inside { '1' } else { '0' }).collect();
    assert!(inside == golden.inside && inside.contains('0'));
    let made = input(&sector.cut(&frames[0]), &GEOMETRY);
    assert_eq!(made.len(), golden.input.len());
    let worst = made.iter().zip(&golden.input).map(|(a, b)| (a - *b as f32 / 1e3).abs()).fold(0.0, f32::max);
    assert!(worst < 1.5e-3, "{worst}");
}
