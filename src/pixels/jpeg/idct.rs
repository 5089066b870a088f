//! The inverse discrete cosine transform (T.81 A.3.3), separable, in single precision.
//!
//! Constants and order of operations are fixed, so every platform decodes alike.

/// cos(k π / 16) / 2, k = 0 to 8.
const HALF_COSINES: [f32; 9] =
    [0.5, 0.490_392_64, 0.461_939_77, 0.415_734_8, 0.353_553_4, 0.277_785_12, 0.191_341_72, 0.097_545_16, 0.0];

/// `BASIS[u][x]` = C(u)/2 cos((2x+1) u π / 16).
const BASIS: [[f32; 8]; 8] = basis();

const fn basis() -> [[f32; 8]; 8] {
    let mut table = [[0.0; 8]; 8];
    let mut u = 0;
    while u < 8 {
        let mut x = 0;
        while x < 8 {
            let angle = ((2 * x + 1) * u) % 32;
            table[u][x] = if u == 0 {
                HALF_COSINES[4] // 1 / (2 sqrt 2)
            } else if angle <= 8 {
                HALF_COSINES[angle]
            } else if angle <= 16 {
                -HALF_COSINES[16 - angle]
            } else if angle <= 24 {
                -HALF_COSINES[angle - 16]
            } else {
                HALF_COSINES[32 - angle]
            };
            x += 1;
        }
        u += 1;
    }
    table
}

/// The samples of a block of dequantized coefficients, level-shifted and clamped to
/// `precision` bits (1 to 16).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the precision first")]
pub(super) fn samples(block: &[f32; 64], precision: u8) -> [u16; 64] {
    let mut rows = [0f32; 64];
    for (line, out) in block.chunks_exact(8).zip(rows.chunks_exact_mut(8)) {
        if line.iter().any(|c| *c != 0.0) {
            for (u, coefficient) in line.iter().enumerate().filter(|(_, c)| **c != 0.0) {
                out.iter_mut().zip(&BASIS[u]).for_each(|(to, basis)| *to += coefficient * basis);
            }
        }
    }
    let mut sums = [0f32; 64];
    for (v, line) in rows.chunks_exact(8).enumerate() {
        if line.iter().all(|c| *c == 0.0) {
            continue;
        }
        for (y, out) in sums.chunks_exact_mut(8).enumerate() {
            let basis = BASIS[v][y];
            out.iter_mut().zip(line).for_each(|(to, value)| *to += value * basis);
        }
    }
    let middle = (1u32 << (precision - 1)) as f32;
    let highest = middle * 2.0 - 1.0;
    sums.map(|sum| (sum + middle + 0.5).floor().clamp(0.0, highest) as u16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(block: &[f32; 64], precision: u8) -> Vec<f64> {
        let c = |u: usize| if u == 0 { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
        let cosine = |x: usize, u: usize| (((2 * x + 1) * u) as f64 * std::f64::consts::PI / 16.0).cos();
        let at = |y: usize, x: usize| -> f64 {
            let sum: f64 =
                (0..64).map(|i| c(i / 8) * c(i % 8) * f64::from(block[i]) * cosine(x, i % 8) * cosine(y, i / 8)).sum();
            (sum / 4.0 + f64::from(1u32 << (precision - 1))).clamp(0.0, f64::from((1u32 << precision) - 1))
        };
        (0..64).map(|i| at(i / 8, i % 8)).collect()
    }

    proptest! {
        #[test]
        fn samples_are_within_half_a_step_of_the_exact_transform(
            coefficients in prop::collection::vec(-2000i16..2000, 64), precision in prop::sample::select(vec![8u8, 12])
        ) {
            let mut block = [0f32; 64];
            block.iter_mut().zip(&coefficients).for_each(|(to, from)| *to = f32::from(*from));
            for (got, want) in samples(&block, precision).iter().zip(exact(&block, precision)) {
                prop_assert!((f64::from(*got) - want).abs() <= 0.51, "{got} {want}");
            }
        }
    }
}
