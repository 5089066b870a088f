//! The running daemon: who it is, and which walls the kernel says stand around it and its
//! reader (`/proc/PID/status`). Landlock is not to be seen from outside.

use std::path::Path;

use super::finding::Found;

/// What `/proc/PID/status` says of the walls around a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walls {
    /// 2: a filter of system calls stands.
    pub seccomp: u8,
    /// Nothing that it starts may gain a right.
    pub no_new_privileges: bool,
    /// Rights of root that it has, a bit each.
    pub capabilities: u64,
    /// Its user.
    pub uid: u32,
}

/// The right to listen on low ports, the only one that a gateway may have.
const NET_BIND_SERVICE: u64 = 1 << 10;

impl Walls {
    /// Those around process `pid`; `None` where it cannot be seen.
    #[must_use]
    pub fn around(root: &Path, pid: u32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(root.join(format!("proc/{pid}/status"))).ok()?)
    }

    fn parse(status: &str) -> Option<Self> {
        let value = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        Some(Self {
            seccomp: value("Seccomp:")?.parse().ok()?,
            no_new_privileges: value("NoNewPrivs:")? == "1",
            capabilities: u64::from_str_radix(value("CapEff:")?, 16).ok()?,
            uid: value("Uid:")?.parse().ok()?,
        })
    }

    /// What is missing, for the process that is called `name`.
    #[must_use]
    pub fn judge(&self, name: &str) -> Found {
        let mut missing = Vec::new();
        if self.seccomp != 2 {
            missing.push("no system-call filter".to_owned());
        }
        if !self.no_new_privileges {
            missing.push("it may gain new privileges".to_owned());
        }
        if self.capabilities & !NET_BIND_SERVICE != 0 {
            missing.push(format!("it has capabilities {:#x}", self.capabilities));
        }
        if missing.is_empty() {
            return Found::ok(format!(
                "{name}: system-call filter, no new privileges, capabilities {:#x}",
                self.capabilities
            ));
        }
        Found::failed(
            format!("{name}: {}", missing.join(", ")),
            "this is not how residentd raises its walls: see the first lines of its log (`journalctl -u residentd -b`) for what the kernel lacks, and start it by its unit",
        )
    }
}

/// The walls around the daemon `pid` and the reader that it started.
#[must_use]
pub fn look(root: &Path, pid: u32) -> Found {
    let Some(gateway) = Walls::around(root, pid) else {
        return Found::not_checked(format!("process {pid} cannot be seen from here; run the doctor as root"));
    };
    let found = gateway.judge(&format!("gateway (process {pid})"));
    let found = if gateway.uid == 0 {
        found
            .and(Found::warning("the gateway runs as root", "start it by its unit, which runs it as a user of its own"))
    } else {
        found
    };
    let reader = crate::os::children(pid).unwrap_or_default().first().copied();
    match reader.and_then(|reader| Some((reader, Walls::around(root, reader)?))) {
        Some((reader, walls)) => found.and(walls.judge(&format!("reader (process {reader})"))),
        None => found.and(Found::not_checked("its reader cannot be seen")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn a_wall_that_does_not_stand_is_a_failure_that_names_it() {
        let status = |seccomp, privileges, capabilities: &str| {
            format!(
                "Name:\tresidentd\nUid:\t990\t990\t990\t990\nCapEff:\t{capabilities}\nNoNewPrivs:\t{privileges}\nSeccomp:\t{seccomp}\n"
            )
        };
        let judged = |text: String| Walls::parse(&text).unwrap().judge("gateway");
        assert_eq!(judged(status(2, 1, "0000000000000000")).state, State::Ok);
        assert_eq!(judged(status(2, 1, "0000000000000400")).state, State::Ok, "listening below 1024");
        for (bad, says) in [
            (status(0, 1, "0000000000000000"), "no system-call filter"),
            (status(2, 0, "0000000000000000"), "new privileges"),
            (status(2, 1, "000001ffffffffff"), "capabilities 0x1ffffffffff"),
        ] {
            let found = judged(bad);
            assert!(
                found.state == State::Failed && found.what[0].contains(says) && !found.todo.is_empty(),
                "{found:?}"
            );
        }
        assert_eq!(Walls::parse("Name:\tx\n"), None);
    }
}
