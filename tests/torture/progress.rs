//! How an experiment shows that it is alive: a bar on a terminal, now and then a line elsewhere.

use std::io::IsTerminal;
use std::panic::RefUnwindSafe;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two lines where nobody watches a terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// A bar on a terminal, now and then a line elsewhere.
pub struct Progress {
    bar: ProgressBar,
    last: Mutex<Instant>,
}

impl RefUnwindSafe for Progress {}

impl Progress {
    /// Progress towards `count`.
    pub fn new(count: u64) -> Self {
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {elapsed} (about {eta} more) {msg}");
        let bar = ProgressBar::new(count).with_style(style.expect("the template is right"));
        Self { bar, last: Mutex::new(Instant::now()) }
    }

    /// `done` are done; `note` says what else is worth knowing.
    pub fn at(&self, done: u64, note: &str) {
        self.bar.set_position(done);
        self.bar.set_message(note.to_owned());
        let mut last = self.last.lock().unwrap();
        if !std::io::stderr().is_terminal() && last.elapsed() > LINE_EVERY {
            *last = Instant::now();
            eprintln!("{done} of {}, {:.0} s {note}", self.bar.length().unwrap_or(0), self.bar.elapsed().as_secs_f64());
        }
    }

    /// Clears the bar.
    pub fn done(&self) {
        self.bar.finish_and_clear();
    }
}
