//! `doctor`: everything that can be wrong with this box, and what to do about it. `check` is
//! the part of it that sends nothing.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::exit;
use super::provision::{Lack, lacking};
use crate::doctor::{self, Examination, Finding, Found, Scope, State};
use crate::os;

/// The one check that provisioning itself knows.
const PROVISIONING: &str = "provisioning";

#[derive(clap::Args)]
#[command(after_help = "Exit code 0: nothing failed (there may be warnings). 1: something failed.\n\
                  It mends nothing. Where the daemon runs it sends it one phantom, which ends in an\n\
                  outcome that is marked as a test.")]
pub struct Arguments {
    /// The configuration file
    #[arg(long, default_value = "/etc/residentd/residentd.toml")]
    config: PathBuf,
    /// One JSON document (format residentd-doctor, version 1) instead of a page
    #[arg(long)]
    json: bool,
    /// Only these checks, by name, such as `broker,receiver`
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

/// What `check` is told: it has no choice of checks.
#[derive(clap::Args)]
pub struct Quiet {
    /// The configuration file
    #[arg(long, default_value = "/etc/residentd/residentd.toml")]
    config: PathBuf,
    /// One JSON document (format residentd-doctor, version 1) instead of a page
    #[arg(long)]
    json: bool,
}

pub fn doctor(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.only.is_empty() {
        return examine(&arguments.config, arguments.json, Scope::Whole);
    }
    let mut known = doctor::names();
    known.push(PROVISIONING);
    match arguments.only.iter().find(|wanted| !known.contains(&wanted.as_str())) {
        Some(unknown) => Err(exit::coded(exit::DATA, format!("no check {unknown:?}; there are {}", known.join(", ")))),
        None => examine(&arguments.config, arguments.json, Scope::Only(arguments.only.clone())),
    }
}

pub fn check(arguments: &Quiet) -> anyhow::Result<()> {
    examine(&arguments.config, arguments.json, Scope::Quiet)
}

fn examine(config: &Path, json: bool, scope: Scope) -> anyhow::Result<()> {
    let waiting = spinner(json);
    let provisioned = match &scope {
        Scope::Only(names) if !names.iter().any(|name| name == PROVISIONING) => None,
        _ => Some(provisioning(config)),
    };
    let work = doctor::examine(config, scope, os::now, |name| waiting.set_message(name));
    let examination = super::runtime()?.block_on(async {
        tokio::select! {
            biased;
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                Err(exit::coded(exit::INTERRUPTED, "interrupted"))
            }
            examination = work => Ok(examination),
        }
    })?;
    waiting.finish_and_clear();
    let examination = provisioned.into_iter().fold(examination, Examination::with);
    if json {
        println!("{}", examination.json());
    } else {
        let paint = if std::io::stdout().is_terminal() { Paint::Terminal } else { Paint::Plain };
        print!("{}", page(&examination, paint));
    }
    let failed = examination.failed().count();
    if failed == 0 {
        return Ok(());
    }
    Err(exit::coded(exit::NO, format!("{failed} of {} checks failed", examination.checks.len())))
}

/// What provisioning left undone.
fn provisioning(config: &Path) -> Finding {
    let start = Instant::now();
    let lacks = lacking(config).into_iter().map(|Lack { what, todo }| Found::failed(what, todo));
    let found = Found::all(lacks).unwrap_or_else(|| Found::ok("nothing is missing"));
    Finding::new(PROVISIONING, found, start.elapsed())
}

/// Says on a terminal which check is being made; a slow one may take a minute.
fn spinner(json: bool) -> ProgressBar {
    if json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}

/// Where the page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paint {
    Terminal,
    Plain,
}

/// The page: what is well first, the worst last, where eyes are when it ends.
fn page(examination: &Examination, paint: Paint) -> String {
    let mut checks: Vec<&Finding> = examination.checks.iter().collect();
    checks.sort_by_key(|check| check.state);
    let mut page: String = checks.iter().map(|check| block(check, paint)).collect();
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let _ = writeln!(
        page,
        "\n{} ok, {} not checked, {} warnings, {} failed",
        count(State::Ok),
        count(State::NotChecked),
        count(State::Warning),
        count(State::Failed)
    );
    page
}

/// `ok     clock          2026-…, synchronised`, and what to do in lines of their own.
fn block(check: &Finding, paint: Paint) -> String {
    let (word, colour) = match check.state {
        State::Ok => ("ok  ", "32"),
        State::NotChecked => ("-   ", "2"),
        State::Warning => ("WARN", "33"),
        State::Failed => ("BAD ", "31"),
    };
    let word = match paint {
        Paint::Terminal => format!("\x1b[{colour}m{word}\x1b[0m"),
        Paint::Plain => word.to_owned(),
    };
    let mut block = format!("{word}  {:<13}  {}\n", check.name, check.what);
    for todo in &check.todo {
        let _ = writeln!(block, "      {:<13}  do: {todo}", "");
    }
    block
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Moment;

    #[test]
    fn the_worst_comes_last_and_says_what_to_do() {
        let finding = |name, found| Finding::new(name, found, Duration::ZERO);
        let checks = vec![
            finding("key", Found::failed("it is gone", "bring it back")),
            finding("clock", Found::warning("free", "set it")),
            finding("board", Found::ok("known")),
        ];
        let examination = Examination::new(Moment { unix_ms: 0, synchronised: true }, checks);
        let page = page(&examination, Paint::Plain);
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} in\n{page}"));
        assert!(at("ok    board") < at("WARN  clock") && at("WARN  clock") < at("BAD   key"));
        assert!(
            at("BAD   key") < at("do: bring it back") && page.ends_with("1 ok, 0 not checked, 1 warnings, 1 failed\n")
        );
    }
}
