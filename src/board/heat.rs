//! What the board's heat means for reading: pure, one feeling after the other.
//!
//! Warm: reading is slower. Hot: nothing is read; receiving costs little heat and goes on. Each
//! ends some degrees below where it began, so that it does not come and go with an image.

use super::facts::Thermal;

/// Looks without a temperature, in a row, before a board counts as blind: a sensor that is
/// busy for a moment changes nothing.
const BLIND_AFTER: u32 = 12;

/// How hot it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heat {
    /// Read.
    Cool,
    /// Read more slowly.
    Warm,
    /// Do not read.
    Hot,
}

/// Remembers how hot it was.
#[derive(Debug)]
pub struct Thermostat {
    limits: Thermal,
    heat: Heat,
    blind: u32,
}

impl Thermostat {
    /// One that starts cool.
    #[must_use]
    pub const fn new(limits: Thermal) -> Self {
        Self { limits, heat: Heat::Cool, blind: 0 }
    }

    /// How hot it is now, at `celsius` where that is known; `throttled` where the board slows
    /// itself down for its heat, which makes it warm whatever the sensors say.
    pub fn feel(&mut self, celsius: Option<f64>, throttled: bool) -> Heat {
        self.blind = if celsius.is_some() { 0 } else { self.blind.saturating_add(1) };
        let felt = celsius.map_or_else(|| self.unseen(), |celsius| self.by(celsius));
        self.heat = if throttled { felt.max(Heat::Warm) } else { felt };
        self.heat
    }

    fn by(&self, celsius: f64) -> Heat {
        let Thermal { warm_c, hot_c, hysteresis_c, .. } = self.limits;
        let from = |limit_c: i16, level: Heat| {
            let limit_c = if self.heat >= level { limit_c - hysteresis_c } else { limit_c };
            celsius >= f64::from(limit_c)
        };
        match (from(hot_c, Heat::Hot), from(warm_c, Heat::Warm)) {
            (true, _) => Heat::Hot,
            (false, true) => Heat::Warm,
            (false, false) => Heat::Cool,
        }
    }

    /// A hot board whose sensor is gone reads again, slowly: images must not wait for a sensor
    /// that never comes back.
    const fn unseen(&self) -> Heat {
        match self.heat {
            Heat::Hot if self.blind >= BLIND_AFTER => Heat::Warm,
            heat => heat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thermostat() -> Thermostat {
        let sensors = vec!["cpu-thermal".to_owned()];
        let limits =
            Thermal { sensors, warm_c: 70, hot_c: 80, hysteresis_c: 5, throttles_c: None, throttled_files: Vec::new() };
        Thermostat::new(limits)
    }

    #[test]
    fn each_state_ends_some_degrees_below_where_it_began() {
        let mut thermostat = thermostat();
        for (celsius, heat) in [
            (69.9, Heat::Cool),
            (70.0, Heat::Warm),
            (65.0, Heat::Warm),
            (64.9, Heat::Cool),
            (80.0, Heat::Hot),
            (75.0, Heat::Hot),
            (74.9, Heat::Warm),
            (79.9, Heat::Warm),
            (95.0, Heat::Hot),
            (20.0, Heat::Cool),
        ] {
            assert_eq!(thermostat.feel(Some(celsius), false), heat, "{celsius}");
        }
    }

    #[test]
    fn a_board_that_throttles_itself_is_warm_whatever_the_sensor_says() {
        let mut thermostat = thermostat();
        assert_eq!(thermostat.feel(Some(50.0), true), Heat::Warm);
        assert_eq!(thermostat.feel(Some(50.0), false), Heat::Cool);
        assert_eq!(thermostat.feel(None, true), Heat::Warm, "a board without a sensor too");
    }

    #[test]
    fn a_hot_board_whose_sensor_is_gone_reads_again_slowly_and_not_before_a_while() {
        let mut thermostat = thermostat();
        thermostat.feel(Some(85.0), false);
        for _ in 1..BLIND_AFTER {
            assert_eq!(thermostat.feel(None, false), Heat::Hot);
        }
        assert_eq!(thermostat.feel(None, false), Heat::Warm);
        assert_eq!(thermostat.feel(Some(85.0), false), Heat::Hot);
    }
}
