//! The sections of the configuration file, with their defaults.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::types::{FindingLabel, Name, Seconds, TopicPrefix};
use crate::instance::uid::AeTitle;
use crate::language::Language;

/// Most receivers of one device: each receipt is held against each key.
pub const MAX_RECEIVERS: usize = 16;

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Who this box is.
    pub device: Device,
    /// How images come in.
    #[serde(default)]
    pub dicom: Dicom,
    /// How images are read.
    #[serde(default)]
    pub reader: Reader,
    /// Whose model bundles are used.
    #[serde(default)]
    pub models: Models,
    /// How reports are written.
    #[serde(default)]
    pub report: Report,
    /// Where outcomes go.
    pub mqtt: Mqtt,
    /// The embedded broker; absent where the site has its own.
    pub broker: Option<Broker>,
    /// Whose signed receipts count; absent where the broker's word is all there is.
    pub receiver: Option<Receiver>,
    /// What is kept for how long.
    #[serde(default)]
    pub retention: Retention,
}

/// `[device]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// The site, a level of every topic.
    pub site: Name,
    /// The box, a level of every topic; unique in the site.
    pub name: Name,
    /// Folder of store and spool.
    pub state_dir: PathBuf,
    /// The Ed25519 private key (PKCS#8 PEM), mode 0600 or tighter.
    pub key_file: PathBuf,
}

/// `[dicom]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dicom {
    /// Address and port of the Storage SCP.
    pub listen: SocketAddr,
    /// Our AE title; a caller that names another is rejected.
    pub ae_title: AeTitle,
    /// Calling AE titles that may send; empty: all.
    pub allow_calling: Vec<AeTitle>,
    /// Addresses that may connect; empty: all.
    pub allow_addresses: Vec<IpAddr>,
    /// Associations at once, 1 to 64.
    pub max_associations: u16,
    /// Associations at once from one address.
    pub max_associations_per_peer: u16,
    /// Longest silence inside an association.
    pub idle_s: Seconds,
    /// Longest time for one instance.
    pub instance_s: Seconds,
    /// Largest dataset.
    pub max_dataset_mib: u32,
    /// Free disk below which storing is refused with 0xA700.
    pub min_free_mib: u32,
    /// TLS; absent: plain TCP.
    pub tls: Option<DicomTls>,
}

impl Default for Dicom {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 11112)),
            ae_title: "RESIDENTD".parse().expect("a valid AE title"),
            allow_calling: Vec::new(),
            allow_addresses: Vec::new(),
            max_associations: 8,
            max_associations_per_peer: 2,
            idle_s: Seconds::of(60),
            instance_s: Seconds::of(120),
            max_dataset_mib: 512,
            min_free_mib: 512,
            tls: None,
        }
    }
}

/// `[dicom.tls]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DicomTls {
    /// Our certificate chain (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
    /// Authorities of client certificates (PEM); absent: no client certificate is asked for.
    pub client_ca: Option<PathBuf>,
}

/// `[reader]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reader {
    /// Folder whose sub-folders are model bundles.
    pub models_dir: PathBuf,
    /// Address-space limit of the reader process; absent: the board's.
    pub memory_mib: Option<u32>,
    /// Longest time for one image.
    pub time_limit_s: Seconds,
    /// Name of a writer bundle in `models_dir`, which drafts the words of Findings; absent:
    /// the grammar writes alone.
    pub writer: Option<Name>,
    /// Names of the bundles that read images and are for research only, and are to be used
    /// all the same; without their name here they sleep.
    pub research: Vec<Name>,
}

impl Reader {
    /// The names of the bundles for research that are to be used.
    #[must_use]
    pub fn research(&self) -> Vec<String> {
        self.research.iter().map(|name| name.as_str().to_owned()).collect()
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            models_dir: PathBuf::from("/usr/share/residentd/models"),
            memory_mib: None,
            time_limit_s: Seconds::of(60),
            writer: None,
            research: Vec::new(),
        }
    }
}

/// `[models]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Models {
    /// Folder of the public keys (PEM or JWK) of the vendors whose bundles are used.
    pub trust: PathBuf,
}

impl Default for Models {
    fn default() -> Self {
        Self { trust: PathBuf::from("/etc/residentd/trust/models") }
    }
}

/// `[report]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Report {
    /// The language of the clinician's text; English is added where it is another.
    pub language: Language,
    /// The languages of the patient's summary, which is not for release before a human
    /// accepted the report; empty: none is written.
    pub patient_languages: Vec<Language>,
    /// Labels of findings that raise an alert, where they are present or at least as
    /// likely as not.
    pub urgent: Vec<FindingLabel>,
}

impl Default for Report {
    fn default() -> Self {
        let label = |text: &str| FindingLabel::try_from(text.to_owned()).expect("a valid label");
        Self {
            language: Language::ENGLISH,
            patient_languages: vec![Language::ENGLISH],
            urgent: vec![label("pneumothorax"), label("free-air")],
        }
    }
}

