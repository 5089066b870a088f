//! `read`: DICOM files through the very same sandboxed reader, printed for people or machines.

use std::path::{Path, PathBuf};

use super::vouching::Trusting;
use super::{exit, show};
use crate::config::{Configuration, Name};
use crate::daemon;
use crate::os;
use crate::reader;
use crate::reader::supervise::{Attempt, Settings, Supervised};
use crate::reader::wire::Answered;
use crate::report::fhir::{self, Context, DeviceFacts, InstanceFacts};
use crate::report::identity::report_id;
use crate::report::reading::{Outcome, Reason, ReasonCode};
use crate::report::write::{self, Style, by_grammar};

#[derive(clap::Args)]
pub struct Arguments {
    /// DICOM files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Folder of model bundles (default: the configuration's, else the one that is shipped)
    #[arg(long)]
    models: Option<PathBuf>,
    /// Configuration to take the reader's settings from
    #[arg(long)]
    config: Option<PathBuf>,
    #[command(flatten)]
    trusting: Trusting,
    /// Use this model bundle too although it is for research only; may be repeated
    #[arg(long, value_name = "BUNDLE")]
    research: Vec<String>,
    /// Print each reading as one line of JSON
    #[arg(long, conflicts_with = "fhir")]
    json: bool,
    /// Print each reading as a FHIR R4 Bundle, one a line, unsigned
    #[arg(long)]
    fhir: bool,
}

pub fn read(arguments: &Arguments) -> anyhow::Result<()> {
    let config = arguments.config.as_deref().map(Configuration::load).transpose()?;
    let files = arguments.files.iter().map(|f| resolved(f)).collect::<anyhow::Result<Vec<_>>>()?;
    let settings = settings(arguments, config.as_ref(), &files)?;
    let style = config.as_ref().map_or_else(Style::default, |config| Style::of(&config.file.report));
    let failed = super::runtime()?.block_on(read_all(arguments, &settings, &style, &files))?;
    if failed == 0 {
        Ok(())
    } else {
        Err(exit::coded(exit::DATA, format!("reading failed on {failed} of {} files", files.len())))
    }
}

fn resolved(file: &Path) -> anyhow::Result<PathBuf> {
    let wrong = |what: String| exit::coded(exit::DATA, format!("{}: {what}", file.display()));
    let path = file.canonicalize().map_err(|e| wrong(e.to_string()))?;
    if path.is_file() { Ok(path) } else { Err(wrong("not a regular file".to_owned())) }
}

fn settings(arguments: &Arguments, config: Option<&Configuration>, files: &[PathBuf]) -> anyhow::Result<Settings> {
    let reader = config.map(|c| c.file.reader.clone());
    let models = arguments.models.as_deref();
    let models_dir = match (models, &reader) {
        (None, Some(reader)) => reader.models_dir.clone(),
        _ => models_dir(models)?,
    };
    let reader = reader.unwrap_or_default();
    let research = reader.research().into_iter().chain(arguments.research.iter().cloned()).collect();
    let writer = reader.writer.as_ref().map(Name::as_str);
    let selected = arguments.trusting.select(config, models_dir, writer, research)?;
    // The files themselves, not their folders: what lies beside them is none of its business.
    Ok(daemon::reader_settings(&reader, selected, files.to_vec()))
}

/// The folder of bundles that was given, else the one that is shipped.
pub fn models_dir(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    given.map_or_else(shipped_models, |models| {
        models.canonicalize().map_err(|e| exit::coded(exit::CONFIG, format!("--models {}: {e}", models.display())))
    })
}

/// The source tree that this program was built in; none where it was built to be shipped
/// (scripts/release): where that was is nobody's business, and would be seen in its bytes.
const SOURCE: Option<&str> = match option_env!("RESIDENTD_DIST") {
    None => Some(env!("CARGO_MANIFEST_DIR")),
    Some(_) => None,
};

/// The bundles that came with this program: in the source tree it was built in, or
/// installed. Never those of the working folder, which may be anyone's.
pub fn shipped_models() -> anyhow::Result<PathBuf> {
    let installed = Path::new("/usr/share/residentd/models");
    let built = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.parent()?.join("models")));
    let source = SOURCE.map(|source| Path::new(source).join("models"));
    [built, source, Some(installed.to_owned())]
        .into_iter()
        .flatten()
        .find(|folder| folder.join("chest-adult/manifest.toml").is_file())
        .ok_or_else(|| {
            exit::coded(
                exit::CONFIG,
                "no model bundles found beside this program's source or in /usr/share/residentd/models: give --models DIR",
            )
        })
}

/// Reads every file in turn; gives the number of failures.
async fn read_all(
    arguments: &Arguments,
    settings: &Settings,
    style: &Style,
    files: &[PathBuf],
) -> anyhow::Result<usize> {
    let mut process = Supervised::start(settings).await?;
    let mut failed = 0;
    for (shown, file) in arguments.files.iter().zip(files) {
        let answered = match process.read(file.clone(), None).await {
            Attempt::Read(answered) => {
                let Answered { found, mut reading } = *answered;
                let sheet = Box::new(write::facts(&mut reading, None));
                let draft = process.draft(&sheet).await;
                if !process.is_alive() {
                    process = Supervised::start(settings).await?;
                }
                Answered { found, reading: write::write(reading, *sheet, draft, style) }
            }
            Attempt::Died(why) => {
                process = Supervised::start(settings).await?;
                let words = format!("the reader process died on it: {why}");
                let reading = reader::failed(Reason::new(ReasonCode::ReaderDied, words), None);
                Answered { found: None, reading: by_grammar(reading, style) }
            }
        };
        failed += usize::from(matches!(answered.reading.outcome, Outcome::Failure(_)));
        print(arguments, shown, &answered)?;
    }
    Ok(failed)
}

fn print(arguments: &Arguments, file: &Path, answered: &Answered) -> anyhow::Result<()> {
    let reading = &answered.reading;
    if arguments.json {
        println!("{}", serde_json::to_string(answered)?);
    } else if arguments.fhir {
        println!("{}", fhir(answered)?);
    } else {
        println!("{}\n", file.display());
        print!("{}\n{}", show::words(reading), show::table(reading));
        println!("\n  {}\n", show::timings(&reading.timings));
    }
    Ok(())
}

/// The payload as it would be sealed on a box, under a device name that says it was not.
fn fhir(answered: &Answered) -> anyhow::Result<String> {
    let Some(found) = &answered.found else {
        let words = answered.reading.text.impression.join(" ");
        let issue = serde_json::json!([{ "severity": "error", "code": "invalid", "diagnostics": words }]);
        return Ok(serde_json::json!({ "resourceType": "OperationOutcome", "issue": issue }).to_string());
    };
    let name = Name::try_from("unprovisioned".to_owned())?;
    let now = os::now();
    let context = Context {
        report_id: report_id("unprovisioned", &found.sop_instance_uid),
        device: DeviceFacts {
            site: name.clone(),
            name,
            key_id: fhir::NO_KEY.into(),
            software_version: env!("CARGO_PKG_VERSION").into(),
        },
        instance: InstanceFacts {
            sop_class_uid: found.sop_class_uid.clone(),
            sop_instance_uid: found.sop_instance_uid.clone(),
            transfer_syntax_uid: found.transfer_syntax_uid.clone(),
            sha256: found.sha256,
            calling_ae: None,
        },
        received: now,
        issued: now,
    };
    Ok(String::from_utf8(fhir::payload(&answered.reading, &context))?)
}
