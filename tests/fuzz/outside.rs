//! Around the process that a target runs in: starts it, shows how far it is, and, when it
//! ends as it must not, keeps the input that did it, made as small as it goes.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use crate::inside::{self, Figures, Job};
use crate::pool;
use crate::progress::Progress;
use crate::targets::Target;

/// Tries at making an input smaller, each in a process of its own.
const MOST_TRIES: u32 = 600;
/// Of what a process says when it ends.
const MOST_SAID_BYTES: u64 = 64 * 1024;
/// Names of signals that end a target.
const SIGNALS: [(i32, &str); 5] = [
    (4, "an illegal instruction"),
    (6, "an abort: no memory, or no stack"),
    (7, "a bus error"),
    (9, "killed"),
    (11, "a wild address"),
];

/// How a process ended that should not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breakage {
    /// Panicked: where in the source.
    Panic(String),
    /// Did not come back.
    Hang,
    /// A signal ended it.
    Signal(i32),
    /// An exit that nobody asked for.
    Exit(i32),
}

impl std::fmt::Display for Breakage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Panic(place) => write!(f, "panics at {place}"),
            Self::Hang => f.write_str("does not come back"),
            Self::Signal(signal) => {
                let name = SIGNALS.iter().find(|(number, _)| number == signal).map_or("?", |(_, name)| name);
                write!(f, "ends by signal {signal} ({name})")
            }
            Self::Exit(code) => write!(f, "exits with {code}"),
        }
    }
}

/// Fuzzes `target` in a process of its own below `folder`; its figures, or what broke, in words.
pub fn fuzz(target: &Target, job: &Job, folder: &Path) -> Result<Figures, String> {
    let number = |n: u64| n.to_string();
    let mut child = this_program()
        .args(["--inside", target.name, "--runs", &number(job.runs), "--seconds", &number(job.seconds)])
        .args(["--seed", &number(job.seed), "--folder"])
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    let stderr = child.stderr.take().expect("it is piped");
    let said = std::thread::spawn(move || all_of(stderr));
    let progress = Progress::new(if job.runs == u64::MAX { 0 } else { job.runs });
    let mut figures = Figures::default();
    let began = Instant::now();
    for line in BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok) {
        figures = Figures::read(&line).unwrap_or(figures);
        let Figures { executed, edges, pool, .. } = figures;
        let a_second = executed as f64 / began.elapsed().as_secs_f64();
        progress.at(executed, &format!("{}: {a_second:.0}/s, {edges} edges, {pool} inputs", target.name));
    }
    progress.done();
    let status = child.wait().map_err(|e| e.to_string())?;
    let said = said.join().unwrap_or_default();
    match broken(status, &said) {
        None => Ok(figures),
        Some(breakage) => Err(found(target, &job.last, folder, &breakage, &said)),
    }
}

/// Runs `target` once on the input in `file`, in a process of its own.
pub fn once(target: &str, file: &Path) -> (Option<Breakage>, String) {
    let child = this_program().args(["--inside", target, "--again"]).arg(file).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("this program starts again");
    let said = all_of(child.stderr.take().expect("it is piped"));
    (broken(child.wait().expect("it was started"), &said), said)
}

fn found(target: &Target, last: &Path, folder: &Path, breakage: &Breakage, said: &str) -> String {
    let input = inside::last_input(last);
    let small = minimised(target, &input, breakage, folder);
    let kept = pool::keep(&folder.join("findings"), "", &small);
    format!(
        "{} {breakage}\n{}\nfound with {} bytes, kept with {}: {}\n\
         again: scripts/fuzz {} --again {}",
        target.name,
        said.trim_end(),
        input.len(),
        small.len(),
        kept.display(),
        target.name,
        kept.display()
    )
}

/// `input` without what the breakage does not need.
fn minimised(target: &Target, input: &[u8], breakage: &Breakage, folder: &Path) -> Vec<u8> {
    let file = folder.join("smaller");
    let mut tries = 0;
    let mut breaks = |bytes: &[u8]| {
        tries += 1;
        let written = tries <= MOST_TRIES && std::fs::write(&file, bytes).is_ok();
        written && once(target.name, &file).0.as_ref() == Some(breakage)
    };
    let mut small = input.to_vec();
    // A hang costs a minute a try.
    if *breakage == Breakage::Hang || !breaks(&small) {
        return small;
    }
    let mut part = small.len().div_ceil(2);
    while part > 0 {
        let mut at = 0;
        while at < small.len() {
            let mut less = small.clone();
            less.drain(at..(at + part).min(small.len()));
            if breaks(&less) { small = less } else { at += part }
        }
        part = if part == 1 { 0 } else { part.div_ceil(2) };
    }
    let _ = std::fs::remove_file(&file);
    small
}

fn broken(status: ExitStatus, said: &str) -> Option<Breakage> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(inside::PANICKED), _) => {
            let place = said.split_once("panicked at ").and_then(|(_, rest)| rest.lines().next());
            Some(Breakage::Panic(place.unwrap_or("an unknown place").trim_end_matches(':').to_owned()))
        }
        (Some(inside::HUNG), _) => Some(Breakage::Hang),
        (Some(code), _) => Some(Breakage::Exit(code)),
        (None, signal) => Some(Breakage::Signal(signal.unwrap_or(0))),
    }
}

fn this_program() -> Command {
    let mut program = Command::new(std::env::current_exe().expect("this program has a path"));
    program.stdin(Stdio::null());
    program
}

fn all_of(stream: impl std::io::Read) -> String {
    let mut said = Vec::new();
    let mut stream = stream.take(MOST_SAID_BYTES);
    let _ = stream.read_to_end(&mut said);
    // What is longer is not ours to keep, but must be taken, or its writer waits.
    let _ = std::io::copy(&mut stream.into_inner(), &mut std::io::sink());
    String::from_utf8_lossy(&said).into_owned()
}

/// Where the work of `target` lies.
pub fn folder_of(target: &str) -> PathBuf {
    let target_dir = std::env::current_exe().ok().and_then(|program| Some(program.ancestors().nth(3)?.to_owned()));
    target_dir.unwrap_or_else(std::env::temp_dir).join("fuzz").join(target)
}
