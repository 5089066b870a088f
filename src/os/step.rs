//! Named steps at which a test may kill or wedge this process, as a power cut or a stuck
//! disk would. Without the environment variables below a step does nothing.
//!
//! `RESIDENTD_KILL_AT=NAME` or `NAME:N`: SIGKILL to itself when the step is met, or met
//! for the Nth time. `RESIDENTD_WEDGE`, same form: the thread that meets it stops for ever.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The variable that names where to die.
const KILL_AT: &str = "RESIDENTD_KILL_AT";
/// The variable that names where to stop.
const WEDGE: &str = "RESIDENTD_WEDGE";
/// Steps of the reader process start with this; its environment has nothing else of ours.
const READER: &str = "reader-";

struct Trap {
    name: String,
    nth: u64,
    met: AtomicU64,
    then: fn(),
}

impl Trap {
    fn from_environment() -> Option<Self> {
        let set = |variable, then: fn()| std::env::var(variable).ok().map(|value| (value, then));
        let (value, then) = set(KILL_AT, kill).or_else(|| set(WEDGE, wedge))?;
        let (name, nth) = match value.split_once(':') {
            Some((name, nth)) => (name.to_owned(), nth.parse().ok()?),
            None => (value, 1),
        };
        Some(Self { name, nth, met: AtomicU64::new(0), then })
    }
}

/// Marks a step between which the daemon may be killed.
pub fn step(name: &str) {
    static TRAP: OnceLock<Option<Trap>> = OnceLock::new();
    let Some(trap) = TRAP.get_or_init(Trap::from_environment) else { return };
    if trap.name == name && trap.met.fetch_add(1, Relaxed) + 1 == trap.nth {
        (trap.then)();
    }
}

/// What of the above the reader process is to be given: the steps that are its own.
pub fn for_reader() -> impl Iterator<Item = (&'static str, String)> {
    [KILL_AT, WEDGE].into_iter().filter_map(|variable| {
        let value = std::env::var(variable).ok()?;
        value.starts_with(READER).then_some((variable, value))
    })
}

/// SIGKILL by `raise`, which the reader's system-call filter lets through.
#[expect(unsafe_code, reason = "no safe wrapper sends a signal by tgkill")]
fn kill() {
    // SAFETY: raise takes a number and touches no memory of ours.
    unsafe {
        libc::raise(libc::SIGKILL);
    }
    wedge();
}

fn wedge() {
    loop {
        std::thread::park();
    }
}
