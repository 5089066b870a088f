//! What stands in the folder of a box: shown by a second run of `provision`, and held against
//! what should be there. [`lacking`] is what a doctor asks.

use std::path::Path;

use super::answers::Answers;
use super::folder::{Folder, SERVICE_USER};
use super::keeping::Keeping;
use super::{certificate, put_public, say, unit};
use crate::cli::exit;
use crate::config::Configuration;
use crate::os;
use crate::os::private;
use crate::os::users;
use crate::seal::public::PublicKey;

/// Something that is not as it should be, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// What is wrong, with the file.
    pub what: String,
    /// What to do.
    pub todo: String,
}

/// Shows a provisioned box, after making what can be made again: a run may have been cut. Fails
/// where `answers` say that it should be another one.
pub fn show(folder: &Folder, answers: &Answers) -> anyhow::Result<()> {
    let path = folder.configuration();
    let config = Configuration::load(&path)?;
    let device = &config.file.device;
    let other = [(&answers.site, &device.site), (&answers.device, &device.name)]
        .into_iter()
        .find(|(answered, is)| answered.as_ref().is_some_and(|answered| answered != *is));
    if let Some((answered, is)) = other {
        return Err(exit::coded(
            exit::CANNOT_CREATE,
            format!(
                "{} exists: this box is provisioned as {}/{} and answers say {} for {is}; provisioning never overwrites: edit the file, or `residentd provision decommission` to start anew",
                path.display(),
                device.site,
                device.name,
                answered.as_ref().map(ToString::to_string).unwrap_or_default(),
            ),
        ));
    }
    let keeping = Keeping::find(folder);
    if let Some(keeping) = &keeping {
        unit::learn(folder.path(), keeping)?;
    }
    if let Some(Ok(key)) = keeping.map(|keeping| keeping.load()) {
        if config.file.mqtt.tls.as_ref().and_then(|tls| tls.key.as_ref()) == Some(&folder.tls_key()) {
            certificate::request(folder, &device.site, &device.name)?;
        }
        put_public(folder, &device.site, &device.name, &key)?;
    }
    let public = PublicKey::load(&folder.public_key());
    say(&format!("site           {}\ndevice         {}", device.site, device.name));
    match &public {
        Ok(key) => say(&format!("key id         {}", key.id())),
        Err(e) => say(&format!("key id         unknown: {e}")),
    }
    say(&format!("public key     {}", folder.public_key().display()));
    say(&format!(
        "model vendors  keys in {}; bundles signed by others are refused",
        config.file.models.trust.display()
    ));
    if let Some(Keeping::Credential(path)) = Keeping::find(folder) {
        say(&format!(
            "private key    {}, sealed to this machine: the service needs sealed-key.conf (/usr/share/doc/residentd/examples) to open it",
            path.display()
        ));
    }
    say(&format!("enrolment card {}, {}", folder.card_text().display(), folder.card_picture().display()));
    say(&format!("configuration  {}", path.display()));
    say(&format!("clock          {}", clock()));
    let lacks = lacking(&path);
    for Lack { what, todo } in &lacks {
        say(&format!("MISSING        {what}: {todo}"));
    }
    say(&format!("next           residentd check --config {}", path.display()));
    if let Some(next) = unit::next(folder.path()) {
        say(&format!("then           {next}"));
    }
    Ok(())
}

