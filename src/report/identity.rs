//! Identities that follow from what is identified: computed again, they are the same.
//!
//! All are UUIDs of version 8 (RFC 9562 5.8): the first 128 bits of a SHA-256, with
//! version and variant set. The hashed text starts with its purpose, so that
//! identities of different kinds never meet.

use crate::digest::Digest;
use crate::instance::uid::Uid;

/// The report id of the outcome of one instance on one device, as a UUID in text form.
///
/// `device` names the box and not its key (`site/name`), so that a changed key does not
/// turn a report that was already sent into a second one.
#[must_use]
pub fn report_id(device: &str, sop_instance_uid: &Uid) -> String {
    uuid(&["residentd report", device, sop_instance_uid.as_str()])
}

/// The id of the event that key `kid` signs as link `seq` of its device's chain.
#[must_use]
pub fn event_id(kid: &str, seq: u64) -> String {
    uuid(&["residentd event", kid, &seq.to_string()])
}

/// The id of the resource that plays `role` in report `report_id`.
pub(super) fn resource_id(report_id: &str, role: &str) -> String {
    uuid(&["residentd resource", report_id, role])
}

/// The id of the box `device` (`site/name`) while it signs with the key `key_id`: the same
/// in all its reports.
pub(super) fn device_id(device: &str, key_id: &str) -> String {
    uuid(&["residentd device", device, key_id])
}

/// The id of a model bundle, by its manifest, on the box that `device_id` names.
pub(super) fn algorithm_id(device_id: &str, manifest_sha256: &str) -> String {
    uuid(&["residentd algorithm", device_id, manifest_sha256])
}

/// The id of the patient whom `site` calls `patient_id`. Sites number alike, so that the
/// same number elsewhere is somebody else.
pub(super) fn patient_resource_id(site: &str, patient_id: &str) -> String {
    uuid(&["residentd patient", site, patient_id])
}

/// The id of the study with this Study Instance UID (0020,000D).
pub(super) fn study_resource_id(study_instance_uid: &Uid) -> String {
    uuid(&["residentd imaging study", study_instance_uid.as_str()])
}

/// The system, as a URI, in which `site` gives out identifiers of the kind `namespace`.
pub(super) fn site_system(namespace: &str, site: &str) -> String {
    format!("urn:uuid:{}", uuid(&["residentd site system", namespace, site]))
}

/// The UUID of `parts`; NUL stands between them and occurs in none that a caller makes.
fn uuid(parts: &[&str]) -> String {
    let hash = Digest::of(parts.join("\0").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_id_is_the_same_however_often_it_is_computed() {
        let uid: Uid = "1.2.3".parse().unwrap();
        let id = report_id("clinic/cart-1", &uid);
        assert_eq!(id, report_id("clinic/cart-1", &"1.2.3\0".parse().unwrap()));
        assert_ne!(id, report_id("clinic/cart-2", &uid));
        assert_ne!(id, report_id("clinic/cart-1", &"1.2.4".parse().unwrap()));
        assert_ne!(id, resource_id("clinic/cart-1", "1.2.3"));
    }

    #[test]
    fn identities_of_different_kinds_or_sites_never_meet() {
        let uid: Uid = "1.2.3".parse().unwrap();
        let ids = [
            device_id("clinic/cart-1", "1.2.3"),
            algorithm_id("clinic/cart-1", "1.2.3"),
            patient_resource_id("clinic", "1.2.3"),
            patient_resource_id("hospital", "1.2.3"),
            study_resource_id(&uid),
            resource_id("clinic", "1.2.3"),
            report_id("clinic", &uid),
        ];
        for (i, id) in ids.iter().enumerate() {
            assert!(!ids[i + 1..].contains(id), "{i}");
        }
        assert_ne!(site_system("patients", "clinic"), site_system("patients", "hospital"));
    }

    #[test]
    fn an_identity_is_a_uuid_of_version_8() {
        for n in 0..64 {
            let id = resource_id("r", &n.to_string());
            assert_eq!(id.len(), 36);
            assert_eq!(id.as_bytes()[14], b'8', "{id}");
            assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
            assert!(id.bytes().all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{id}");
        }
    }
}
