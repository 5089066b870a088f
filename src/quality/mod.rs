//! Whether an image is fit to be read at all, before any finding is sought.
//!
//! Only what makes every finding meaningless is refused here; how well an image was
//! taken is a matter of findings. [`assess`] looks at the pixels of any image; a [`Fitness`]
//! bundle knows what those of its kind look like.

mod manifest;
mod network;
mod unfit;

pub use network::Fitness;
pub use unfit::Unfit;

use crate::preprocess::Gray;

/// Pixels of the short side: half of the smallest input of a model; below it a rib is
/// two pixels wide.
const SHORTEST_SIDE: u32 = 128;
/// Long over short side: a whole leg is 3; longer ones are stitched images or strips.
const MOST_ELONGATED: f64 = 3.0;
/// Part of the range that values between the 1st and the 99th percentile cover at least:
/// less is a bare cassette with a marker.
const LEAST_SPREAD: f64 = 0.02;
/// Part of the pixels that share one shade at most: beyond it nobody is in the picture.
const MOST_OF_ONE_SHADE: f64 = 0.9;
/// Part of the pixels at the brightest value at most: an unexposed or burnt-out detector.
const MOST_AT_MAXIMUM: f64 = 0.6;
/// Part of the pixels at the darkest value at most. More than at the other end: the
/// black around an ultrasound sector or a collimated field is no flaw.
const MOST_AT_MINIMUM: f64 = 0.85;
/// Correlation of neighbours: images have over 0.9, dark noise none.
const LEAST_CORRELATION: f64 = 0.3;
/// Rows that are looked at: a detector has thousands, and half a thousand tell as much.
const SAMPLED_ROWS: u32 = 512;
/// Values that are looked at together.
const LANES: usize = 8;
/// Shades that values are sorted into for percentiles.
const SHADES: usize = 4096;

/// Checks `gray`, cheapest first.
///
/// # Errors
/// The first reason for which it is not fit to be read.
pub fn assess(gray: &Gray) -> Result<(), Unfit> {
    let (short, long) = (gray.width.min(gray.height), gray.width.max(gray.height));
    if short < SHORTEST_SIDE {
        return Err(Unfit::TooSmall);
    }
    if f64::from(long) > f64::from(short) * MOST_ELONGATED {
        return Err(Unfit::Elongated);
    }
    let shades = Shades::of(&sampled_rows(gray)).ok_or(Unfit::Blank)?;
    if shades.spread() < LEAST_SPREAD || shades.most_of_one() > MOST_OF_ONE_SHADE {
        return Err(Unfit::Blank);
    }
    if shades.at_maximum > MOST_AT_MAXIMUM || shades.at_minimum > MOST_AT_MINIMUM {
        return Err(Unfit::Saturated);
    }
    if correlation(&sampled_rows(gray)) < LEAST_CORRELATION {
        return Err(Unfit::Noise);
    }
    Ok(())
}

/// Rows of `gray` at even distances, [`SAMPLED_ROWS`] or up to twice as many: what is
/// asked here is asked of the whole image, and no flaw that it names hides between them.
fn sampled_rows(gray: &Gray) -> impl Iterator<Item = &[f32]> + Clone {
    let step = (gray.height / SAMPLED_ROWS).max(1);
    gray.values.chunks_exact(gray.width as usize).step_by(step as usize)
}

/// The lowest and highest value that is a number, in lanes that a vector unit takes.
fn range<'a>(rows: impl Iterator<Item = &'a [f32]>) -> (f32, f32) {
    let (mut low, mut high) = ([f32::MAX; LANES], [f32::MIN; LANES]);
    for row in rows {
        for chunk in row.chunks(LANES) {
            for ((low, high), value) in low.iter_mut().zip(&mut high).zip(chunk) {
                // What is not finite takes no part: compared to it everything is false.
                let is_finite = value.abs() <= f32::MAX;
                *low = if is_finite && *value < *low { *value } else { *low };
                *high = if is_finite && *value > *high { *value } else { *high };
            }
        }
    }
    (low.into_iter().fold(f32::MAX, f32::min), high.into_iter().fold(f32::MIN, f32::max))
}

/// How the values of an image are distributed.
struct Shades {
    counts: Vec<u64>,
    total: u64,
    /// Parts of the pixels, 0 to 1.
    at_minimum: f64,
    at_maximum: f64,
}

