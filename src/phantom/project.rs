//! Parallel rays through the anatomy: Beer–Lambert attenuation, photon noise, and the
//! logarithm that a detector takes, so that what is dense is bright.

use super::FIELD_WIDTH_MM;
use super::anatomy::{Anatomy, Ellipsoid, Piece};
use super::noise::{Random, exp};

/// Attenuation a millimetre at some 110 kV.
const SOFT: f32 = 0.0195;
/// What lung lacks of soft tissue, and air of it.
const LUNG: f32 = -0.0150;
const AIR: f32 = -0.0185;
/// What bone and marrow have over soft tissue, and the wall of a tubular bone.
const BONE: f32 = 0.0105;
const WALL: f32 = 0.0230;
/// Blood vessels show beyond their width: there are more of them than are drawn.
const VESSELS: f32 = 2.2;
/// Photons that reach a pixel of 0.2 mm unweakened; fewer for smaller pixels.
const PHOTONS: f32 = 60_000.0;
const PHOTON_PIXEL_MM: f32 = 0.2;
/// Stored values: an offset for the air and steps for each unit of attenuation.
pub(super) const OFFSET: f32 = 150.0;
pub(super) const STEPS: f32 = 600.0;
/// The field's centre is aimed this far above the origin.
const CENTER_MM: f32 = -26.0;
/// The greatest value in 12 bits.
const HIGHEST: f32 = 4095.0;

/// Samples of 12 bits, row by row.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 12 bits first")]
pub(super) fn samples(seed: u64, columns: u16, rows: u16) -> Vec<u16> {
    let anatomy = Anatomy::new(seed);
    let mut random = Random::new(seed, 2);
    let (columns, rows) = (usize::from(columns), usize::from(rows));
    let pixel_mm = FIELD_WIDTH_MM / columns as f32;
    let dose = PHOTONS * (pixel_mm / PHOTON_PIXEL_MM) * (pixel_mm / PHOTON_PIXEL_MM);
    let noise = 1.0 / dose.sqrt();
    let mut samples = Vec::with_capacity(columns * rows);
    let mut row =
        Row { xs: (0..columns).map(|c| (c as f32 + 0.5) * pixel_mm - FIELD_WIDTH_MM / 2.0).collect(), pixel_mm };
    for at in 0..rows {
        let z = (at as f32 + 0.5 - rows as f32 / 2.0) * pixel_mm + CENTER_MM;
        for attenuation in row.attenuation(&anatomy, z) {
            // To first order the logarithm of N photons scatters by 1 / sqrt(N).
            let scatter = noise * exp(attenuation / 2.0) * random.gaussian();
            let value = OFFSET + (attenuation + scatter) * STEPS;
            samples.push((value + 0.5).clamp(0.0, HIGHEST) as u16);
        }
    }
    samples
}

/// The places of a row's pixels.
struct Row {
    xs: Vec<f32>,
    pixel_mm: f32,
}

impl Row {
    /// The attenuation of each ray of the row at `z`.
    fn attenuation(&mut self, anatomy: &Anatomy, z: f32) -> Vec<f32> {
        let soft = self.union(&anatomy.body, z);
        let middle = self.union(&anatomy.middle, z);
        let air = self.sum(&anatomy.air, z);
        let bone = self.union(&anatomy.bones, z);
        let wall = self.tubes(&anatomy.tubes, z, Piece::wall);
        let vessels = self.tubes(&anatomy.vessels, z, Piece::chord);
        let inside = |at: usize, x: f32| {
            let lung: f32 = (0..2).map(|side| anatomy.lungs[side].chord(x, z) * above(anatomy.domes[side], x, z)).sum();
            // Vessels end with the lung; what is in the middle takes its room.
            let room = (lung - middle[at] * 1.1).max(0.0);
            room - (vessels[at] * VESSELS).min(room)
        };
        let one = |(at, &x): (usize, &f32)| {
            let lung = inside(at, x);
            let air = air[at].min((soft[at] - lung).max(0.0));
            (soft[at] * SOFT + lung * LUNG + air * AIR + bone[at] * BONE + wall[at] * WALL).max(0.0)
        };
        self.xs.iter().enumerate().map(one).collect()
    }

    /// Overlapping bodies melt into one: the root of the sum of squares has no edge
    /// where they meet.
    fn union(&self, bodies: &[Ellipsoid], z: f32) -> Vec<f32> {
        let reached: Vec<&Ellipsoid> = bodies.iter().filter(|body| body.reaches(z)).collect();
        let fold = |x: f32| reached.iter().map(|body| body.chord(x, z)).map(|c| c * c).sum::<f32>().sqrt();
        self.xs.iter().map(|&x| if reached.is_empty() { 0.0 } else { fold(x) }).collect()
    }

    fn sum(&self, bodies: &[Ellipsoid], z: f32) -> Vec<f32> {
        let reached: Vec<&Ellipsoid> = bodies.iter().filter(|body| body.reaches(z)).collect();
        self.xs.iter().map(|&x| reached.iter().map(|body| body.chord(x, z)).sum()).collect()
    }

    /// Pieces of one tube overlap at their ends, so the longest way counts; where two
    /// tubes cross, their ways differ enough for the eye.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the row first")]
    fn tubes(&self, pieces: &[Piece], z: f32, way: impl Fn(&Piece, f32, f32) -> f32) -> Vec<f32> {
        let mut ways = vec![0f32; self.xs.len()];
        for piece in pieces.iter().filter(|piece| piece.reaches(z)) {
            let (low, high) = piece.span();
            let column =
                |x: f32| ((x + FIELD_WIDTH_MM / 2.0) / self.pixel_mm).clamp(0.0, self.xs.len() as f32) as usize;
            for (longest, &x) in ways.iter_mut().zip(&self.xs).take(column(high).saturating_add(1)).skip(column(low)) {
                *longest = longest.max(way(piece, x, z));
            }
        }
        ways
    }
}

/// How much of a lung's depth lies above its half of the diaphragm: all above the dome's
/// outline, behind it the part that reaches down to the back.
fn above((x, z, half_width): (f32, f32, f32), at_x: f32, at_z: f32) -> f32 {
    let off = (at_x - x) / half_width;
    // Steep towards the flank, nearly level towards the heart.
    let fall = if (off > 0.0) == (x > 0.0) { 44.0 } else { 10.0 };
    let outline = z + fall * off * off;
    let below = at_z - outline;
    if below <= 0.0 {
        return 1.0;
    }
    // An edge of 1.5 mm, then a recess that fades over 45 mm.
    let edge = (1.0 - below / 1.5).max(0.0);
    let recess = (1.0 - below / 45.0).max(0.0) * 0.3;
    recess + (1.0 - recess) * edge
}
