//! Full-range YCbCr to RGB (PS3.3 C.7.6.3.1.2), in integers.

/// Fixed point of 20 bits: rounds as real numbers do, for every pixel there is.
const ONE: i32 = 1 << 20;
const R_CR: i32 = 1_470_105; // 1.402
const G_CB: i32 = 360_853; // 0.114 * 1.772 / 0.587
const G_CR: i32 = 748_826; // 0.299 * 1.402 / 0.587
const B_CB: i32 = 1_858_077; // 1.772

/// Converts interleaved 8-bit `YBR_FULL` in place.
#[expect(clippy::cast_sign_loss, reason = "clamped to 0 to 255 first")]
pub(super) fn ybr_to_rgb(bytes: &mut [u8]) {
    for pixel in bytes.chunks_exact_mut(3) {
        let (y, cb, cr) = (i32::from(pixel[0]) * ONE, i32::from(pixel[1]) - 128, i32::from(pixel[2]) - 128);
        let rgb = [y + R_CR * cr, y - G_CB * cb - G_CR * cr, y + B_CB * cb];
        for (to, value) in pixel.iter_mut().zip(rgb) {
            *to = ((value + ONE / 2) >> 20).clamp(0, 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primaries_come_out_as_the_standard_defines_them() {
        for (ybr, rgb) in [([76, 85, 255], [254, 0, 0]), ([255, 128, 128], [255; 3]), ([29, 255, 107], [0, 0, 254])] {
            let mut pixel = ybr;
            ybr_to_rgb(&mut pixel);
            assert!(pixel.iter().zip(rgb).all(|(a, b): (&u8, u8)| a.abs_diff(b) <= 1), "{ybr:?} -> {pixel:?}");
        }
    }
}
