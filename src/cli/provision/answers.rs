//! Answers to what provisioning has to know: from flags, from a file, from a person. All three
//! are the same type, so that none can say what another cannot; flags win over the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::exit;
use crate::config::{self, HostPort, Name};
use crate::instance::uid::AeTitle;

/// Largest answer file: far above any real one.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// What was answered so far. An answer file is this in TOML; its paths are relative to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// The site's name
    #[arg(long, value_parser = name)]
    pub site: Option<Name>,
    /// The device's name, unique in the site
    #[arg(long, value_parser = name)]
    pub device: Option<Name>,
    /// Our AE title [default: RESIDENTD]
    #[arg(long)]
    pub ae_title: Option<AeTitle>,
    /// Where to listen for DICOM [default: 0.0.0.0:11112]
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// The site's broker, HOST or HOST:PORT (1883, with TLS 8883); without it, one is embedded
    #[arg(long)]
    pub broker: Option<HostPort>,
    /// Where the embedded broker listens [default: 127.0.0.1:1883]
    #[arg(long, conflicts_with = "broker")]
    pub broker_listen: Option<SocketAddr>,
    /// User name at the broker, with --broker-password-file
    #[arg(long, requires = "broker")]
    pub broker_user: Option<String>,
    /// File whose first line is the password; it is copied
    #[arg(long, value_name = "FILE")]
    pub broker_password_file: Option<PathBuf>,
    /// Authorities of the broker's certificate (PEM); it is copied. Turns TLS on
    #[arg(long, value_name = "FILE")]
    pub broker_ca: Option<PathBuf>,
    /// Whether this box shows a certificate to the broker: then a key and a request are made
    #[arg(long, value_name = "WHETHER", requires = "broker_ca")]
    pub client_certificate: Option<ClientCertificate>,
    /// The hospital's receivers' public keys, whose signed receipts count; they are copied
    #[arg(long = "receiver", value_name = "FILE")]
    pub receivers: Option<Vec<PathBuf>>,
    /// Public keys of those who may sign model bundles [default: the one of the shipped bundles]; they are copied
    #[arg(long = "model-anchor", value_name = "FILE")]
    pub model_anchors: Option<Vec<PathBuf>>,
    /// How the private key is kept [default: file]
    #[arg(long)]
    pub key: Option<KeyKept>,
    /// Folder for store and images [default: /var/lib/residentd]
    #[arg(long)]
    pub state_dir: Option<PathBuf>,
    /// Folder of model bundles [default: /usr/share/residentd/models]
    #[arg(long)]
    pub models_dir: Option<PathBuf>,
}

/// Whether the broker asks for a certificate of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificate {
    /// It does: make a key and a certificate request.
    Request,
    /// It does not.
    #[default]
    None,
}

/// How the device's private key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKept {
    /// In a file of mode 0600.
    #[default]
    File,
    /// As a systemd credential, encrypted with this machine's TPM 2: never in the clear on disk.
    Tpm2,
    /// As a systemd credential, encrypted with a key that lies on the same disk.
    Host,
}

fn name(text: &str) -> Result<Name, String> {
    Name::try_from(text.to_owned()).map_err(|e| e.to_string())
}

