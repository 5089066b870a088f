//! The signing key: readable as the daemon reads it, the one that its public half and the
//! outcomes in the store say.

use std::io::ErrorKind;
use std::path::Path;

use super::files::KeyBy;
use super::finding::Found;
use super::service_user::ServiceUser;
use crate::os::private::NotPrivate;
use crate::seal::key::{DeviceKey, KeyError};
use crate::seal::public::PublicKey;

/// Looks at the key in `path`; `last` is the newest outcome in the store, if there is one.
#[must_use]
pub fn look(path: &Path, user: &ServiceUser, key_by: KeyBy, last: Option<&str>) -> Found {
    let key = match DeviceKey::load_as(path, user.uid) {
        Ok(key) => key,
        Err(KeyError::NotPrivate(NotPrivate::Unreadable { source, .. }))
            if source.kind() == ErrorKind::PermissionDenied =>
        {
            return Found::not_checked(format!("{}: {source}; run the doctor as root", path.display()));
        }
        Err(KeyError::NotPrivate(NotPrivate::Unreadable { source, .. }))
            if source.kind() == ErrorKind::NotFound && key_by == KeyBy::Credential =>
        {
            return Found::not_checked(
                "it is sealed to this machine and handed over by systemd; the check `dicom` shows whether outcomes are signed with it",
            );
        }
        Err(e) => return Found::failed(e.to_string(), todo(&e, path)),
    };
    let found = Found::ok(format!("key id {}", key.id())).and(public_half(path, &key));
    match last {
        Some(jws) => found.and(chain(jws, &key)),
        None => found,
    }
}

fn todo(error: &KeyError, path: &Path) -> String {
    let shown = path.display();
    match error {
        KeyError::NotPrivate(NotPrivate::Unreadable { source, .. })
            if source.kind() == ErrorKind::NotFound =>
        {
            "bring the key back from the enrolment's safe place, or make one with `residentd provision`: the hospital must then be given the new public key".to_owned()
        }
        KeyError::NotPrivate(_) => {
            format!("make {shown} readable by the daemon's user alone (`chmod 600`, `chown`)")
        }
        _ => format!("{shown} must hold one Ed25519 key as `residentd provision` writes it; bring back the file that was there"),
    }
}

fn public_half(path: &Path, key: &DeviceKey) -> Found {
    let public = path.with_extension("pub.pem");
    let shown = public.display();
    match PublicKey::load(&public) {
        Ok(found) if found == *key.public() => Found::ok("its public half lies beside it"),
        Ok(found) => Found::failed(
            format!("{shown} is another key's public half ({})", found.id()),
            format!(
                "find out which of both the hospital enrolled; `residentd verify` refuses every outcome under the other. Remove {shown} if the private key is the right one"
            ),
        ),
        Err(e) => Found::warning(
            format!("no public half beside it: {e}"),
            "the hospital needs it to verify; it is made with the key, bring it back from there",
        ),
    }
}

/// The newest outcome must be this key's, or hand over to it: receivers see anything else as a
/// forgery, and the daemon does not start.
fn chain(last: &str, key: &DeviceKey) -> Found {
    match key.follows(Some(last)) {
        Ok(()) => Found::ok("it is the key that signs what follows in the store"),
        Err(e) => Found::failed(
            e.to_string(),
            "this store belongs to another key: bring that key back, or begin with an empty state folder; receivers must be given the new public key",
        ),
    }
}
