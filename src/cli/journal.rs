//! The form of log lines: for people on a terminal, and for systemd's journal, which has the
//! time itself and wants the priority in front (sd-daemon(3)).

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;

use env_logger::{Builder, Env};
use log::Level;

/// Set by systemd to the device and inode of the journal's socket, where that is our standard
/// output or error (systemd.exec(5)).
const JOURNAL_STREAM: &str = "JOURNAL_STREAM";
/// Our standard error.
const STDERR: &str = "/proc/self/fd/2";

/// Where lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// To a person: with the time.
    Plain,
    /// To the journal: with the priority.
    Journal,
}

impl Lines {
    /// Where this process's standard error goes.
    pub fn of_this_process() -> Self {
        let stderr = std::fs::metadata(STDERR).ok().map(|file| format!("{}:{}", file.dev(), file.ino()));
        match std::env::var(JOURNAL_STREAM) {
            Ok(journal) if Some(&journal) == stderr.as_ref() => Self::Journal,
            _ => Self::Plain,
        }
    }

    /// A logger that writes such lines.
    pub fn logger(self, default_level: &str) -> Builder {
        let mut builder = Builder::from_env(Env::default().default_filter_or(default_level));
        match self {
            Self::Plain => builder.format_timestamp_millis().format_target(false),
            Self::Journal => builder.format(|out, record| {
                out.write_all(prioritised(record.level(), &record.args().to_string()).as_bytes())
            }),
        };
        builder
    }

    /// Says the last word of a command that failed. Nothing is left to do where it cannot be said.
    pub fn say_last(self, words: &str) {
        let line = match self {
            Self::Plain => format!("{words}\n"),
            Self::Journal => prioritised(Level::Error, words),
        };
        let _ = io::stderr().write_all(line.as_bytes());
    }
}

/// `words` with the priority before each of their lines: to the journal each is a message.
fn prioritised(level: Level, words: &str) -> String {
    // syslog(3): err, warning, info, debug.
    let priority = match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    };
    words.lines().fold(String::new(), |mut lines, line| {
        let _ = writeln!(lines, "<{priority}>{line}");
        lines
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_tells_the_journal_its_priority_and_no_time() {
        assert_eq!(prioritised(Level::Warn, "the disk is full"), "<4>the disk is full\n");
        assert_eq!(prioritised(Level::Error, "one\ntwo"), "<3>one\n<3>two\n");
    }
}
