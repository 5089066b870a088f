//! Fuzzing on stable Rust, without libFuzzer and so without a C++ compiler: a small driver of
//! our own around functions from bytes to nothing (`targets`), each of which decodes and
//! then holds what must hold of whatever was decoded.
//!
//! `cargo test` runs each target some thousand times on changes of its seeds, blindly.
//! `scripts/fuzz` runs them as long as one likes on a residentd that was compiled with LLVM's
//! edge counters, and keeps what reaches something new.

#[path = "../torture/cargo.rs"]
mod cargo;
mod coverage;
mod inside;
mod mutate;
mod outside;
mod pool;
#[path = "../torture/progress.rs"]
mod progress;
#[path = "../torture/random.rs"]
mod random;
mod targets;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use inside::{Figures, Job};
use targets::{TARGETS, Target};

#[derive(Parser)]
struct Arguments {
    /// Of `cargo test`: its filter. A name that is no target runs nothing
    filter: Vec<String>,
    /// A target, or `all`; may be given more than once
    #[arg(long)]
    target: Vec<String>,
    /// Executions; by default a few seconds' worth, or without end where --seconds is given
    #[arg(long)]
    runs: Option<u64>,
    /// Seconds for each target
    #[arg(long)]
    seconds: Option<u64>,
    /// What all random numbers start from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run the target once, on the input in this file
    #[arg(long)]
    again: Option<PathBuf>,
    /// Name the targets
    #[arg(long)]
    list: bool,
    /// Between the two processes
    #[arg(long, hide = true)]
    inside: Option<String>,
    #[arg(long, hide = true)]
    folder: Option<PathBuf>,
    #[command(flatten)]
    of_cargo_test: cargo::OfCargoTest,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(name) = &arguments.inside {
        let target = target(name).expect("this program named the target");
        if let Some(file) = arguments.again.clone() {
            inside::limited(move || (target.run)(&std::fs::read(file).expect("the input")));
        }
        let job = arguments.job(target, &arguments.folder.clone().expect("this program named the folder"));
        inside::limited(move || inside::fuzz(target, &job));
    }
    if arguments.list {
        for target in &TARGETS {
            println!("{}", target.name);
        }
        return ExitCode::SUCCESS;
    }
    let unknown = arguments.target.iter().find(|name| *name != "all" && target(name).is_none());
    if let Some(unknown) = unknown {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("{unknown} is no target; there are: all {}", names.join(" "));
        return ExitCode::from(64);
    }
    if let Some(file) = &arguments.again {
        return again(&arguments.target, file);
    }
    let broken = TARGETS.iter().filter(|target| arguments.wants(target)).filter(|target| !holds(target, &arguments));
    if broken.count() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Fuzzes `target`, and says what came of it.
fn holds(target: &'static Target, arguments: &Arguments) -> bool {
    let (began, folder) = (Instant::now(), outside::folder_of(target.name));
    std::fs::create_dir_all(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    match outside::fuzz(target, &arguments.job(target, &folder), &folder) {
        Ok(Figures { executed, edges, all_edges, pool, slowest_ms }) => {
            let seconds = began.elapsed().as_secs_f64();
            let reached = match all_edges {
                0 => "blind: residentd was compiled without counters".to_owned(),
                _ => format!("{edges} edges reached, {pool} inputs kept"),
            };
            let a_second = executed as f64 / seconds;
            println!(
                "ok      {}: {executed} executions, {seconds:.0} s, {a_second:.0}/s, {reached}, slowest {slowest_ms} ms",
                target.name
            );
            true
        }
        Err(why) => {
            println!("BROKEN  {why}");
            false
        }
    }
}

fn again(targets: &[String], file: &std::path::Path) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for name in targets {
        match outside::once(name, file) {
            (None, _) => println!("ok      {name}"),
            (Some(breakage), said) => {
                println!("BROKEN  {name} {breakage}\n{said}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

impl Arguments {
    fn wants(&self, target: &Target) -> bool {
        let is_named = |names: &[String]| names.iter().any(|name| name == target.name || name == "all");
        match (self.target.is_empty(), self.filter.is_empty()) {
            (true, true) => true,
            _ => is_named(&self.target) || is_named(&self.filter),
        }
    }

    fn job(&self, target: &Target, folder: &std::path::Path) -> Job {
        let runs = match (self.runs, self.seconds) {
            (Some(runs), _) => runs,
            (None, Some(_)) => u64::MAX,
            (None, None) => target.few,
        };
        Job {
            runs,
            seconds: self.seconds.unwrap_or(u64::MAX),
            seed: self.seed,
            corpus: folder.join("corpus"),
            last: folder.join("last"),
        }
    }
}