/// `[mqtt]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// The broker's host name or address.
    pub host: String,
    /// Its port.
    #[serde(default = "mqtt_port")]
    pub port: u16,
    /// First levels of every topic.
    #[serde(default = "topic_prefix")]
    pub topic_prefix: TopicPrefix,
    /// User name, with `password_file`.
    pub user: Option<String>,
    /// File whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// Time between heartbeats on the `status` topic.
    #[serde(default = "heartbeat")]
    pub heartbeat_s: Seconds,
    /// Time between two documents on the `telemetry` topic.
    #[serde(default = "telemetry")]
    pub telemetry_s: Seconds,
    /// TLS; absent: plain TCP.
    pub tls: Option<MqttTls>,
}

fn mqtt_port() -> u16 {
    1883
}

fn topic_prefix() -> TopicPrefix {
    TopicPrefix::try_from("residentd".to_owned()).expect("a valid prefix")
}

fn telemetry() -> Seconds {
    Seconds::of(60)
}

fn heartbeat() -> Seconds {
    Seconds::of(30)
}

/// `[mqtt.tls]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttTls {
    /// Authorities of the broker's certificate (PEM).
    pub ca: PathBuf,
    /// Our client certificate chain (PEM), with `key`.
    pub certificate: Option<PathBuf>,
    /// Its private key (PEM).
    pub key: Option<PathBuf>,
}

/// `[broker]`: the embedded broker. It has no access control, so it listens on
/// this machine unless told otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// Address and port.
    #[serde(default = "broker_listen")]
    pub listen: SocketAddr,
}

fn broker_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1883))
}

/// `[receiver]`: the hospital's receivers, for example `residentd collect`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// Their public keys (PEM or JWK).
    pub keys: Vec<PathBuf>,
    /// Whose receipts take an outcome out of the outbox.
    #[serde(default)]
    pub required: RequiredReceipts,
    /// Whether they may ask for outcomes again.
    #[serde(default)]
    pub commands: Commands,
}

/// Whose receipts take an outcome out of the outbox. Under either, receivers get what is
/// sent when they are there and ask for what they missed: none waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequiredReceipts {
    /// The first receiver's: the others ask for what they lack.
    #[default]
    Any,
    /// Those of all receivers.
    All,
}

/// Whether signed commands are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Commands {
    /// They are.
    #[default]
    Accept,
    /// They are counted and told.
    Refuse,
}

/// `[retention]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days that an image is kept after its outcome was delivered. Outcomes are kept for good.
    pub image_days: u16,
    /// Days that a result is kept for comparison with later images of the patient; 0: never.
    pub comparison_days: u16,
    /// Days that it is kept in any case: after them it goes early where free disk is below
    /// `[dicom] min_free_mib`.
    pub image_min_days: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self { image_days: 30, comparison_days: 730, image_min_days: 0 }
    }
}

impl File {
    /// Resolves every relative path against `folder`.
    pub(super) fn make_paths_absolute(&mut self, folder: &Path) {
        let tls =
            self.dicom.tls.iter_mut().flat_map(|t| [Some(&mut t.certificate), Some(&mut t.key), t.client_ca.as_mut()]);
        let mqtt_tls = self.mqtt.tls.iter_mut().flat_map(|t| [Some(&mut t.ca), t.certificate.as_mut(), t.key.as_mut()]);
        let plain = [
            &mut self.device.state_dir,
            &mut self.device.key_file,
            &mut self.reader.models_dir,
            &mut self.models.trust,
        ];
        let all = tls.chain(mqtt_tls).chain([self.mqtt.password_file.as_mut()]).flatten().chain(plain);
        for path in all.chain(self.receiver.iter_mut().flat_map(|receiver| &mut receiver.keys)) {
            *path = folder.join(&*path);
        }
    }

    /// What two keys say against each other, if they do.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        let mqtt_tls_halves = self.mqtt.tls.as_ref().is_some_and(|t| t.certificate.is_some() != t.key.is_some());
        [
            (
                self.mqtt.user.is_some() != self.mqtt.password_file.is_some(),
                "[mqtt] user and password_file go together: set both or neither",
            ),
            (mqtt_tls_halves, "[mqtt.tls] certificate and key go together: set both or neither"),
            (!(1..=64).contains(&self.dicom.max_associations), "[dicom] max_associations must be 1 to 64"),
            (self.dicom.max_associations_per_peer == 0, "[dicom] max_associations_per_peer must be at least 1"),
            (!(1..=4096).contains(&self.dicom.max_dataset_mib), "[dicom] max_dataset_mib must be 1 to 4096"),
            (
                self.reader.memory_mib.is_some_and(|m| m < 256),
                "[reader] memory_mib must be at least 256: the models alone need that",
            ),
            (
                self.retention.image_min_days > self.retention.image_days,
                "[retention] image_min_days must not be above image_days",
            ),
            (
                self.broker.as_ref().is_some_and(|b| b.listen.port() != self.mqtt.port),
                "[broker] listens on another port than [mqtt] connects to: make them one",
            ),
            (
                self.receiver.as_ref().is_some_and(|receiver| !(1..=MAX_RECEIVERS).contains(&receiver.keys.len())),
                "[receiver] keys must name 1 to 16 keys: without a receiver remove the section",
            ),
            (
                self.broker.is_some() && !cfg!(feature = "broker"),
                "[broker] is set, but this build has no embedded broker: remove the section",
            ),
        ]
        .into_iter()
        .find_map(|(wrong, message)| wrong.then_some(message))
    }
}
