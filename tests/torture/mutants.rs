//! Mutants of the fuzz seeds by the million, against each parser that faces the network. No
//! coverage guides them: that is `scripts/fuzz`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::mutation::{Dice, seeds};
use crate::plan::Plan;
use crate::{Mode, targets};

pub const MODE: Mode =
    Mode { name: "mutants", claim: "no parser that faces the network fails on mutants of its seeds", few: 2_000, run };

/// What strangers reach: associations and datasets by DICOM, sealed messages by MQTT.
const FACE_THE_NETWORK: [&str; 4] = ["pdu_stream", "command_set", "validator", "jws"];
/// Mutants between two looks at the progress.
const ROUND: u64 = 10_000;

fn run(plan: &Plan) -> Result<String, String> {
    let mut figures = Vec::new();
    let chosen = targets::TARGETS.iter().filter(|(name, _)| FACE_THE_NETWORK.contains(name));
    for (name, target) in chosen {
        let (seeds, start) = (seeds(name), Instant::now());
        let mut dice = Dice(plan.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for n in 0..plan.count {
            let (seed, other) = (dice.below(seeds.len()), dice.below(seeds.len()));
            let bytes = dice.mutate(&seeds[seed], &seeds[other]);
            if catch_unwind(AssertUnwindSafe(|| target(&bytes))).is_err() {
                let file = plan.out.clone().unwrap_or_else(std::env::temp_dir).join(format!("residentd-mutant-{name}"));
                std::fs::write(&file, &bytes).map_err(|e| e.to_string())?;
                return Err(format!("{name} fails on mutant {n}, kept as {}", file.display()));
            }
            if n % ROUND == 0 {
                plan.progress.at(n, name);
            }
        }
        let a_second = plan.count as f64 / start.elapsed().as_secs_f64();
        figures.push(format!("{name} {} ({a_second:.0}/s)", plan.count));
    }
    Ok(figures.join(", "))
}