impl Answers {
    /// Reads the answer file at `path`.
    ///
    /// # Errors
    /// Unreadable, or wrong at a line and column that the message names.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let wrong = |code, what: String| exit::coded(code, format!("answers {}, {what}", path.display()));
        let unreadable = |e: std::io::Error| exit::coded(exit::DATA, format!("answers {}: {e}", path.display()));
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
            return Err(wrong(exit::DATA, format!("larger than {MAX_FILE_BYTES} bytes: is this the right file?")));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut answers: Self = toml::from_str(&text).map_err(|e| wrong(exit::CONFIG, config::located(&text, &e)))?;
        if let Some(why) = answers.contradiction() {
            return Err(wrong(exit::CONFIG, why.to_owned()));
        }
        let folder = std::path::absolute(path).ok().and_then(|p| p.parent().map(Path::to_owned)).unwrap_or_default();
        answers.make_sources_absolute(&folder);
        Ok(answers)
    }

    /// These, and where they say nothing, `other`'s.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        // A flag that says where one broker is takes back all that the file says of another.
        let other = if self.broker.is_some() || self.broker_listen.is_some() {
            Self { broker: None, broker_listen: None, ..other }
        } else {
            other
        };
        Self {
            site: self.site.or(other.site),
            device: self.device.or(other.device),
            ae_title: self.ae_title.or(other.ae_title),
            listen: self.listen.or(other.listen),
            broker: self.broker.or(other.broker),
            broker_listen: self.broker_listen.or(other.broker_listen),
            broker_user: self.broker_user.or(other.broker_user),
            broker_password_file: self.broker_password_file.or(other.broker_password_file),
            broker_ca: self.broker_ca.or(other.broker_ca),
            client_certificate: self.client_certificate.or(other.client_certificate),
            receivers: self.receivers.or(other.receivers),
            model_anchors: self.model_anchors.or(other.model_anchors),
            key: self.key.or(other.key),
            state_dir: self.state_dir.or(other.state_dir),
            models_dir: self.models_dir.or(other.models_dir),
        }
    }

    /// What two answers say against each other, if they do.
    #[must_use]
    pub fn contradiction(&self) -> Option<&'static str> {
        let site_broker = self.broker.is_some();
        let of_a_site_broker = self.broker_user.is_some()
            || self.broker_password_file.is_some()
            || self.broker_ca.is_some()
            || self.client_certificate == Some(ClientCertificate::Request);
        [
            (site_broker && self.broker_listen.is_some(), "broker and broker_listen contradict each other: a broker is the site's or embedded"),
            (
                !site_broker && of_a_site_broker,
                "broker_user, broker_password_file, broker_ca and client_certificate are for a site's own broker: answer broker too",
            ),
            (
                self.broker_user.is_some() != self.broker_password_file.is_some(),
                "broker_user and broker_password_file go together: answer both or neither",
            ),
            (
                self.client_certificate == Some(ClientCertificate::Request) && self.broker_ca.is_none(),
                "client_certificate = \"request\" needs broker_ca: without TLS no certificate is shown",
            ),
            (
                self.receivers.as_ref().is_some_and(|keys| keys.len() > config::MAX_RECEIVERS),
                "receivers may be 16 at most",
            ),
        ]
        .into_iter()
        .find_map(|(wrong, message)| wrong.then_some(message))
    }

    /// What cannot be left to a default and is not answered.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        [("site", self.site.is_none()), ("device", self.device.is_none())]
            .into_iter()
            .filter_map(|(name, missing)| missing.then_some(name))
            .collect()
    }

    fn make_sources_absolute(&mut self, folder: &Path) {
        let lists = self.receivers.iter_mut().chain(self.model_anchors.iter_mut()).flatten();
        let single = [&mut self.broker_password_file, &mut self.broker_ca, &mut self.state_dir, &mut self.models_dir];
        for path in lists.chain(single.into_iter().flatten()) {
            *path = folder.join(&*path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commented example that is shipped.
    const EXAMPLE: &str = include_str!("../../../systemd/answers.toml");

    fn load(text: &str) -> Result<Answers, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.toml");
        std::fs::write(&path, text).unwrap();
        Answers::load(&path).map_err(|e| e.to_string())
    }

    #[test]
    fn the_shipped_example_shows_every_answer_and_parses_with_all_of_them() {
        load(EXAMPLE).unwrap();
        let bare = |line: &str| {
            line.strip_prefix("# ")
                .filter(|l| l.split(" = ").next().is_some_and(|k| l.contains(" = ") && !k.contains(' ')))
                .map(str::to_owned)
        };
        let all: String = EXAMPLE.lines().map(|line| bare(line).unwrap_or_else(|| line.to_owned()) + "\n").collect();
        let shown: toml::Table = all.parse().unwrap();
        let every: Answers = toml::from_str(&all.replace("broker_listen", "# ")).unwrap();
        let known =
            toml::Table::try_from(Answers { broker_listen: Some("127.0.0.1:1883".parse().unwrap()), ..every }).unwrap();
        assert_eq!(shown.keys().collect::<Vec<_>>().len(), known.len());
        assert!(known.keys().all(|key| shown.contains_key(key)), "{known:?}");
    }

    #[test]
    fn a_typo_names_line_column_and_what_is_allowed() {
        let error = load("site = \"clinic\"\nae_titel = \"CART\"\n").unwrap_err();
        assert!(error.contains("line 2, column 1: `ae_titel = \"CART\"`"), "{error}");
        assert!(error.contains("unknown field `ae_titel`, expected one of `site`, `device`, `ae_title`"), "{error}");
        let error = load("site = \"clinic\"\n\nlisten = \"11112\"\n").unwrap_err();
        assert!(error.contains("line 3, column 10") && error.contains("0.0.0.0:11112"), "{error}");
        let error = load("key = \"tpm\"\n").unwrap_err();
        assert!(error.contains("line 1, column 7") && error.contains("`tpm2`"), "{error}");
        let error = load("site = \"St. Mary\"\n").unwrap_err();
        assert!(error.contains("line 1") && error.contains("1 to 32"), "{error}");
        let error = load("broker = \"mqtt://b\"\n").unwrap_err();
        assert!(error.contains("line 1") && error.contains("HOST:PORT"), "{error}");
        let error = load("broker_user = \"x\"\nbroker = \"b\"\n").unwrap_err();
        assert!(error.contains("broker_password_file go together"), "{error}");
    }

    #[test]
    fn flags_win_over_the_file_whose_paths_are_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.toml");
        std::fs::write(&path, "site = \"clinic\"\ndevice = \"cart-1\"\nbroker = \"b:2\"\nreceivers = [\"r.pem\"]\n")
            .unwrap();
        let flags = Answers { device: Some(name("cart-7").unwrap()), ..Answers::default() };
        let both = flags.or(Answers::load(&path).unwrap());
        assert_eq!(both.device.unwrap().as_str(), "cart-7");
        assert_eq!(both.site.unwrap().as_str(), "clinic");
        assert_eq!(both.receivers.unwrap(), [folder.path().join("r.pem")]);
        let flags = Answers { broker_listen: Some("127.0.0.1:9".parse().unwrap()), ..Answers::default() };
        assert_eq!(flags.or(Answers::load(&path).unwrap()).broker, None);
    }
}
