//! What follows from a look at the board: how hot it is for the reading loop, and what the site
//! is told. Remembers what it said, so that a state is told when it changes and what comes
//! and goes not with each look. No clock, no file, no thread.

use std::time::Duration;

use log::{info, warn};
use tokio::time::Instant;

use crate::board::{Board, Facts, Health, Heat, Look, Thermostat, worn};
use crate::clock::Moment;
use crate::publish::{Alert, AlertKind};

/// Between two alerts about the same: what comes and goes must not push others out.
const ALERT_EVERY: Duration = Duration::from_mins(10);
/// For a time source after a start: a box that has a network needs a minute at most.
const CLOCK_PATIENCE: Duration = Duration::from_mins(10);

/// Remembers what it saw and said.
pub struct Judge {
    facts: Facts,
    thermostat: Thermostat,
    heat: Heat,
    health: Health,
    weak: bool,
    over_budget: bool,
    /// Since when no time source disciplines the clock, and whether that was told.
    adrift: Option<(Instant, bool)>,
    told: Vec<(AlertKind, Instant)>,
}

impl Judge {
    /// For a board in good health.
    pub fn new(board: &Board) -> Self {
        Self {
            facts: board.facts.clone(),
            thermostat: Thermostat::new(board.facts.thermal.clone()),
            heat: Heat::Cool,
            health: Health::Fine,
            weak: false,
            over_budget: false,
            adrift: None,
            told: Vec::new(),
        }
    }

    /// How hot it is.
    pub const fn heat(&self) -> Heat {
        self.heat
    }

    /// How the disk is.
    pub const fn health(&self) -> Health {
        self.health
    }

    /// What the site is to be told after this look, by a clock that says `now`, with the gateway
    /// using `resident_kib`.
    pub fn judge(&mut self, look: &Look, resident_kib: Option<u64>, now: Moment, at: Instant) -> Vec<Alert> {
        self.weigh(resident_kib);
        let found = [self.feel(look), self.inspect(look), self.measure(look), self.compare(now, at)];
        let mut alerts = Vec::new();
        for (kind, message) in found.into_iter().flatten() {
            warn!("{message}");
            self.told.retain(|(_, told)| at.duration_since(*told) < ALERT_EVERY);
            if self.told.iter().all(|(told, _)| *told != kind) {
                self.told.push((kind, at));
                alerts.push(Alert { kind, report_id: None, message });
            }
        }
        alerts
    }

    fn feel(&mut self, look: &Look) -> Option<(AlertKind, String)> {
        let celsius = look.hottest.as_ref().map(|sensor| sensor.celsius);
        let heat = self.thermostat.feel(celsius, look.throttling.by_heat);
        let before = std::mem::replace(&mut self.heat, heat);
        if heat == before {
            return None;
        }
        let seen = look.hottest.as_ref().map_or_else(
            || "no sensor shows how hot".to_owned(),
            |sensor| format!("{} shows {:.0} °C", sensor.name, sensor.celsius),
        );
        let slowly = if before == Heat::Hot { "reading again, slowly" } else { "reading is slower" };
        match heat {
            Heat::Cool => info!("the box is cool again ({seen})"),
            Heat::Warm => info!("the box is warm ({seen}): {slowly}"),
            Heat::Hot => {
                let below_c = self.facts.thermal.hot_c - self.facts.thermal.hysteresis_c;
                let message = format!(
                    "the box is too hot ({seen}): images are received and wait, none is read before it is below {below_c} °C; give it air"
                );
                return Some((AlertKind::TooHot, message));
            }
        }
        None
    }

    fn inspect(&mut self, look: &Look) -> Option<(AlertKind, String)> {
        let storage = look.storage.as_ref()?;
        let health = storage.health(&self.facts.storage);
        let before = std::mem::replace(&mut self.health, health);
        let what = match health {
            _ if health == before => return None,
            Health::Fine => return None,
            Health::Worn => "is worn, plan to replace it",
            Health::Failing => "is failing, replace it now",
        };
        Some((AlertKind::StorageWorn, format!("what the images lie on {what}: {}", worn(storage))))
    }

    fn measure(&mut self, look: &Look) -> Option<(AlertKind, String)> {
        let weak = look.throttling.under_voltage == Some(true);
        let before = std::mem::replace(&mut self.weak, weak);
        let message = "the board's supply is too weak: use the maker's power supply and a short cable";
        (weak && !before).then(|| (AlertKind::SupplyWeak, message.to_owned()))
    }

