//! Owners and modes of everything that the configuration names: what is secret must be the
//! daemon's alone, what it needs it must reach, and nobody else may write any of it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::finding::Found;
use super::service_user::{ServiceUser, Wish};
use crate::config::{Configuration, File};

/// Files of the state folder that are looked at: a folder of images may hold many more,
/// and a wrong owner there is one of all of them.
const MOST_FILES: usize = 2000;

/// What a file is for, which says who may do what with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// A key or password: nobody but the daemon's user (or root) reads it.
    Secret,
    /// The signing key where systemd hands it to the daemon: root's alone, or not there.
    Handed,
    /// Whoever writes it decides what this box does.
    Trusted,
}

/// How the daemon comes by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyBy {
    /// It reads the file.
    File,
    /// systemd reads it as root and hands it over.
    Credential,
}

/// Looks at every file and folder that `config` names.
#[must_use]
pub fn look(config: &Configuration, user: &ServiceUser, key_by: KeyBy) -> Found {
    let (secret, trusted) = named(&config.file);
    let key = |path: &PathBuf| key_by == KeyBy::Credential && *path == config.file.device.key_file;
    let secret = secret.into_iter().map(|path| if key(&path) { (path, Use::Handed) } else { (path, Use::Secret) });
    let trusted = trusted.into_iter().chain([config.path.clone()]).map(|path| (path, Use::Trusted));
    let files: Vec<(PathBuf, Use)> = secret.chain(trusted).collect();
    let (count, state) = (files.len(), &config.file.device.state_dir);
    let wrong = files.iter().filter_map(|(path, purpose)| file(path, *purpose, user));
    let folders = files.iter().filter_map(|(path, _)| path.parent()).collect::<std::collections::BTreeSet<_>>();
    let loose = folders.into_iter().filter_map(open_folder);
    Found::all(wrong.chain(loose).chain(state_folder(state, user))).unwrap_or_else(|| {
        Found::ok(format!("{count} files and {} are {}'s to use and nobody else's", state.display(), user.name))
    })
}

/// Secrets, and what is to be trusted.
fn named(file: &File) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let (dicom, mqtt) = (file.dicom.tls.as_ref(), file.mqtt.tls.as_ref());
    let secret = [
        Some(&file.device.key_file),
        dicom.map(|tls| &tls.key),
        mqtt.and_then(|tls| tls.key.as_ref()),
        file.mqtt.password_file.as_ref(),
    ];
    let trusted = [
        dicom.map(|tls| &tls.certificate),
        dicom.and_then(|tls| tls.client_ca.as_ref()),
        mqtt.map(|tls| &tls.ca),
        mqtt.and_then(|tls| tls.certificate.as_ref()),
        Some(&file.reader.models_dir),
        Some(&file.models.trust),
    ];
    let receivers = file.receiver.iter().flat_map(|receiver| &receiver.keys);
    (secret.into_iter().flatten().cloned().collect(), trusted.into_iter().flatten().chain(receivers).cloned().collect())
}

/// What is wrong with one file, if something is.
fn file(path: &Path, purpose: Use, user: &ServiceUser) -> Option<Found> {
    let shown = path.display();
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            return Some(Found::not_checked(format!("{shown}: {e}; run the doctor as root or as {}", user.name)));
        }
        Err(_) if purpose == Use::Handed => return None,
        Err(e) => {
            let todo = format!("put the file at {shown}, or correct its path in the configuration");
            return Some(Found::failed(format!("{shown}: {e}"), todo));
        }
    };
    let (mode, name) = (metadata.mode() & 0o7777, &user.name);
    let readable = user.may(Wish::Read, &metadata) && user.reaches(path);
    let others = mode & 0o077;
    match purpose {
        Use::Secret | Use::Handed if others != 0 => Some(Found::failed(
            format!("{shown} has mode {mode:04o}, so that others can use this secret"),
            format!("`chmod 600 {shown}`, and consider a new secret in it: it may be known"),
        )),
        Use::Secret if metadata.uid() != user.uid && metadata.uid() != 0 => Some(Found::failed(
            format!("{shown} belongs to user {}, not to {name}, who runs the daemon", metadata.uid()),
            format!("`chown {name} {shown}`"),
        )),
        Use::Trusted if is_open(&metadata) => Some(Found::failed(
            format!("{shown} has mode {mode:04o}: anybody can change it, and with it what this box does"),
            format!("`chmod o-w {shown}`"),
        )),
        Use::Handed => None,
        _ if !readable => Some(Found::failed(
            format!("{shown} cannot be read by {name}, who runs the daemon"),
            match purpose {
                Use::Secret | Use::Handed => format!("`chown {name} {shown}`"),
                Use::Trusted => {
                    format!("`chgrp {name} {shown} && chmod g+r {shown}`, and each folder above open to enter")
                }
            },
        )),
        _ => None,
    }
}

/// Anybody may put other files in a folder that is open to all.
fn open_folder(folder: &Path) -> Option<Found> {
    let metadata = std::fs::metadata(folder).ok()?;
    // A sticky folder keeps each file its owner's.
    let open = is_open(&metadata) && metadata.mode() & 0o1000 == 0;
    open.then(|| {
        let shown = folder.display();
        Found::failed(
            format!("{shown} has mode {:04o}: anybody can replace the files in it", metadata.mode() & 0o7777),
            format!("`chmod o-w {shown}`"),
        )
    })
}

