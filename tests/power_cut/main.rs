//! The power goes at every call to the disk, and every call to the disk fails.
//!
//! `replay` runs ingest, store, seal, retention and the audit log on a watched disk, builds the states in
//! which a power cut may leave that disk, opens the store in each, and holds it against
//! what was promised before the cut. `models` does the same with bundles that are installed. `faults` fails call 1, 2, … of the same run with a
//! full disk, an I/O error or a short write. Both without arguments are quick samples for
//! `cargo test`; `scripts/power-cut` runs them at length.

mod check;
mod cut;
mod faults;
mod ledger;
mod log;
mod models;
mod random;
mod replay;
mod run;

use std::process::ExitCode;

/// What is asked for, with the sample that `cargo test` takes as the default.
struct Arguments {
    /// Different states that are reopened.
    states: u64,
    /// Of run, cuts and tearing.
    seed: u64,
    /// Every so manieth call fails; 1 for each.
    every: u64,
}

fn main() -> ExitCode {
    let mut arguments = Arguments { states: 2_000, seed: 1, every: 23 };
    let mut words = std::env::args().skip(1);
    // Others, the test harness's own among them, are not for us.
    while let Some(word) = words.next() {
        let place = match word.as_str() {
            "--states" => &mut arguments.states,
            "--seed" => &mut arguments.seed,
            "--every" => &mut arguments.every,
            _ => continue,
        };
        let Some(number) = words.next().and_then(|text| text.parse().ok()) else {
            eprintln!("{word} wants a number");
            return ExitCode::from(64);
        };
        *place = number;
    }
    let passed =
        [models::all(arguments.seed), replay::all(arguments.states, arguments.seed), faults::all(arguments.every)];
    if passed.contains(&false) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
