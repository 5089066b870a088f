//! The command line: one file a subcommand, one table from error to exit code.

mod accept;
mod audit;
mod clock;
mod collect;
mod demo;
mod doctor;
mod evaluate;
mod exit;
mod export;
mod journal;
mod model;
mod phantom;
mod provision;
mod read;
mod reports;
mod run;
mod running;
mod show;
mod verify;
mod vouching;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use journal::Lines;

/// An AI resident beside the scanner: images in over DICOM, signed draft reports out over MQTT.
///
/// Not a medical device. Every report is an unreviewed machine draft.
#[derive(Parser)]
#[command(version, about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Receive, read, sign and publish until stopped
    Run(run::Arguments),
    /// Read DICOM files with the same reader and print the drafts
    Read(read::Arguments),
    /// Hold a model bundle against labelled images with the same reader, or composers against reports
    Evaluate(evaluate::Arguments),
    /// Check sealed outcomes against the device's public key
    Verify(verify::Arguments),
    /// Print the sealed outcomes of a box, one a line, delivered or not
    Export(export::Arguments),
    /// Receive, verify and keep outcomes at the hospital; answer signed receipts
    Collect(collect::Arguments),
    /// Show the audit log, or verify it against checkpoints
    Audit(audit::Arguments),
    /// Make a device's key, identity and configuration; never overwrites
    Provision(Box<provision::Arguments>),
    /// Check everything that can be looked at without sending anything; changes nothing
    Check(doctor::Quiet),
    /// Check everything that can be wrong, and say what to do; sends one test image
    Doctor(doctor::Arguments),
    /// Accept a box at its scanner: exercise every promise, sign a certificate
    Accept(accept::Arguments),
    /// Sign model bundles, and look into them
    Model(model::Arguments),
    /// Write a chest phantom as a DICOM file
    Phantom(phantom::Arguments),
    /// Show the whole way, from C-STORE to verified report, with nothing set up
    Demo(demo::Arguments),
    /// The sandboxed reader process; started by the others, speaks on standard input
    #[command(hide = true)]
    Reader,
    /// The witness that tells the sandboxed daemon whether the clock is synchronised; started by systemd
    #[command(hide = true)]
    Clock,
}

/// Parses the command line and runs it; errors are printed once, here.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !matches!(arguments.command, Command::Run(_) | Command::Collect(_) | Command::Reader) {
        crate::os::end_quietly_on_a_closed_pipe();
    }
    let lines = Lines::of_this_process();
    lines
        .logger(default_level(&arguments.command))
        // dicom-rs quotes element values in its lines, and those are patients' (promise 9).
        .filter_module("dicom_", log::LevelFilter::Off)
        .filter_module("tracing", log::LevelFilter::Off)
        .filter_module("rumqttc", log::LevelFilter::Off)
        .filter_module("rumqttd", log::LevelFilter::Off)
        .init();
    if matches!(arguments.command, Command::Run(_) | Command::Collect(_) | Command::Demo(_) | Command::Doctor(_)) {
        crate::os::keep_files_private();
    }
    let result = match arguments.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Read(arguments) => read::read(&arguments),
        Command::Evaluate(arguments) => evaluate::evaluate(&arguments),
        Command::Verify(arguments) => verify::verify(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::Collect(arguments) => collect::collect(&arguments),
        Command::Audit(arguments) => audit::audit(&arguments),
        Command::Provision(arguments) => provision::provision(&arguments),
        Command::Check(arguments) => doctor::check(&arguments),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Accept(arguments) => accept::accept(&arguments),
        Command::Model(arguments) => model::model(&arguments),
        Command::Phantom(arguments) => phantom::phantom(&arguments),
        Command::Demo(arguments) => demo::demo(&arguments),
        Command::Reader => crate::reader::serve::serve().map_err(Into::into),
        Command::Clock => clock::clock(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            lines.say_last(&format!("residentd: {}", chain(&error)));
            ExitCode::from(exit::code(&error))
        }
    }
}

/// The error and its causes, each said once: some messages quote their cause already.
fn chain(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |told, cause| {
        let cause = cause.to_string();
        match told {
            _ if told.contains(&cause) => told,
            _ if told.is_empty() => cause,
            _ => format!("{told}: {cause}"),
        }
    })
}

/// The daemon tells one line a study; the other commands speak on standard output.
const fn default_level(command: &Command) -> &'static str {
    match command {
        Command::Run(_) | Command::Collect(_) => "info",
        // What goes wrong is in their findings.
        Command::Check(_) | Command::Doctor(_) | Command::Accept(_) => "off",
        _ => "warn",
    }
}

/// A runtime for one command.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