fn is_open(metadata: &Metadata) -> bool {
    metadata.mode() & 0o002 != 0
}

/// Images and outcomes are patients': the folder is the daemon's, and so is all that is in it.
fn state_folder(folder: &Path, user: &ServiceUser) -> Option<Found> {
    let (shown, name) = (folder.display(), &user.name);
    let chown = || format!("`chown -R {name} {shown}`");
    let Ok(metadata) = std::fs::metadata(folder) else {
        let parent = folder.ancestors().skip(1).find_map(|above| std::fs::metadata(above).ok())?;
        let makes = user.may(Wish::Write, &parent);
        return (!makes).then(|| {
            let todo =
                format!("`install -d -m 750 -o {name} {shown}`; under systemd StateDirectory= makes it at the start");
            Found::warning(format!("{shown} is not there yet, and {name} may not make it"), todo)
        });
    };
    if !(user.may(Wish::Write, &metadata) && user.may(Wish::Enter, &metadata) && user.reaches(folder)) {
        return Some(Found::failed(format!("{shown} cannot be written by {name}, who runs the daemon"), chown()));
    }
    if metadata.mode() & 0o007 != 0 {
        let what = format!("{shown} has mode {:04o}: images of patients lie in it", metadata.mode() & 0o7777);
        return Some(Found::failed(what, format!("`chmod o-rwx {shown}`")));
    }
    let foreign = foreign(folder, user)?;
    let what = format!("{} belongs to another user: was the daemon started by hand as root?", foreign.display());
    Some(Found::failed(what, chown()))
}

/// The first file below `folder` that the user of the daemon may not write.
fn foreign(folder: &Path, user: &ServiceUser) -> Option<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut looked = 0;
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if !user.may(Wish::Write, &metadata) {
                return Some(entry.path());
            }
            if metadata.is_dir() {
                folders.push(entry.path());
            }
            looked += 1;
            if looked > MOST_FILES {
                return None;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::finding::State;
    use super::*;

    /// A box in a folder, its files with sound modes.
    fn provisioned(folder: &Path) -> Configuration {
        let text = "[device]\nsite = \"a\"\nname = \"b\"\nstate_dir = \"state\"\nkey_file = \"device.key\"\n\
                    [reader]\nmodels_dir = \"models\"\n[models]\ntrust = \"trust\"\n[mqtt]\nhost = \"h\"\nuser = \"u\"\npassword_file = \"password\"\n";
        std::fs::write(folder.join("residentd.toml"), text).unwrap();
        for (name, mode) in [("device.key", 0o600), ("password", 0o400)] {
            std::fs::write(folder.join(name), "x").unwrap();
            chmod(&folder.join(name), mode);
        }
        for name in ["state", "models", "trust"] {
            std::fs::create_dir(folder.join(name)).unwrap();
            chmod(&folder.join(name), 0o750);
        }
        Configuration::load(&folder.join("residentd.toml")).unwrap()
    }

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn owner(path: &Path) -> ServiceUser {
        let metadata = std::fs::metadata(path).unwrap();
        ServiceUser { uid: metadata.uid(), groups: vec![metadata.gid()], name: "residentd".to_owned() }
    }

    #[test]
    fn a_sound_box_is_sound_and_each_loose_file_is_named_with_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = provisioned(folder.path());
        let user = owner(folder.path());
        assert_eq!(look(&config, &user, KeyBy::File).state, State::Ok, "{:?}", look(&config, &user, KeyBy::File));
        for (name, loose, sound, advice) in [
            ("device.key", 0o640, 0o600, "chmod 600"),
            ("password", 0o604, 0o400, "chmod 600"),
            ("residentd.toml", 0o646, 0o644, "chmod o-w"),
            ("models", 0o757, 0o750, "chmod o-w"),
            ("state", 0o755, 0o750, "chmod o-rwx"),
        ] {
            let path = folder.path().join(name);
            chmod(&path, loose);
            let found = look(&config, &user, KeyBy::File);
            chmod(&path, sound);
            assert_eq!(found.state, State::Failed, "{name}");
            assert!(found.what.iter().any(|what| what.contains(&path.display().to_string())), "{found:?}");
            assert!(found.todo.iter().any(|todo| todo.contains(advice)), "{found:?}");
        }
    }

    #[test]
    fn what_belongs_to_another_user_or_is_missing_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let config = provisioned(folder.path());
        let other = ServiceUser { uid: 4_000_001, groups: vec![4_000_001], name: "residentd".to_owned() };
        let found = look(&config, &other, KeyBy::File);
        assert!(found.todo.iter().any(|todo| todo.contains("chown -R residentd")), "{found:?}");
        assert!(found.what.iter().any(|what| what.contains("residentd, who runs the daemon")), "{found:?}");
        assert!(!look(&config, &other, KeyBy::Credential).what.iter().any(|what| what.contains("device.key")));
        std::fs::remove_file(folder.path().join("password")).unwrap();
        let found = look(&config, &owner(folder.path()), KeyBy::File);
        assert!(found.state == State::Failed && found.todo[0].contains("put the file at"), "{found:?}");
    }
}
