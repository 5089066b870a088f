//! The board that this box stands on: what is known of it (facts in `board/`, compiled in),
//! what it shows (`/sys` and `/proc`), what it can spare, and what is wrong with it.
//!
//! Nothing here acts on the rest of the program: the daemon asks and decides.

mod cpus;
mod detect;
mod facts;
mod heat;
mod lamp;
mod lights;
mod look;
mod memory;
mod problems;
#[cfg(test)]
pub(crate) mod recorded;
mod root;
mod storage;
mod thermal;

pub use cpus::{Cpus, NotCpus};
pub use detect::{Board, Recognised};
pub use facts::{Cpu, Facts, Power, PowerModes, Storage as StorageLimits, StorageKind, Thermal, Watchdog};
pub use heat::{Heat, Thermostat};
pub use lamp::{Lamp, Pattern, State};
pub use lights::Lights;
pub use look::Look;
pub use memory::Memory;
pub use problems::{Problem, Severity, problems, worn};
pub use root::Root;
pub use storage::{Health, Spare, Storage, Wear};
pub use thermal::{Sensor, Throttling};
