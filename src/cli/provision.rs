//! `provision`: a device's key, public key and configuration in one folder; never overwrites.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::exit;
use crate::config::{Configuration, Name};
use crate::models::Vouching;
use crate::os::disk::Disk;
use crate::seal::key::DeviceKey;
use crate::seal::public::PublicKey;

/// The commented configuration that is shipped; provisioning fills in the blanks.
pub const TEMPLATE: &str = include_str!("../../systemd/residentd.toml");

#[derive(clap::Args)]
pub struct Arguments {
    /// Folder for key and configuration
    #[arg(long, default_value = "/etc/residentd")]
    dir: PathBuf,
    /// Folder for store and images
    #[arg(long, default_value = "/var/lib/residentd")]
    state_dir: PathBuf,
    /// Folder of model bundles
    #[arg(long, default_value = "/usr/share/residentd/models")]
    models_dir: PathBuf,
    /// The site's name
    #[arg(long, value_parser = name)]
    site: Name,
    /// The device's name, unique in the site
    #[arg(long, value_parser = name)]
    device: Name,
    /// The broker, HOST or HOST:PORT; without it, one is embedded
    #[arg(long)]
    broker: Option<String>,
    /// Where the embedded broker listens, if there is one
    #[arg(long, default_value = "127.0.0.1:1883", conflicts_with = "broker")]
    broker_listen: SocketAddr,
    /// Our AE title
    #[arg(long, default_value = "RESIDENTD")]
    ae_title: String,
    /// Where to listen for DICOM
    #[arg(long, default_value = "0.0.0.0:11112")]
    listen: SocketAddr,
}

fn name(text: &str) -> Result<Name, String> {
    Name::try_from(text.to_owned()).map_err(|e| e.to_string())
}

pub fn provision(arguments: &Arguments) -> anyhow::Result<()> {
    let config = arguments.dir.join("residentd.toml");
    let key_file = arguments.dir.join("device.key");
    if let Some(there) = [&config, &key_file].into_iter().find(|p| p.exists()) {
        return Err(exit::coded(
            exit::CANNOT_CREATE,
            format!(
                "{} exists, and provisioning never overwrites: this box is provisioned; move the file away to start anew",
                there.display()
            ),
        ));
    }
    let text = configuration(arguments, &key_file);
    Configuration::parse(&text, &config)?;
    Disk::Real.make_folders(&arguments.dir, 0o750).map_err(|e| {
        exit::coded(exit::CANNOT_CREATE, format!("{}: {e}; run as root, or give --dir", arguments.dir.display()))
    })?;
    let key = DeviceKey::generate()?;
    key.save_new(&key_file)?;
    let [public, _] = key.save_public(&key_file)?;
    let vendor = trust_vendor(&trust_folder(arguments))?;
    // The configuration last: a box without it is not provisioned.
    Disk::Real
        .place_new(&config, text.as_bytes(), 0o640)
        .map_err(|e| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}", config.display())))?;
    println!("site           {}\ndevice         {}\nkey id         {}", arguments.site, arguments.device, key.id());
    println!("model vendor   {vendor}");
    println!("public key     {}\nconfiguration  {}", public.display(), config.display());
    println!("next           residentd check --config {}", config.display());
    Ok(())
}

/// Where the keys of the model vendors stand that this device trusts.
fn trust_folder(arguments: &Arguments) -> PathBuf {
    arguments.dir.join("trust/models")
}

/// Trusts the vendor of this program's own bundles, where nobody is trusted yet; in words. The
/// key comes from this program: one that lies with the bundles proves nothing of them.
fn trust_vendor(folder: &Path) -> anyhow::Result<String> {
    let unwritable = |e| exit::coded(exit::CANNOT_CREATE, format!("{}: {e}", folder.display()));
    Disk::Real.make_folders(folder, 0o755).map_err(unwritable)?;
    let is_empty = std::fs::read_dir(folder).map_err(unwritable)?.next().is_none();
    if is_empty {
        let pem = Vouching::vendor_pem().as_bytes();
        Disk::Real.place_new(&folder.join("vendor.pub.pem"), pem, 0o644).map_err(unwritable)?;
    }
    let Vouching::Trusted(keys) = Vouching::load(folder)? else { unreachable!("a folder holds keys") };
    let ids: Vec<&str> = keys.iter().map(PublicKey::id).collect();
    Ok(format!("{} (bundles signed by others are refused; keys in {})", ids.join(", "), folder.display()))
}

/// The shipped configuration with this device's answers.
fn configuration(arguments: &Arguments, key_file: &Path) -> String {
    // Absolute: in the file a relative path would be relative to the file, not to us.
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let quoted = |path: &Path| toml::Value::String(absolute(path).display().to_string()).to_string();
    let set = |text: String, from: &str, to: String| {
        debug_assert!(text.contains(from), "the template lost {from}");
        text.replacen(from, &to, 1)
    };
    let mut text = TEMPLATE.to_owned();
    text = set(text, "site = \"clinic\"", format!("site = \"{}\"", arguments.site));
    text = set(text, "name = \"cart-1\"", format!("name = \"{}\"", arguments.device));
    text = set(text, "state_dir = \"/var/lib/residentd\"", format!("state_dir = {}", quoted(&arguments.state_dir)));
    text = set(text, "key_file = \"/etc/residentd/device.key\"", format!("key_file = {}", quoted(key_file)));
    text = set(
        text,
        "models_dir = \"/usr/share/residentd/models\"",
        format!("models_dir = {}", quoted(&arguments.models_dir)),
    );
    text = set(text, "# [models]\n", "[models]\n".to_owned());
    text =
        set(text, "# trust = \"/etc/residentd/trust/models\"", format!("trust = {}", quoted(&trust_folder(arguments))));
    text = set(text, "# listen = \"0.0.0.0:11112\"", format!("listen = \"{}\"", arguments.listen));
    text = set(
        text,
        "# ae_title = \"RESIDENTD\"",
        format!("ae_title = {}", toml::Value::String(arguments.ae_title.clone())),
    );
    match &arguments.broker {
        None => {
            text = set(
                text,
                "# [broker]\n# listen = \"127.0.0.1:1883\"",
                format!("[broker]\nlisten = \"{}\"", arguments.broker_listen),
            );
            text = set(text, "# port = 1883", format!("port = {}", arguments.broker_listen.port()));
            if !arguments.broker_listen.ip().is_unspecified() {
                text = set(text, "host = \"127.0.0.1\"", format!("host = \"{}\"", arguments.broker_listen.ip()));
            }
        }
        Some(broker) => {
            let (host, port) = broker.rsplit_once(':').unwrap_or((broker, "1883"));
            text = set(text, "host = \"127.0.0.1\"", format!("host = {}", toml::Value::String(host.to_owned())));
            text = set(text, "# port = 1883", format!("port = {port}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

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
