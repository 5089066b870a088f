//! Transfer syntaxes: which decoder serves which, and in what words a refusal names it.

use dicom_dictionary_std::uids;

use super::PixelError;

/// How pixel data is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Native,
    Rle,
    Jpeg,
    JpegLs,
    Jpeg2000,
}

/// What this build decodes, whatever its features.
const ALWAYS: [(&str, Syntax); 10] = [
    (uids::IMPLICIT_VR_LITTLE_ENDIAN, Syntax::Native),
    (uids::EXPLICIT_VR_LITTLE_ENDIAN, Syntax::Native),
    // Explicit VR Big Endian: retired, still sent.
    ("1.2.840.10008.1.2.2", Syntax::Native),
    (uids::RLE_LOSSLESS, Syntax::Rle),
    (uids::JPEG_BASELINE8_BIT, Syntax::Jpeg),
    (uids::JPEG_EXTENDED12_BIT, Syntax::Jpeg),
    (uids::JPEG_LOSSLESS, Syntax::Jpeg),
    (uids::JPEG_LOSSLESS_SV1, Syntax::Jpeg),
    (uids::JPEG2000_LOSSLESS, Syntax::Jpeg2000),
    (uids::JPEG2000, Syntax::Jpeg2000),
];
/// What a build with the `jpeg-ls` feature decodes besides.
const JPEG_LS: [(&str, Syntax); 2] =
    [(uids::JPEGLS_LOSSLESS, Syntax::JpegLs), (uids::JPEGLS_NEAR_LOSSLESS, Syntax::JpegLs)];

/// The transfer syntax UIDs whose pixels this build decodes: what it may accept at
/// association.
#[must_use]
pub fn decodable_syntaxes() -> Vec<&'static str> {
    table().map(|(uid, _)| uid).collect()
}

fn table() -> impl Iterator<Item = (&'static str, Syntax)> {
    let optional = JPEG_LS.into_iter().filter(|_| cfg!(feature = "jpeg-ls"));
    ALWAYS.into_iter().chain(optional)
}

impl Syntax {
    pub fn of(uid: &str) -> Result<Self, PixelError> {
        let uid = uid.trim_end_matches(['\0', ' ']);
        table().find(|(known, _)| *known == uid).map(|(_, syntax)| syntax).ok_or_else(|| undecodable(uid))
    }
}

fn undecodable(uid: &str) -> PixelError {
    let words = match uid.strip_prefix("1.2.840.10008.1.2.") {
        Some("1.99") => "deflated data sets are not accepted",
        Some("8.1") => "deflated image frames are not supported",
        Some("4.80" | "4.81") => "JPEG-LS needs a build with the jpeg-ls feature",
        Some("4.52" | "4.53" | "4.54" | "4.55" | "4.56") => "retired JPEG processes are not supported",
        Some("4.92" | "4.93") => "JPEG 2000 Part 2 is not supported",
        Some("4.110" | "4.111" | "4.112") => "JPEG XL is not supported",
        Some("4.201" | "4.202" | "4.203") => "High-Throughput JPEG 2000 is not supported",
        Some(rest) if rest.starts_with("4.10") => "video is not supported",
        _ => "its transfer syntax is not supported",
    };
    PixelError::Undecodable(words.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_syntax_is_named_in_words() {
        assert_eq!(Syntax::of("1.2.840.10008.1.2.4.51\0"), Ok(Syntax::Jpeg));
        let video = Syntax::of("1.2.840.10008.1.2.4.102").unwrap_err();
        assert_eq!(video.to_string(), "video is not supported");
        if cfg!(not(feature = "jpeg-ls")) {
            let refused = Syntax::of("1.2.840.10008.1.2.4.81").unwrap_err();
            assert_eq!(refused.to_string(), "JPEG-LS needs a build with the jpeg-ls feature");
        }
    }

    #[test]
    fn every_syntax_that_is_offered_has_a_decoder() {
        assert!(decodable_syntaxes().iter().all(|uid| Syntax::of(uid).is_ok()));
    }
}
