//! The configuration that provisioning writes: the shipped, commented file with the answers in.

use std::path::Path;

use super::answers::{Answers, ClientCertificate};
use super::folder::Folder;
use crate::config::{Name, RequiredReceipts};

/// The commented configuration that is shipped; provisioning fills in the blanks.
pub const TEMPLATE: &str = include_str!("../../../systemd/residentd.toml");

/// Port of a broker that the answers do not say: with TLS and without.
const MQTTS: u16 = 8883;
const MQTT: u16 = 1883;

/// The shipped configuration with this device's answers; `site` and `device` must be answered.
pub fn configuration(answers: &Answers, site: &Name, device: &Name, folder: &Folder) -> String {
    let mut page = Page(TEMPLATE.to_owned());
    page.set("site = \"clinic\"", format!("site = \"{site}\""));
    page.set("name = \"cart-1\"", format!("name = \"{device}\""));
    page.set("key_file = \"/etc/residentd/device.key\"", format!("key_file = {}", quoted(&folder.device_key())));
    if let Some(path) = &answers.state_dir {
        page.set("state_dir = \"/var/lib/residentd\"", format!("state_dir = {}", quoted(path)));
    }
    if let Some(path) = &answers.models_dir {
        page.set("models_dir = \"/usr/share/residentd/models\"", format!("models_dir = {}", quoted(path)));
    }
    page.set("# [models]\n", "[models]\n");
    page.set("# trust = \"/etc/residentd/trust/models\"", format!("trust = {}", quoted(&folder.model_anchors())));
    if let Some(listen) = answers.listen {
        page.set("# listen = \"0.0.0.0:11112\"", format!("listen = \"{listen}\""));
    }
    if let Some(title) = &answers.ae_title {
        page.set("# ae_title = \"RESIDENTD\"", format!("ae_title = {}", text(title.as_str())));
    }
    match &answers.broker {
        None => embedded(&mut page, answers),
        Some(_) => of_the_site(&mut page, answers, folder),
    }
    let receivers = answers.receivers.as_ref().map_or(0, Vec::len);
    if receivers > 0 {
        let keys: Vec<String> = (1..=receivers).map(|n| text(&Folder::receiver_name(n))).collect();
        page.set("# [receiver]\n# keys = [\"receiver.pub.pem\"]", format!("[receiver]\nkeys = [{}]", keys.join(", ")));
        debug_assert_eq!(RequiredReceipts::default(), RequiredReceipts::Any);
    }
    page.0
}

fn embedded(page: &mut Page, answers: &Answers) {
    let listen = answers.broker_listen.unwrap_or_else(|| ([127, 0, 0, 1], MQTT).into());
    page.set("# [broker]\n# listen = \"127.0.0.1:1883\"", format!("[broker]\nlisten = \"{listen}\""));
    page.set("# port = 1883", format!("port = {}", listen.port()));
    if !listen.ip().is_unspecified() {
        page.set("host = \"127.0.0.1\"", format!("host = \"{}\"", listen.ip()));
    }
}

fn of_the_site(page: &mut Page, answers: &Answers, folder: &Folder) {
    let Some(broker) = &answers.broker else { return };
    let tls = answers.broker_ca.is_some();
    let port = broker.port.unwrap_or(if tls { MQTTS } else { MQTT });
    page.set("host = \"127.0.0.1\"", format!("host = {}", text(&broker.host)));
    page.set("# port = 1883", format!("port = {port}"));
    if let Some(user) = &answers.broker_user {
        page.set("# user = \"cart-1\"", format!("user = {}", text(user)));
        page.set("# password_file = \"mqtt.password\"", format!("password_file = {}", named(&folder.password())));
    }
    if tls {
        page.set("# [mqtt.tls]\n# ca = \"broker-ca.crt\"", format!("[mqtt.tls]\nca = {}", named(&folder.broker_ca())));
    }
    if answers.client_certificate == Some(ClientCertificate::Request) {
        let (certificate, key) = (named(&folder.tls_certificate()), named(&folder.tls_key()));
        page.set(
            "# certificate = \"mqtt.crt\"\n# key = \"mqtt.key\"",
            format!("certificate = {certificate}\nkey = {key}"),
        );
    }
}

struct Page(String);

impl Page {
    fn set(&mut self, from: &str, to: impl AsRef<str>) {
        debug_assert!(self.0.contains(from), "the template lost {from}");
        self.0 = self.0.replacen(from, to.as_ref(), 1);
    }
}

