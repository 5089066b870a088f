//! The unit: installed, enabled, running, watched. Asked of `systemctl`, which anybody may.

use std::process::Command;

use super::finding::{Found, State};
use crate::daemon::KEY_CREDENTIAL;

/// Our unit's name.
const UNIT: &str = "residentd.service";
/// What is asked of it.
const PROPERTIES: &str = "LoadState,UnitFileState,ActiveState,SubState,MainPID,WatchdogUSec,NRestarts,Result,User,ExecStart,NeedDaemonReload";
/// What hands a key to the daemon. Read from the unit's files: as properties they are "unprintable".
const CREDENTIALS: [&str; 3] = ["LoadCredential", "LoadCredentialEncrypted", "SetCredentialEncrypted"];
/// Exposure that `systemd-analyze security` may give at most.
const MOST_EXPOSED: f32 = 1.0;

/// The unit as systemd knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Name and value of each property.
    values: Vec<(String, String)>,
}

impl Unit {
    /// Asks for it; `None` where no systemd answers.
    #[must_use]
    pub fn ask() -> Option<Self> {
        let output = Command::new("systemctl").args(["show", UNIT, "--property", PROPERTIES]).output().ok()?;
        let mut unit = Self::parse(&String::from_utf8_lossy(&output.stdout));
        let files = Command::new("systemctl").args(["cat", "--no-pager", UNIT]).output().ok()?;
        let written = Self::parse(&String::from_utf8_lossy(&files.stdout)).values;
        unit.values.extend(written.into_iter().filter(|(name, _)| CREDENTIALS.contains(&name.as_str())));
        (output.status.success() && !unit.get("LoadState").is_empty()).then_some(unit)
    }

    fn parse(text: &str) -> Self {
        let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { values: text.lines().filter_map(pair).collect() }
    }

    fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// True where the unit is there and starts a daemon on this configuration.
    #[must_use]
    pub fn runs(&self, config: &std::path::Path) -> bool {
        self.get("LoadState") == "loaded" && self.get("ExecStart").contains(&config.display().to_string())
    }

    /// The user that it runs the daemon as.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        Some(self.get("User")).filter(|user| !user.is_empty())
    }

    /// True where systemd hands the key to the daemon, so that the daemon's user need not read
    /// the file; a sealed one may not even be there as a file.
    #[must_use]
    pub fn gives_key(&self) -> bool {
        self.values.iter().any(|(name, value)| {
            let id = value.split(':').next();
            CREDENTIALS.contains(&name.as_str()) && id == Some(KEY_CREDENTIAL)
        })
    }

    /// What is wrong with it. `running`: the daemon that holds the state folder.
    #[must_use]
    pub fn judge(&self, running: Option<u32>) -> Found {
        match self.get("LoadState") {
            "loaded" => {}
            "masked" => {
                return Found::failed(
                    format!("{UNIT} is masked"),
                    format!("`systemctl unmask {UNIT}`, then `systemctl enable --now {UNIT}`"),
                );
            }
            _ => {
                return Found::warning(
                    format!("{UNIT} is not installed"),
                    "install the package, or systemd/residentd.service by hand, and `systemctl daemon-reload`",
                );
            }
        }
        let installed = Found::ok(format!("{UNIT} is installed"));
        let stands = installed.and(self.enabled()).and(self.active(running));
        [self.watchdog(), self.restarts(), self.reloaded()].into_iter().flatten().fold(stands, Found::and)
    }

    fn enabled(&self) -> Found {
        let state = self.get("UnitFileState");
        if ["enabled", "static", "linked"].contains(&state) {
            Found::ok(state)
        } else {
            Found::warning(
                format!("it is {state}: it will not start when the box does"),
                format!("`systemctl enable {UNIT}`"),
            )
        }
    }

    fn active(&self, running: Option<u32>) -> Found {
        let (active, sub, pid) = (self.get("ActiveState"), self.get("SubState"), self.get("MainPID"));
        match active {
            "active" if running.is_some_and(|running| running.to_string() != pid) => Found::failed(
                format!("systemd runs process {pid}, but another one holds the state folder"),
                format!(
                    "two daemons were started: stop the one that was started by hand, then `systemctl restart {UNIT}`"
                ),
            ),
            "active" => Found::ok(format!("{active} ({sub}), process {pid}")),
            "activating" => {
                Found::warning("it is starting", "wait: loading models may take two minutes; then run the doctor again")
            }
            _ if running.is_some() => Found::warning(
                format!("it is {active}, but a daemon that was started by hand runs"),
                format!("stop that one, then `systemctl enable --now {UNIT}`"),
            ),
            "failed" => Found::failed(
                format!("it failed ({})", self.get("Result")),
                format!(
                    "`journalctl -u {UNIT} -b` says why; after mending it `systemctl reset-failed {UNIT}` and `systemctl start {UNIT}`"
                ),
            ),
            _ => Found::failed(format!("it is {active}"), format!("`systemctl enable --now {UNIT}`")),
        }
    }

    fn watchdog(&self) -> Option<Found> {
        match self.get("WatchdogUSec") {
            "" | "0" | "infinity" => Some(Found::warning(
                "no watchdog: a daemon that hangs is not restarted",
                format!("take the unit of the package, with WatchdogSec=30 (`systemctl cat {UNIT}`)"),
            )),
            _ => None,
        }
    }

    fn restarts(&self) -> Option<Found> {
        let restarts: u64 = self.get("NRestarts").parse().unwrap_or(0);
        (restarts > 0).then(|| {
            Found::warning(
                format!("systemd restarted it {restarts} times since it was started"),
                format!("`journalctl -u {UNIT} -p warning` says why"),
            )
        })
    }

    fn reloaded(&self) -> Option<Found> {
        (self.get("NeedDaemonReload") == "yes").then(|| {
            Found::warning(
                "its file was changed since systemd read it",
                format!("`systemctl daemon-reload && systemctl restart {UNIT}`"),
            )
        })
    }
}

