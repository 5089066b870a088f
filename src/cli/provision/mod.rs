//! `provision`: a device's key, public key, certificate request, enrolment card and configuration
//! in one folder. Never overwrites: run again it shows what is there, and makes what a run that
//! was cut did not. Asks on a terminal, or takes flags, or `--answers FILE` for forty boxes.

mod answers;
mod ask;
mod card;
mod certificate;
mod configuration;
mod decommission;
mod folder;
mod keeping;
mod rotate;
mod sources;
mod standing;
mod unit;

use std::io::{self, Write as _};
use std::path::PathBuf;

use super::exit;
use crate::config::{Configuration, Name};
use crate::os::{self, terminal};
use crate::seal::key::DeviceKey;
use answers::{Answers, ClientCertificate, KeyKept};
use ask::{Asked, Dialogue};
use card::Card;
use folder::{Folder, For, put};
use keeping::Keeping;

pub use decommission::refusal;
pub use standing::{Lack, lacking};

#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Run again, it shows what is there. On a terminal it asks for what is not answered.\n\
                  For many boxes: residentd provision --answers site.toml --device cart-07"
)]
pub struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// Folder for key and configuration
    #[arg(long, default_value = "/etc/residentd")]
    dir: PathBuf,
    /// File of answers (TOML); flags win over it
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    #[command(flatten)]
    flags: Answers,
}

#[derive(clap::Subcommand)]
enum What {
    /// Make a new signing key and hand over to it
    RotateKey(rotate::Arguments),
    /// Sign the last outcome, and wipe patient data and keys
    Decommission(decommission::Arguments),
}

pub fn provision(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.what {
        None => set_up(arguments),
        Some(What::RotateKey(arguments)) => rotate::rotate(arguments),
        Some(What::Decommission(arguments)) => decommission::decommission(arguments),
    }
}

fn set_up(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = Folder::new(arguments.dir.clone());
    let answers = match &arguments.answers {
        Some(path) => arguments.flags.clone().or(Answers::load(path)?),
        None => arguments.flags.clone(),
    };
    if let Some(why) = answers.contradiction() {
        return Err(exit::coded(exit::CONFIG, why));
    }
    if folder.ending().exists() {
        return Err(exit::coded(
            exit::CONFIG,
            format!(
                "{}: decommissioning was cut: finish with `residentd provision decommission` first",
                folder.ending().display()
            ),
        ));
    }
    folder.sweep()?;
    if folder.configuration().exists() {
        return standing::show(&folder, &answers);
    }
    let Asked { answers, password } = complete(answers)?;
    let (Some(site), Some(device)) = (&answers.site, &answers.device) else {
        return Err(exit::coded(exit::CONFIG, "site and device are not answered"));
    };
    // Everything that can be wrong with the answers is found before the first byte is written.
    let copies = sources::copies(&answers, password.as_ref().map(|password| password.as_str()), &folder)?;
    let text = configuration::configuration(&answers, site, device, &folder);
    Configuration::parse(&text, &folder.configuration())?;

    folder::make(folder.path())?;
    let key = device_key(&folder, answers.key.unwrap_or_default())?;
    if answers.client_certificate == Some(ClientCertificate::Request) {
        certificate::request(&folder, site, device)?;
    }
    for copied in copies {
        if let Some(above) = copied.to.parent() {
            folder::make(above)?;
        }
        put(&copied.to, &copied.bytes, copied.whose)?;
    }
    put_public(&folder, site, device, &key)?;
    // The configuration last: a box without it is not provisioned.
    put(&folder.configuration(), text.as_bytes(), For::Group)?;
    standing::show(&folder, &answers)
}

/// The answers with those that a person gives, where one is there and something is open.
fn complete(answers: Answers) -> anyhow::Result<Asked> {
    let missing = answers.missing();
    if missing.is_empty() {
        return Ok(Asked { answers, password: None });
    }
    if !terminal::is_there() {
        let flags: Vec<String> = missing.iter().map(|name| format!("--{name}")).collect();
        return Err(exit::coded(
            exit::CONFIG,
            format!(
                "not answered: {}; give {} or write it into an answer file (--answers FILE), or run this on a terminal to be asked",
                missing.join(", "),
                flags.join(" ")
            ),
        ));
    }
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut dialogue = Dialogue { input: &mut input, output: &mut output };
    let unanswered = |e: ask::Unanswered| exit::coded(exit::CONFIG, e.to_string());
    let asked = dialogue.ask(answers).map_err(unanswered)?;
    dialogue.confirm(&summary(&asked)).map_err(unanswered)?;
    Ok(asked)
}

/// What will be written, as a person answered it.
fn summary(asked: &Asked) -> String {
    let answers = &asked.answers;
    let name = |name: &Option<Name>| name.as_ref().map(ToString::to_string).unwrap_or_default();
    let broker = match (&answers.broker, &answers.broker_ca) {
        (None, _) => "one on this box".to_owned(),
        (Some(broker), Some(_)) => format!("{broker}, with TLS"),
        (Some(broker), None) => format!("{broker}, WITHOUT TLS: reports travel in clear"),
    };
    let listen = answers.listen.map(|listen| listen.to_string()).unwrap_or_default();
    let title = answers.ae_title.as_ref().map(ToString::to_string).unwrap_or_default();
    format!(
        "site        {}\ndevice      {}\nAE title    {title}\nDICOM       {listen}\nbroker      {broker}\nlogin       {}\nreceivers   {}\nmodel keys  {}\nclock       {}",
        name(&answers.site),
        name(&answers.device),
        answers.broker_user.as_deref().unwrap_or("none"),
        answers.receivers.as_ref().map_or(0, Vec::len),
        answers.model_anchors.as_ref().map_or(0, Vec::len),
        standing::clock(),
    )
}

/// The device's key, made where there is none: one that a run that was cut has left is used.
fn device_key(folder: &Folder, kept: KeyKept) -> anyhow::Result<DeviceKey> {
    if let Some(keeping) = Keeping::find(folder) {
        return keeping.load();
    }
    let key = DeviceKey::generate()?;
    Keeping::place(folder, kept).save_new(&key, kept)?;
    os::step("provision-key");
    Ok(key)
}

/// What can be made again from the key: its public half and the card.
fn put_public(folder: &Folder, site: &Name, device: &Name, key: &DeviceKey) -> anyhow::Result<()> {
    for path in key.save_public(&folder.device_key())? {
        folder::hand_over(&path, For::All)?;
    }
    os::step("provision-public");
    let card = Card { site, device, key: key.public() };
    put(&folder.card_text(), card.text().as_bytes(), For::All)?;
    put(&folder.card_picture(), &card.png(), For::All)?;
    Ok(())
}

/// Prints a line, whatever becomes of the other end.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// The public key at `public`, and those beside it that handed over to another.
pub fn with_retired(public: &std::path::Path) -> Vec<PathBuf> {
    let retired = Folder::new(public.parent().map(std::path::Path::to_owned).unwrap_or_default()).retired();
    let mut keys: Vec<PathBuf> =
        std::fs::read_dir(retired).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    keys.retain(|path| path.extension().is_some_and(|extension| extension == "pem"));
    keys.sort();
    keys.insert(0, public.to_owned());
    keys
}