/// Absolute: in the file a relative path would be relative to the file, not to us.
fn quoted(path: &Path) -> String {
    text(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string())
}

/// By its name alone: what provisioning makes stands beside the configuration.
fn named(path: &Path) -> String {
    text(&path.file_name().unwrap_or_default().display().to_string())
}

fn text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Configuration;

    fn made(answers: &str) -> Configuration {
        let answers: Answers = toml::from_str(answers).unwrap();
        let name = |text: &str| Name::try_from(text.to_owned()).unwrap();
        let text = configuration(&answers, &name("clinic-2"), &name("cart-7"), &Folder::new("/etc/residentd".into()));
        Configuration::parse(&text, Path::new("/etc/residentd/residentd.toml")).unwrap()
    }

    #[test]
    fn every_answer_stands_in_the_configuration() {
        let file = made(
            "ae_title = \"CART7\"\nlisten = \"0.0.0.0:104\"\nbroker = \"b.example\"\nbroker_user = \"u\"\n\
             broker_password_file = \"/p\"\nbroker_ca = \"/ca\"\nclient_certificate = \"request\"\n\
             receivers = [\"/a\", \"/b\"]\nstate_dir = \"/s\"\nmodels_dir = \"/m\"\n",
        )
        .file;
        let etc = Path::new("/etc/residentd");
        assert_eq!((file.device.site.as_str(), file.device.name.as_str()), ("clinic-2", "cart-7"));
        assert_eq!((file.dicom.ae_title.as_str(), file.dicom.listen.port()), ("CART7", 104));
        assert_eq!((file.mqtt.host.as_str(), file.mqtt.port, file.broker.is_none()), ("b.example", MQTTS, true));
        assert_eq!((file.mqtt.user.as_deref(), file.mqtt.password_file), (Some("u"), Some(etc.join("mqtt.password"))));
        let tls = file.mqtt.tls.unwrap();
        assert_eq!(
            (tls.ca, tls.key, tls.certificate),
            (etc.join("broker-ca.crt"), Some(etc.join("mqtt.key")), Some(etc.join("mqtt.crt")))
        );
        assert_eq!(file.receiver.unwrap().keys, [etc.join("receiver-1.pub.pem"), etc.join("receiver-2.pub.pem")]);
        assert_eq!(
            (file.device.state_dir.as_path(), file.reader.models_dir.as_path()),
            (Path::new("/s"), Path::new("/m"))
        );
    }

    #[test]
    fn without_answers_the_defaults_stand_and_a_broker_is_embedded() {
        let file = made("").file;
        assert_eq!((file.dicom.ae_title.as_str(), file.dicom.listen.port()), ("RESIDENTD", 11112));
        assert_eq!((file.mqtt.host.as_str(), file.mqtt.port), ("127.0.0.1", MQTT));
        assert!(file.broker.is_some() && file.receiver.is_none() && file.mqtt.tls.is_none());
        assert_eq!(made("broker = \"b:99\"").file.mqtt.port, 99);
    }

    #[test]
    fn the_shipped_configuration_shows_every_key_and_parses_with_all_of_them() {
        // Uncommenting every `# key = …` and `# [table]` line must give a valid file
        // in which no default is left implicit.
        let all: String = TEMPLATE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(bare)
                    if bare.starts_with('[')
                        || bare.split(" = ").next().is_some_and(|k| bare.contains(" = ") && !k.contains(' ')) =>
                {
                    bare
                }
                _ => line,
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        let config = Configuration::parse(&all, Path::new("/etc/residentd/residentd.toml")).unwrap();
        let known = toml::Table::try_from(&config.file).unwrap();
        let shown: toml::Table = all.parse().unwrap();
        assert_eq!(keys(&shown, ""), keys(&known, ""));
        let defaults = Configuration::parse(TEMPLATE, Path::new("/etc/residentd/residentd.toml")).unwrap();
        assert_eq!(
            format!("{:?}", defaults.file.dicom.listen),
            format!("{:?}", config.file.dicom.listen),
            "the shown default is the default"
        );
    }

    fn keys(table: &toml::Table, prefix: &str) -> std::collections::BTreeSet<String> {
        table
            .iter()
            .flat_map(|(key, value)| match value {
                toml::Value::Table(inner) => keys(inner, &format!("{prefix}{key}.")),
                _ => std::iter::once(format!("{prefix}{key}")).collect(),
            })
            .collect()
    }
}