/// What `systemd-analyze security` gives; nothing where it is not there.
#[must_use]
pub fn exposure() -> Option<Found> {
    let output = Command::new("systemd-analyze").args(["security", "--no-pager", UNIT]).output().ok()?;
    judge_exposure(&String::from_utf8_lossy(&output.stdout))
}

/// Its last line is `→ Overall exposure level for residentd.service: 0.9 SAFE 😀`.
fn judge_exposure(text: &str) -> Option<Found> {
    let line = text.lines().find(|line| line.contains("Overall exposure level"))?;
    let level: f32 = line.rsplit_once(": ")?.1.split_whitespace().next()?.parse().ok()?;
    let seen = format!("systemd-analyze security: exposure {level:.1}");
    Some(if level <= MOST_EXPOSED {
        Found::ok(seen)
    } else {
        Found::warning(
            format!("{seen}, at most {MOST_EXPOSED:.1} is meant"),
            format!("take the unit of the package; `systemctl cat {UNIT}` shows what overrides it"),
        )
    })
}

/// The unit, or why there is none.
#[must_use]
pub fn look(unit: Option<&Unit>, running: Option<u32>) -> Found {
    let Some(unit) = unit else { return Found::not_checked("no systemd answers here") };
    let found = unit.judge(running);
    match exposure().filter(|_| found.state < State::Failed && unit.get("LoadState") == "loaded") {
        Some(exposure) => found.and(exposure),
        None => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nSubState=running\nMainPID=42\n\
                         WatchdogUSec=30s\nNRestarts=0\nResult=success\nUser=residentd\nNeedDaemonReload=no\n\
                         ExecStart={ path=/usr/bin/residentd ; argv[]=/usr/bin/residentd run --config /etc/residentd/residentd.toml ; }\n";

    #[test]
    fn a_sound_unit_is_ok_and_each_flaw_is_named_with_its_command() {
        let unit = Unit::parse(SOUND);
        assert_eq!(unit.judge(Some(42)).state, State::Ok, "{:?}", unit.judge(Some(42)));
        assert!(!unit.gives_key());
        assert!(Unit::parse("LoadCredential=device.key:/etc/residentd/device.key\n").gives_key());
        assert!(unit.runs("/etc/residentd/residentd.toml".as_ref()) && unit.user() == Some("residentd"));
        for (from, to, state, advice) in [
            ("LoadState=loaded", "LoadState=not-found", State::Warning, "install the package"),
            ("LoadState=loaded", "LoadState=masked", State::Failed, "unmask"),
            ("UnitFileState=enabled", "UnitFileState=disabled", State::Warning, "systemctl enable"),
            ("ActiveState=active", "ActiveState=failed", State::Failed, "journalctl"),
            ("ActiveState=active", "ActiveState=inactive", State::Failed, "enable --now"),
            ("WatchdogUSec=30s", "WatchdogUSec=infinity", State::Warning, "WatchdogSec=30"),
            ("NRestarts=0", "NRestarts=7", State::Warning, "journalctl"),
            ("NeedDaemonReload=no", "NeedDaemonReload=yes", State::Warning, "daemon-reload"),
        ] {
            let found = Unit::parse(&SOUND.replace(from, to)).judge(None);
            assert_eq!(found.state, state, "{to}: {found:?}");
            assert!(found.todo.iter().any(|todo| todo.contains(advice)), "{to}: {found:?}");
        }
        assert!(unit.judge(Some(7)).todo[0].contains("two daemons"));
    }

    #[test]
    fn an_exposure_above_what_is_meant_is_a_warning() {
        let line = |level| format!("x\n→ Overall exposure level for residentd.service: {level} MEDIUM 😐\n");
        assert_eq!(judge_exposure(&line("0.9")).unwrap().state, State::Ok);
        assert_eq!(judge_exposure(&line("6.2")).unwrap().state, State::Warning);
        assert_eq!(judge_exposure("Unit residentd.service could not be found."), None);
        assert_eq!(look(None, None), Found::not_checked("no systemd answers here"));
    }
}