impl Shades {
    /// `None` where all values are equal, or none is a number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the range by construction; `as` saturates should it overflow"
    )]
    fn of<'a>(rows: &(impl Iterator<Item = &'a [f32]> + Clone)) -> Option<Self> {
        let (low, high) = range(rows.clone());
        if low >= high {
            return None;
        }
        let scale = (SHADES - 1) as f32 / (high - low);
        let mut shades = Self { counts: vec![0; SHADES], total: 0, at_minimum: 0.0, at_maximum: 0.0 };
        let (mut lowest, mut highest) = (0u64, 0u64);
        for value in rows.clone().flatten().filter(|v| v.is_finite()) {
            shades.counts[(((value - low) * scale) as usize).min(SHADES - 1)] += 1;
            shades.total += 1;
            lowest += u64::from(*value <= low);
            highest += u64::from(*value >= high);
        }
        shades.at_minimum = lowest as f64 / shades.total as f64;
        shades.at_maximum = highest as f64 / shades.total as f64;
        Some(shades)
    }

    /// From the 1st to the 99th percentile, as part of the whole range.
    fn spread(&self) -> f64 {
        let shade_at = |part: f64| {
            let wanted = part * self.total as f64;
            let mut seen = 0u64;
            self.counts.iter().position(|count| {
                seen += count;
                seen as f64 >= wanted
            })
        };
        let (low, high) = (shade_at(0.01).unwrap_or(0), shade_at(0.99).unwrap_or(0));
        (high - low) as f64 / SHADES as f64
    }

    /// The part of the most frequent shade.
    fn most_of_one(&self) -> f64 {
        self.counts.iter().max().map_or(1.0, |most| *most as f64 / self.total as f64)
    }
}

/// Pearson's correlation of each pixel with its right neighbour.
///
/// Of a row's pairs the left values are all but its last, the right ones all but its first: one
/// sum and one sum of squares of the row give those of both.
fn correlation<'a>(rows: &(impl Iterator<Item = &'a [f32]> + Clone)) -> f64 {
    // Near zero first, for the sake of the sums.
    let origin = rows.clone().flatten().next().copied().unwrap_or(0.0);
    let [mut a, mut b, mut aa, mut bb, mut ab, mut count] = [0f64; 6];
    for row in rows.clone() {
        let [Some(first), Some(last)] = [row.first(), row.last()].map(|end| end.map(|v| f64::from(v - origin))) else {
            continue;
        };
        let [sum, squares, products] = row_sums(row, origin);
        (a, b) = (a + (sum - last), b + (sum - first));
        (aa, bb) = (aa + (squares - last * last), bb + (squares - first * first));
        ab += products;
        count += (row.len() - 1) as f64;
    }
    let [a, b, aa, bb, ab] = [a, b, aa, bb, ab].map(|sum| sum / count);
    (ab - a * b) / ((aa - a * a) * (bb - b * b)).sqrt()
}