/// What is wrong with how the box of the configuration at `path` is provisioned. Changes nothing.
#[must_use]
pub fn lacking(path: &Path) -> Vec<Lack> {
    let folder = Folder::new(path.parent().map(Path::to_owned).unwrap_or_default());
    let mut lacks = Vec::new();
    let mut lack = |what: String, todo: String| lacks.push(Lack { what, todo });
    let config = match Configuration::load(path) {
        Ok(config) => config,
        Err(e) if path.exists() => {
            lack(e.to_string(), "mend the configuration".to_owned());
            return lacks;
        }
        Err(_) => {
            let begun = Keeping::find(&folder).is_some() || folder.public_key().exists();
            let (what, todo) = if begun {
                ("provisioning was cut", "run `residentd provision` again with the same answers: what is there is kept")
            } else {
                ("this box is not provisioned", "run `residentd provision`")
            };
            lack(format!("{}: {what}", path.display()), todo.to_owned());
            return lacks;
        }
    };
    if folder.ending().exists() {
        lack(
            format!("{}: decommissioning was cut", folder.ending().display()),
            "run `residentd provision decommission` again: it finishes".to_owned(),
        );
        return lacks;
    }
    let file = &config.file;
    key(&folder, &file.device.key_file, &mut lack);
    let tls = file.mqtt.tls.as_ref();
    let dicom = file.dicom.tls.as_ref();
    let named = [
        (tls.map(|tls| &tls.ca), "broker's authority"),
        (dicom.map(|tls| &tls.certificate), "DICOM certificate"),
        (dicom.and_then(|tls| tls.client_ca.as_ref()), "scanners' authority"),
    ];
    let receivers =
        file.receiver.iter().flat_map(|receiver| &receiver.keys).map(|key| (Some(key), "receiver's public key"));
    for (path, what) in named.into_iter().chain(receivers) {
        if let Some(path) = path.filter(|path| !path.exists()) {
            lack(format!("{} ({what}) is not there", path.display()), "put it there".to_owned());
        }
    }
    let trust = &file.models.trust;
    if !std::fs::read_dir(trust).is_ok_and(|mut anchors| anchors.next().is_some()) {
        lack(
            format!("{}: no key of a model vendor is there, so no bundle is used", trust.display()),
            "put the vendor's public key there".to_owned(),
        );
    }
    let secrets = [
        (file.mqtt.password_file.as_ref(), "broker's password"),
        (tls.and_then(|tls| tls.key.as_ref()), "key of our certificate"),
        (dicom.map(|tls| &tls.key), "key of the DICOM certificate"),
    ];
    for (path, what) in secrets {
        if let Some(Err(e)) = path.map(|path| read(path)) {
            lack(format!("{what}: {e}"), "mend that".to_owned());
        }
    }
    if let Some(certificate) = tls.and_then(|tls| tls.certificate.as_ref()).filter(|path| !path.exists()) {
        lack(
            format!("{} is not there", certificate.display()),
            format!(
                "have {} signed by the broker's authority and put the certificate there",
                folder.tls_request().display()
            ),
        );
    }
    lacks
}

/// A secret as the daemon will find it: root, who looks, is not the one who must be able to.
fn read(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, private::NotPrivate> {
    match users::effective_is_root().then(|| users::lookup(SERVICE_USER)).flatten() {
        Some(service) => private::read_as(path, service.uid),
        None => private::read(path),
    }
}

/// The key and its public half.
fn key(folder: &Folder, key_file: &Path, lack: &mut impl FnMut(String, String)) {
    if key_file != folder.device_key() {
        // Somebody keeps the key elsewhere: then this is his to look after.
        if let Err(e) = read(key_file) {
            lack(format!("private key {e}"), "mend that".to_owned());
        }
        return;
    }
    let Some(keeping) = Keeping::find(folder) else {
        lack(
            format!("{} is not there", key_file.display()),
            "outcomes cannot be signed, and what was signed can be followed with no other key: put it back, or decommission this box and provision it anew".to_owned(),
        );
        return;
    };
    if ["next", "old"].into_iter().any(|word| Keeping::find_other(folder, word).is_some()) {
        lack(
            format!("{}: a change of the key was cut", folder.path().display()),
            "stop residentd and run `residentd provision rotate-key` again: it finishes".to_owned(),
        );
    }
    if let Keeping::File(path) = &keeping
        && let Err(e) = read(path)
    {
        lack(format!("private key {e}"), "mend that".to_owned());
    }
    match PublicKey::load(&folder.public_key()) {
        Err(e) => lack(e.to_string(), "run `residentd provision` again: it makes it from the private key".to_owned()),
        Ok(public) => {
            if let Keeping::File(_) = &keeping
                && let Ok(key) = keeping.load()
                && key.public() != &public
            {
                lack(
                    format!("{} is not the public half of {}", folder.public_key().display(), keeping.path().display()),
                    "move the public key away and run `residentd provision` again".to_owned(),
                );
            }
        }
    }
}

/// What the clock is worth: nothing that provisioning makes depends on it, other things do.
pub fn clock() -> String {
    let now = os::now();
    if now.synchronised {
        format!("{}, synchronised", now.rfc3339())
    } else {
        format!(
            "{}, NOT synchronised: nothing made here depends on it, but TLS does, and outcomes will say so; set up a time source",
            now.rfc3339()
        )
    }
}

impl Folder {
    /// The device's public key.
    pub fn public_key(&self) -> std::path::PathBuf {
        self.device_key().with_extension("pub.pem")
    }

    pub fn card_text(&self) -> std::path::PathBuf {
        self.path().join("enrolment.txt")
    }

    pub fn card_picture(&self) -> std::path::PathBuf {
        self.path().join("enrolment.png")
    }
}
