//! What is negotiated: SOP classes (PS3.4 B.5) and transfer syntaxes (PS3.5 annex A).

/// Verification (C-ECHO).
pub const VERIFICATION: &str = "1.2.840.10008.1.1";

/// Verification, and the images that a reader may exist for.
pub const SOP_CLASSES: [&str; 8] = [
    VERIFICATION,
    "1.2.840.10008.5.1.4.1.1.1",   // Computed Radiography
    "1.2.840.10008.5.1.4.1.1.1.1", // Digital X-Ray, for presentation
    "1.2.840.10008.5.1.4.1.1.6.1", // Ultrasound
    "1.2.840.10008.5.1.4.1.1.3.1", // Ultrasound multi-frame
    "1.2.840.10008.5.1.4.1.1.6",   // Ultrasound (retired, still sent)
    "1.2.840.10008.5.1.4.1.1.3",   // Ultrasound multi-frame (retired, still sent)
    "1.2.840.10008.5.1.4.1.1.7",   // Secondary Capture
];

/// JPEG-LS, lossless and near-lossless: decoded with the `jpeg-ls` feature only.
pub const JPEG_LS: [&str; 2] = ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"];

/// What this build decodes. Never a deflated one: its size has no bound.
pub const TRANSFER_SYNTAXES: &[&str] = &[
    "1.2.840.10008.1.2",      // Implicit VR Little Endian
    "1.2.840.10008.1.2.1",    // Explicit VR Little Endian
    "1.2.840.10008.1.2.2",    // Explicit VR Big Endian (retired)
    "1.2.840.10008.1.2.5",    // RLE
    "1.2.840.10008.1.2.4.50", // JPEG baseline
    "1.2.840.10008.1.2.4.51", // JPEG extended
    "1.2.840.10008.1.2.4.57", // JPEG lossless
    "1.2.840.10008.1.2.4.70", // JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.90", // JPEG 2000 lossless
    "1.2.840.10008.1.2.4.91", // JPEG 2000
    #[cfg(feature = "jpeg-ls")]
    JPEG_LS[0],
    #[cfg(feature = "jpeg-ls")]
    JPEG_LS[1],
];

/// The UID of ours that a peer's text names, padding aside.
#[must_use]
pub fn find(ours: &[&'static str], theirs: &str) -> Option<&'static str> {
    let bare = theirs.trim_matches([' ', '\0']);
    ours.iter().copied().find(|uid| *uid == bare)
}
