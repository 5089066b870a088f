//! A set of CPUs, as Linux writes one: `0-1,3`.

use std::fmt;

use serde::Deserialize;

/// Highest CPU number, and so most CPUs of a set: no board has as many.
const MAX_CPU: u16 = 255;

/// CPUs by their numbers, in order; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Cpus(Vec<u16>);

/// A text that names no set of CPUs.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no list of CPUs: write one as in 0-1,3, with numbers up to {MAX_CPU}")]
pub struct NotCpus(String);

impl TryFrom<String> for Cpus {
    type Error = NotCpus;

    fn try_from(text: String) -> Result<Self, NotCpus> {
        let number = |part: &str| part.parse::<u16>().ok().filter(|number| *number <= MAX_CPU);
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(number(first)?..=number(last)?).filter(|range| !range.is_empty())
        };
        let ranges: Option<Vec<_>> = text.trim().split(',').map(range).collect();
        let mut cpus: Vec<u16> = ranges.into_iter().flatten().flatten().collect();
        cpus.sort_unstable();
        cpus.dedup();
        if cpus.is_empty() { Err(NotCpus(text)) } else { Ok(Self(cpus)) }
    }
}

impl Cpus {
    /// Their numbers, in order.
    #[must_use]
    pub fn numbers(&self) -> &[u16] {
        &self.0
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, cpu) in self.0.iter().enumerate() {
            write!(f, "{}{cpu}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_linux_writes_it_and_nothing_else_is_one() {
        let read = |text: &str| Cpus::try_from(text.to_owned());
        assert_eq!(read("2-3,0\n").unwrap().numbers(), [0, 2, 3]);
        assert_eq!(read("0-1").unwrap().to_string(), "0,1");
        for wrong in ["", "3-2", "a", "0,,1", "0-65535", "-1", "256"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
