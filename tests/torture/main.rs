//! Torture: experiments that try to break the promises, seeded and as long as one likes.
//!
//! `cargo test --release --test torture` runs every mode at its small count, and
//! `… -- kills --count 10000 --seed 1` one of them at any. A mode is a file with a
//! `MODE`: add it to [`MODES`]. It fails by `Err` or by a panic.

mod brokers;
mod cargo;
mod clocks;
mod collector;
mod curves;
mod images;
mod kills;
mod life;
mod offline;
mod plan;
mod progress;
mod proxy;
mod random;
mod receiver;
mod rig;
mod site;
mod soak;
mod supervision;

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use plan::{Plan, Progress};

/// An experiment.
pub struct Mode {
    /// Its name on the command line.
    pub name: &'static str,
    /// What holds where it passes; of what `count` counts.
    pub claim: &'static str,
    /// How many where nobody says: some seconds' worth.
    pub few: u64,
    /// Runs it; gives its figures in one line, or what was broken.
    pub run: fn(&Plan) -> Result<String, String>,
}

/// Every mode there is.
const MODES: &[Mode] = &[kills::MODE, clocks::MODE, supervision::MODE, soak::MODE, brokers::MODE, offline::MODE];

#[derive(Parser)]
struct Arguments {
    /// Modes to run, all where none is named. `cargo test NAME` passes its filter here, so
    /// a name that is no mode runs nothing
    modes: Vec<String>,
    /// How many of what the mode counts
    #[arg(long)]
    count: Option<u64>,
    /// What all random numbers start from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for what a mode writes (curves, ledgers of a failure)
    #[arg(long)]
    out: Option<std::path::PathBuf>,
    #[command(flatten)]
    of_cargo_test: cargo::OfCargoTest,
}

fn main() -> ExitCode {
    // A daemon inside this process starts its own program as the reader: this one.
    if std::env::args().nth(1).as_deref() == Some("reader") {
        return residentd::reader::serve::serve().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let arguments = Arguments::parse();
    let chosen = |mode: &&Mode| arguments.modes.is_empty() || arguments.modes.iter().any(|name| name == mode.name);
    let (mut passed, mut failed) = (0, 0);
    for mode in MODES.iter().filter(chosen) {
        let count = arguments.count.unwrap_or(mode.few);
        let plan = Plan { count, seed: arguments.seed, out: arguments.out.clone(), progress: Progress::new(count) };
        let start = Instant::now();
        let result = catch_unwind(|| (mode.run)(&plan)).unwrap_or_else(|_| Err("it panicked, see above".to_owned()));
        plan.progress.done();
        let seconds = start.elapsed().as_secs_f64();
        match result {
            Ok(figures) => {
                passed += 1;
                println!("ok      {}: {}\n        {figures}, {seconds:.1} s", mode.name, mode.claim);
            }
            Err(why) => {
                failed += 1;
                println!("FAILED  {}: {}\n        {why}\n        seed {}", mode.name, mode.claim, plan.seed);
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