/// Of a row's values less `origin`: their sum, that of their squares, and that of the products
/// of neighbours.
fn row_sums(row: &[f32], origin: f32) -> [f64; 3] {
    let mut lanes = [[0f64; LANES]; 3];
    let mut add = |lane: usize, left: f32, right: Option<&f32>| {
        let (left, right) = (f64::from(left - origin), right.map_or(0.0, |right| f64::from(right - origin)));
        lanes[0][lane] += left;
        lanes[1][lane] += left * left;
        lanes[2][lane] += left * right;
    };
    let neighbours = row.get(1..).unwrap_or_default();
    let whole = neighbours.len() / LANES * LANES;
    for (left, right) in row[..whole].chunks_exact(LANES).zip(neighbours.chunks_exact(LANES)) {
        (0..LANES).for_each(|lane| add(lane, left[lane], Some(&right[lane])));
    }
    (whole..row.len()).for_each(|at| add(0, row[at], neighbours.get(at)));
    lanes.map(|lanes| lanes.iter().sum())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::pixels::{decode, real_files, wrap};
    use crate::preprocess::{self, Look};

    fn image(width: u32, height: u32, value: impl FnMut(u32) -> f32) -> Gray {
        Gray { width, height, values: (0..width * height).map(value).collect() }
    }

    fn noise() -> impl FnMut(u32) -> f32 {
        let mut state = 1u32;
        move |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as f32
        }
    }

    #[test]
    fn a_smooth_image_is_fit() {
        assert_eq!(assess(&image(256, 200, |at| (at % 256 + at / 256) as f32)), Ok(()));
    }

    #[test]
    fn a_tall_image_is_judged_by_rows_from_all_of_it() {
        let gray = image(2, 2_000, |at| at as f32);
        let rows: Vec<&[f32]> = sampled_rows(&gray).collect();
        assert_eq!(rows.len(), 667);
        assert_eq!((rows[0], rows[1], rows[666]), (&[0.0, 1.0][..], &[6.0, 7.0][..], &[3996.0, 3997.0][..]));
    }

    /// Pearson's formula, pair by pair.
    fn correlation_by_definition(gray: &Gray) -> f64 {
        let rows = gray.values.chunks_exact(gray.width as usize);
        let pairs: Vec<(f64, f64)> =
            rows.flat_map(|row| row.windows(2).map(|pair| (pair[0].into(), pair[1].into()))).collect();
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
        let (a, b) = (mean(&|pair| pair.0), mean(&|pair| pair.1));
        let covariance = mean(&|pair| (pair.0 - a) * (pair.1 - b));
        covariance / (mean(&|pair| (pair.0 - a).powi(2)) * mean(&|pair| (pair.1 - b).powi(2))).sqrt()
    }

    #[test]
    fn sums_of_rows_give_the_range_and_the_correlation_of_neighbours() {
        let mut noise = noise();
        for width in [2, 3, 8, 9, 16, 17, 31, 250] {
            let gray = image(width, 40, |at| noise(at) + 300.0 * (at % width) as f32);
            let rows = sampled_rows(&gray);
            let (got, want) = (correlation(&rows), correlation_by_definition(&gray));
            assert!((got - want).abs() < 1e-9, "{width}: {got} {want}");
            let (low, high) = gray.values.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            assert_eq!(range(rows), (low, high));
        }
        let odd = [f32::NAN, 3.0, f32::INFINITY, -2.0, f32::NEG_INFINITY];
        assert_eq!(range([&odd[..]].into_iter()), (-2.0, 3.0));
    }

    #[test]
    fn each_flaw_is_named() {
        let ramp = |at: u32| at as f32;
        assert_eq!(assess(&image(127, 500, ramp)), Err(Unfit::TooSmall));
        assert_eq!(assess(&image(601, 200, ramp)), Err(Unfit::Elongated));
        assert_eq!(assess(&image(200, 200, |_| 9.0)), Err(Unfit::Blank));
        assert_eq!(assess(&image(200, 200, |_| f32::NAN)), Err(Unfit::Blank));
        assert_eq!(assess(&image(200, 200, |at| if at < 50 { 1e6 } else { (at % 7) as f32 })), Err(Unfit::Blank));
        assert_eq!(assess(&image(200, 200, |at| at.min(12_000) as f32)), Err(Unfit::Saturated));
        assert_eq!(assess(&image(200, 200, |at| at.max(35_000) as f32)), Err(Unfit::Saturated));
        assert_eq!(assess(&image(200, 200, noise())), Err(Unfit::Noise));
        assert!(Unfit::TooSmall.to_string().contains(&format!("than {SHORTEST_SIDE} pixels on a side")));
    }

    /// Every `step`-th image of a folder of JPEG files, as the reader presents it.
    pub(super) fn real_images(folder: &str, step: usize) -> Option<impl Iterator<Item = (String, Gray)>> {
        let folder = real_files::folder(folder)?;
        let index = std::fs::read_to_string(folder.join("index.csv")).ok()?;
        let files: Vec<String> =
            index.lines().skip(1).step_by(step).map(|line| real_files::fields(line)[0].clone()).collect();
        Some(files.into_iter().filter_map(move |file| {
            let stream = std::fs::read(folder.join(&file)).ok()?;
            let (rows, columns, samples) = size(&stream)?;
            let photometric = if samples == 3 { "YBR_FULL" } else { "MONOCHROME2" };
            let shape = (rows, columns, samples, 8, 8, false, photometric);
            let object = wrap::encapsulated(shape, "1.2.840.10008.1.2.4.50", vec![stream]);
            let frames = decode(&object).unwrap_or_else(|error| panic!("{file}: {error}"));
            Some((file, preprocess::gray(&frames, 0, &Look::from_object(&object))))
        }))
    }

    /// How many there are, and those that are refused, by code.
    fn refused(folder: &str, step: usize) -> Option<(usize, Vec<String>)> {
        let (mut count, mut refused) = (0, Vec::new());
        for (file, gray) in real_images(folder, step)? {
            count += 1;
            if let Err(unfit) = assess(&gray) {
                refused.push(format!("{file} {}x{} {}", gray.width, gray.height, unfit.code()));
            }
        }
        Some((count, refused))
    }

    /// Rows, columns and components of the first frame header of a JPEG.
    fn size(stream: &[u8]) -> Option<(u16, u16, u16)> {
        let at = stream.windows(2).position(|pair| pair[0] == 0xFF && matches!(pair[1], 0xC0..=0xC2))?;
        let head = stream.get(at + 5..at + 10)?;
        Some((u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]), u16::from(head[4])))
    }

    #[test]
    fn under_one_percent_of_real_chest_images_are_refused() {
        let Some((count, refused)) = refused("chest_xray", 25) else { return };
        println!("{} of {count} chest images refused: {refused:?}", refused.len());
        assert!(count >= 300 && refused.len() * 100 < count);
    }

    #[test]
    fn few_real_ultrasound_frames_are_refused() {
        let Some((count, refused)) = refused("lung_ultrasound", 10) else { return };
        println!("{} of {count} ultrasound frames refused: {refused:?}", refused.len());
    }
}
