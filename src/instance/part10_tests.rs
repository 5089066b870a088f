//! What inspection promises, on files made here and on the shared ones where they are.

use super::*;

fn short(tag: Tag, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let mut bytes =
        [tag.group().to_le_bytes(), tag.element().to_le_bytes(), vr, u16::try_from(value.len()).unwrap().to_le_bytes()]
            .concat();
    bytes.extend(value);
    bytes
}

fn part10(transfer_syntax: &str, meta_instance: &str, group_length_off_by: i32) -> Vec<u8> {
    let meta = [
        short(tags::MEDIA_STORAGE_SOP_INSTANCE_UID, *b"UI", meta_instance.as_bytes()),
        short(tags::TRANSFER_SYNTAX_UID, *b"UI", transfer_syntax.as_bytes()),
    ]
    .concat();
    let length = (i32::try_from(meta.len()).unwrap() + group_length_off_by).to_le_bytes();
    let group_length = short(tags::FILE_META_INFORMATION_GROUP_LENGTH, *b"UL", &length);
    let dataset =
        [short(tags::SOP_CLASS_UID, *b"UI", b"1.2"), short(tags::SOP_INSTANCE_UID, *b"UI", b"1.2.3\0")].concat();
    [&PREAMBLE[..], &group_length, &meta, &dataset].concat()
}

fn inspect(bytes: &[u8]) -> Result<Instance, InstanceError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dcm");
    std::fs::write(&path, bytes).unwrap();
    Instance::inspect(&path).map(|(instance, _)| instance)
}

#[test]
fn a_file_is_known_by_the_digest_of_all_its_bytes() {
    let bytes = part10("1.2.840.10008.1.2.1\0", "1.2.3\0", 0);
    let instance = inspect(&bytes).unwrap();
    assert_eq!(instance.sha256, Digest::of(&bytes));
    assert_eq!(instance.size_bytes, bytes.len() as u64);
    assert_eq!(instance.sop_instance_uid.as_str(), "1.2.3");
    assert_eq!(instance.transfer_syntax_uid.as_str(), "1.2.840.10008.1.2.1");
}

#[test]
fn a_private_transfer_syntax_is_read_as_explicit_little_endian() {
    assert!(inspect(&part10("1.2.3.4.5", "1.2.3\0", 0)).is_ok());
}

#[test]
fn what_is_no_dicom_file_is_told_apart() {
    for bytes in [&[][..], b"hello", &[0; 200]] {
        assert!(matches!(inspect(bytes), Err(InstanceError::NotPart10)));
    }
    assert!(matches!(inspect(&part10("1.2.840.10008.1.2.1.99", "1.2.3\0", 0)), Err(InstanceError::Deflated(_))));
    assert!(matches!(inspect(&part10("1.2.840.10008.1.2.1\0", "1.2.4\0", 0)), Err(InstanceError::Disagrees { .. })));
    let bytes = part10("1.2.840.10008.1.2.1\0", "1.2.3\0", 0);
    assert!(matches!(inspect(&bytes[..140]), Err(InstanceError::Meta(_))));
}

#[test]
fn a_group_length_that_hides_part_of_the_dataset_is_refused() {
    for off_by in [-28, 11, 100_000] {
        assert!(inspect(&part10("1.2.840.10008.1.2.1\0", "1.2.3\0", off_by)).is_err(), "{off_by}");
    }
}

#[test]
fn no_shared_file_makes_inspection_panic() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/dicom");
    let Ok(folders) = std::fs::read_dir(&shared) else {
        println!("skipped: no shared DICOM files");
        return;
    };
    for folder in folders.flatten().filter(|f| f.path().is_dir()) {
        for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
            let name = format!("{}/{}", folder.file_name().display(), file.file_name().display());
            match Instance::inspect(&file.path()) {
                Ok((_, headers)) => println!(
                    "{name}: {:?} x {:?} x {}, {:?}",
                    headers.rows, headers.columns, headers.frames, headers.pixels
                ),
                Err(error) => println!("{name}: REFUSED {error}"),
            }
        }
    }
}
