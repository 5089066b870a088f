//! Real files of public test suites against reference statistics.

use std::path::{Path, PathBuf};

/// The folder of real data beside the checkout, or a message that it is absent.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")).join(name);
    if !path.is_dir() {
        eprintln!("skipped: no real data at {name}");
        return None;
    }
    Some(path)
}

/// The fields of a CSV line with quotes.
pub(crate) fn fields(line: &str) -> Vec<String> {
    let (mut all, mut field, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    all.push(field);
    all
}

mod tests {
    use super::super::*;
    use super::*;

    /// Files with a decodable syntax that dicom-object does not open as they are.
    const NOT_OPENED: [(&str, &str); 11] = [
        ("CTImage.dcm_JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50.dcm", "an AE title too long in its file meta"),
        ("CTImage.dcm_JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57.dcm", "an AE title too long in its file meta"),
        ("pydicom__no_meta_group_length.dcm", "no group length in its file meta"),
        ("dwv__squares.dcm", "an invalid UID in its file meta"),
        ("dcmjs__no-meta-length-test.dcm", "no group length in its file meta"),
        ("dcm4che__Tag-0040-A170-VR-CS.dcm", "damaged data set"),
        ("fo-dicom__GH626.dcm", "damaged data set"),
        ("pydicom-data__JLSN_RGB_ILV0.dcm", "no preamble"),
        ("pydicom-data__JLSL_RGB_ILV0.dcm", "no preamble"),
        ("pydicom-data__JLSL_RGB_ILV1.dcm", "no preamble"),
        ("fo-dicom__GH364.dcm", "no group length in its file meta"),
    ];
    /// Files whose reference was decoded otherwise, and why ours stands.
    const OTHERWISE: [(&str, &str); 1] =
        [("pylibjpeg-data__TOSHIBA_J2K_SIZ1_PixRep0.dcm", "the codestream is signed, the header forgot: same bits")];
    /// A lossy stream under a lossless syntax.
    const LOSSY_ALL_THE_SAME: &str = "dcmjs__sample-op.dcm";
    /// Decoders of lossy JPEG may differ by one step in each of their two passes, and
    /// the reference's average over images lies up to 0.03 beside the exact transform.
    const LOSSY_STEPS: f64 = 2.0;
    const LOSSY_MEAN: f64 = 0.04;

    /// Least, greatest, mean.
    fn statistics(frames: &Frames) -> [f64; 3] {
        let all = || (0..frames.data.len()).map(|i| frames.data.get(i));
        let mean = all().map(f64::from).sum::<f64>() / frames.data.len() as f64;
        [f64::from(all().min().unwrap()), f64::from(all().max().unwrap()), mean]
    }

    /// The digest as the reference has it: of big-endian words for big-endian files.
    fn digest(frames: &Frames, big_endian: bool) -> String {
        let words: Vec<u8> = match &frames.data {
            Samples::U16(all) if big_endian => all.iter().flat_map(|v| v.to_be_bytes()).collect(),
            Samples::I16(all) if big_endian => all.iter().flat_map(|v| v.to_be_bytes()).collect(),
            _ => return frames.sha256.to_string()[..16].into(),
        };
        Digest::of(&words).to_string()[..16].into()
    }

    #[test]
    fn every_real_file_decodes_like_its_reference_or_is_refused_for_a_reason() {
        let Some(folder) = folder("dicom") else { return };
        let index = std::fs::read_to_string(folder.join("index.csv")).unwrap();
        let mut lines = index.lines();
        let names = fields(lines.next().unwrap());
        let (mut identical, mut close, mut refused) = (0, 0, 0);
        for line in lines {
            let row = fields(line);
            let get = |name: &str| row[names.iter().position(|n| n == name).unwrap()].as_str();
            let (file, syntax) = (get("file"), get("transfer_syntax"));
            let listed = |list: &[(&str, &str)]| list.iter().any(|(name, _)| file.ends_with(name));
            let decodable = decodable_syntaxes().contains(&syntax) && matches!(get("bits_alloc"), "8" | "16");
            let wanted = decodable && get("ref_decode").starts_with("ok");
            let Ok(object) = dicom_object::open_file(folder.join(file)) else {
                assert!(!wanted || listed(&NOT_OPENED), "{file} does not open");
                refused += 1;
                continue;
            };
            let frames = match decode(&object) {
                Ok(frames) => frames,
                Err(error) => {
                    assert!(!wanted, "{file}: {error}");
                    refused += 1;
                    continue;
                }
            };
            if !wanted {
                continue;
            }
            let lossy = matches!(syntax, "1.2.840.10008.1.2.4.50" | "1.2.840.10008.1.2.4.51")
                || file.ends_with(LOSSY_ALL_THE_SAME);
            let reference = ["ref_min", "ref_max", "ref_mean"].map(|name| get(name).parse::<f64>().unwrap());
            let got = statistics(&frames);
            if lossy {
                let off = [0, 1, 2].map(|i| (got[i] - reference[i]).abs());
                assert!(
                    off[0] <= LOSSY_STEPS && off[1] <= LOSSY_STEPS && off[2] <= LOSSY_MEAN,
                    "{file}: {got:?} {reference:?}"
                );
                close += 1;
                continue;
            }
            assert_eq!(digest(&frames, syntax == "1.2.840.10008.1.2.2"), get("ref_sha256_16"), "{file}");
            assert!(listed(&OTHERWISE) || (0..3).all(|i| (got[i] - reference[i]).abs() < 1e-3), "{file}: {got:?}");
            identical += 1;
        }
        println!("{identical} identical to the reference, {close} close (lossy JPEG), {refused} refused");
        assert!(identical >= 70 && close >= 19, "{identical} {close}");
    }

    #[test]
    fn every_real_file_that_opens_has_a_study_or_no_identity() {
        let Some(folder) = folder("dicom") else { return };
        let index = std::fs::read_to_string(folder.join("index.csv")).unwrap();
        let mut count = 0;
        for line in index.lines().skip(1) {
            let row = fields(line);
            let Ok(object) = dicom_object::open_file(folder.join(&row[0])) else { continue };
            if let Ok(study) = crate::study::Study::from_object(&object) {
                count += 1;
                assert!(study.age.years().is_none_or(|age| (0.0..=150.0).contains(&age)), "{}", row[0]);
            }
        }
        println!("{count} studies");
        assert!(count > 140);
    }

    #[test]
    fn both_decoders_of_gray_jpeg_agree_to_a_step() {
        let Some(folder) = folder("dicom") else { return };
        for file in ["xray_chest/torchxrayvision__Fake_MONOHR1.dcm", "xray_other/orthanc-tests__Monochrome1-Jpeg.dcm"] {
            let object = dicom_object::open_file(folder.join(file)).unwrap();
            let Some(Value::PixelSequence(sequence)) = object.get(tags::PIXEL_DATA).map(dicom_core::DataElement::value)
            else {
                panic!()
            };
            let layout = Layout::from_object(&object).unwrap();
            let theirs = vendor::jpeg(sequence.fragments().concat(), &layout).unwrap();
            let Samples::U8(ours) = decode(&object).unwrap().data else { panic!("bytes expected") };
            let most = ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max();
            println!("{file}: at most {most:?} apart");
            assert!(most <= Some(2), "{file}: {most:?}");
        }
    }

    #[test]
    fn every_truncation_and_many_flips_of_real_streams_end_without_a_panic() {
        let Some(folder) = folder("dicom") else { return };
        for file in [
            "other_image/dcm4che__NM1_JPLY",
            "other_image/pydicom__SC_rgb_small_odd_jpeg.dcm",
            "us_single/dicom-test-files__US1_RLE",
            "other_image/pydicom__SC_rgb_jpeg_gdcm.dcm",
            "other_image/pydicom__SC_rgb_gdcm_KY.dcm",
        ] {
            let Ok(object) = dicom_object::open_file(folder.join(file)) else { continue };
            let Some(Value::PixelSequence(sequence)) = object.get(tags::PIXEL_DATA).map(dicom_core::DataElement::value)
            else {
                continue;
            };
            let stream = sequence.fragments()[0].clone();
            let syntax = Syntax::of(object.meta().transfer_syntax()).unwrap();
            let layout = Layout::from_object(&object).unwrap();
            for step in 0..60 {
                let at = stream.len() * step / 60;
                let _ = decode_frame(&stream[..at], syntax, &layout);
                let mut flipped = stream.clone();
                flipped[at] ^= 0x55;
                // A stream that another decoder panics on is an error, too.
                let _ = decode_frame(&flipped, syntax, &layout);
            }
        }
    }
}
