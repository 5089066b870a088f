//! Fragments to frames (PS3.5 A.4): one each, all of one, or by offset table or by the
//! start of a codestream where a frame spans several.

use std::borrow::Cow;

use super::PixelError;

/// Bytes of an item's tag and length before its value (PS3.5 7.5).
const ITEM_HEADER_BYTES: u64 = 8;

/// The compressed bytes of each of `frames` frames, in order.
pub(super) fn by_frame<'a>(
    offsets: &[u32],
    fragments: &'a [Vec<u8>],
    frames: usize,
) -> Result<Vec<Cow<'a, [u8]>>, PixelError> {
    if fragments.len() < frames {
        let words = format!("{} fragments for {frames} frames", fragments.len());
        return Err(PixelError::Malformed(words));
    }
    if fragments.len() == frames {
        return Ok(fragments.iter().map(|f| Cow::Borrowed(f.as_slice())).collect());
    }
    if frames == 1 {
        return Ok(vec![Cow::Owned(fragments.concat())]);
    }
    let starts =
        if offsets.len() == frames { starts_by_table(offsets, fragments) } else { starts_by_content(fragments) };
    if starts.len() != frames || starts.first() != Some(&0) {
        return Err(PixelError::Malformed("fragments cannot be told apart into frames".into()));
    }
    let ends = starts[1..].iter().copied().chain([fragments.len()]);
    Ok(starts.iter().zip(ends).map(|(&start, end)| Cow::Owned(fragments[start..end].concat())).collect())
}

/// Indices of fragments that the Basic Offset Table points at.
fn starts_by_table(offsets: &[u32], fragments: &[Vec<u8>]) -> Vec<usize> {
    let mut at = 0;
    let mut starts = Vec::new();
    for (index, fragment) in fragments.iter().enumerate() {
        if offsets.get(starts.len()).is_some_and(|&offset| u64::from(offset) == at) {
            starts.push(index);
        }
        at += ITEM_HEADER_BYTES + fragment.len() as u64;
    }
    starts
}

/// Indices of fragments that begin like a JPEG, JPEG-LS or JPEG 2000 stream.
fn starts_by_content(fragments: &[Vec<u8>]) -> Vec<usize> {
    let begins = |f: &[u8]| f.starts_with(&[0xFF, 0xD8]) || f.starts_with(&[0xFF, 0x4F, 0xFF, 0x51]);
    (0..fragments.len()).filter(|&index| begins(&fragments[index])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(offsets: &[u32], fragments: &[&[u8]], frames: usize) -> Option<Vec<Vec<u8>>> {
        let fragments: Vec<Vec<u8>> = fragments.iter().map(|f| f.to_vec()).collect();
        by_frame(offsets, &fragments, frames).ok().map(|all| all.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn a_frame_may_span_fragments() {
        assert_eq!(split(&[], &[b"ab", b"cd"], 1), Some(vec![b"abcd".to_vec()]));
        assert_eq!(split(&[0, 20], &[b"ab", b"cd", b"ef"], 2), Some(vec![b"abcd".to_vec(), b"ef".to_vec()]));
        let (soi, more) = (b"\xFF\xD8".as_slice(), b"xx".as_slice());
        assert_eq!(split(&[], &[soi, more, soi], 2).unwrap().len(), 2);
    }

    #[test]
    fn fragments_that_fit_no_frames_are_refused() {
        assert_eq!(split(&[], &[b"ab"], 2), None);
        assert_eq!(split(&[0, 11], &[b"ab", b"cd", b"ef"], 2), None);
        assert_eq!(split(&[], &[b"ab", b"cd", b"ef"], 2), None);
    }
}