    fn compare(&mut self, now: Moment, at: Instant) -> Option<(AlertKind, String)> {
        if now.synchronised {
            self.adrift = None;
            return None;
        }
        let (since, told) = self.adrift.get_or_insert((at, false));
        if *told || at.duration_since(*since) < CLOCK_PATIENCE {
            return None;
        }
        *told = true;
        let message = format!(
            "no time source disciplines the clock, which says {}: outcomes say so too; give it a network with NTP",
            now.rfc3339()
        );
        Some((AlertKind::ClockUnsynchronised, message))
    }

    fn weigh(&mut self, resident_kib: Option<u64>) {
        let budget_mib = u64::from(self.facts.memory.gateway_mib);
        let over = resident_kib.is_some_and(|kib| kib > budget_mib * 1024);
        if over && !self.over_budget {
            warn!("the gateway uses more memory than the {budget_mib} MiB that this board has for it");
        }
        self.over_budget = over;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::recorded::Recorded;
    use crate::board::{Root, Sensor, Spare, Storage, Wear};

    const NOW: Moment = Moment { unix_ms: 1_800_000_000_000, synchronised: true };

    /// A board that is well, the judge of it, and the time.
    fn well() -> (Look, Judge, Instant) {
        let tree = Recorded::new();
        tree.device_tree(&["raspberrypi,4-model-b"]).zone(0, "cpu-thermal", "45000");
        let board = Board::detect(&tree.root());
        (Look::at(&board, &tree.root(), tree.folder()), Judge::new(&board), Instant::now())
    }

    fn kinds(alerts: &[Alert]) -> Vec<AlertKind> {
        alerts.iter().map(|alert| alert.kind).collect()
    }

    #[test]
    fn heat_that_comes_and_goes_is_told_at_most_every_ten_minutes() {
        let (mut look, mut judge, start) = well();
        let mut told = |celsius, minutes: u64| {
            look.hottest = Some(Sensor { name: "cpu-thermal".to_owned(), celsius });
            let alerts = judge.judge(&look, None, NOW, start + Duration::from_secs(60 * minutes));
            (kinds(&alerts), judge.heat())
        };
        assert_eq!(told(45.0, 0), (vec![], Heat::Cool));
        assert_eq!(told(82.0, 1), (vec![AlertKind::TooHot], Heat::Hot));
        assert_eq!(told(70.0, 2), (vec![], Heat::Warm));
        assert_eq!(told(82.0, 3), (vec![], Heat::Hot));
        assert_eq!(told(45.0, 4), (vec![], Heat::Cool));
        assert_eq!(told(82.0, 12), (vec![AlertKind::TooHot], Heat::Hot));
    }

    #[test]
    fn a_disk_that_wears_and_a_weak_supply_are_told_when_they_change() {
        let (mut look, mut judge, start) = well();
        let healthy = look.storage.clone().unwrap();
        let worn = |percent| Wear::Used { percent, spare: Spare::Enough };
        let mut after = |wear, under_voltage, minutes: u64| {
            look.storage = Some(Storage { wear, ..healthy.clone() });
            look.throttling.under_voltage = Some(under_voltage);
            kinds(&judge.judge(&look, None, NOW, start + Duration::from_secs(60 * minutes)))
        };
        assert_eq!(after(worn(10), false, 0), vec![]);
        assert_eq!(after(worn(90), false, 1), vec![AlertKind::StorageWorn]);
        assert_eq!(after(worn(90), true, 2), vec![AlertKind::SupplyWeak]);
        assert_eq!(after(worn(90), true, 30), vec![], "nothing has changed");
        assert_eq!(after(worn(110), true, 40), vec![AlertKind::StorageWorn]);
    }

    #[test]
    fn a_clock_that_stays_in_1970_is_told_once_after_a_while() {
        let (look, mut judge, start) = well();
        let mut told = |synchronised, minutes: u64| {
            let now = Moment { unix_ms: 60_000, synchronised };
            let alerts = judge.judge(&look, None, now, start + Duration::from_secs(60 * minutes));
            assert!(alerts.iter().all(|alert| alert.message.contains("1970-01-01T00:01")), "{alerts:?}");
            kinds(&alerts)
        };
        assert_eq!((told(false, 0), told(false, 9)), (vec![], vec![]));
        assert_eq!((told(false, 10), told(false, 60)), (vec![AlertKind::ClockUnsynchronised], vec![]));
        assert_eq!((told(true, 61), told(false, 62), told(false, 72).len()), (vec![], vec![], 1));
    }

    #[test]
    fn what_cannot_be_seen_is_no_fault() {
        let tree = Recorded::new();
        let board = Board::detect(&Root::at(tree.folder()));
        let look = Look { storage: None, ..Look::at(&board, &tree.root(), tree.folder()) };
        let mut judge = Judge::new(&board);
        assert_eq!(judge.judge(&look, None, NOW, Instant::now()), vec![]);
        assert_eq!((judge.heat(), judge.health()), (Heat::Cool, Health::Fine));
    }
}
