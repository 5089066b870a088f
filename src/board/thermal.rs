//! How hot the board is, and whether it slows itself down.

use super::facts::Thermal;
use super::root::Root;

/// What no sensor of a running board shows: such a value is a broken or absent sensor's.
const CREDIBLE_C: std::ops::RangeInclusive<f64> = -40.0..=150.0;
/// Bits of the Raspberry Pi firmware's `get_throttled` word that speak of now.
const UNDER_VOLTAGE: u32 = 1;
const CAPPED_OR_THROTTLED: u32 = 0b0110;
const SOFT_LIMIT: u32 = 0b1000;

/// One sensor's value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensor {
    /// The zone's type or the chip's name.
    pub name: String,
    /// Degrees Celsius.
    pub celsius: f64,
}

/// What slows the processor down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Throttling {
    /// It is slowed down for its heat.
    pub by_heat: bool,
    /// Its supply is too weak; `None` where the board cannot tell.
    pub under_voltage: Option<bool>,
    /// The slowest core's clock.
    pub cpu_mhz: Option<u32>,
    /// The clock that this core may have.
    pub cpu_max_mhz: Option<u32>,
    /// How often an Intel package was throttled since boot.
    pub events: Option<u64>,
}

/// The hottest of the sensors that count.
pub(super) fn hottest(root: &Root, facts: &Thermal) -> Option<Sensor> {
    let wanted = |name: &str| facts.sensors.iter().any(|sensor| sensor == name);
    let zones = root.entries("sys/class/thermal", "thermal_zone").into_iter().filter_map(|zone| {
        let name = root.text(&format!("{zone}/type"))?;
        let counts = facts.sensors.is_empty() || wanted(&name);
        counts.then(|| sensor(root, name, &format!("{zone}/temp"))).flatten()
    });
    let chips = root.entries("sys/class/hwmon", "hwmon").into_iter().flat_map(|chip| {
        let name = root.text(&format!("{chip}/name")).filter(|name| wanted(name));
        let inputs = name.iter().flat_map(|_| root.entries(&chip, "temp")).filter(|path| path.ends_with("_input"));
        inputs.filter_map(|path| sensor(root, name.clone()?, &path)).collect::<Vec<_>>()
    });
    zones.chain(chips).max_by(|a, b| a.celsius.total_cmp(&b.celsius))
}

fn sensor(root: &Root, name: String, path: &str) -> Option<Sensor> {
    let celsius = root.number::<f64>(path)? / 1000.0;
    CREDIBLE_C.contains(&celsius).then_some(Sensor { name, celsius })
}

pub(super) fn throttling(root: &Root, facts: &Thermal) -> Throttling {
    let word = facts.throttled_files.iter().find_map(|file| firmware_word(&root.text(file)?));
    let under = word.map(|word| word & UNDER_VOLTAGE != 0);
    // Without enough voltage the firmware lowers the clock too; that is no heat.
    let firmware = word
        .is_some_and(|word| word & SOFT_LIMIT != 0 || (word & CAPPED_OR_THROTTLED != 0 && word & UNDER_VOLTAGE == 0));
    let (cpu_mhz, cpu_max_mhz) = slowest(root).unzip();
    Throttling {
        by_heat: firmware || cooling(root),
        under_voltage: under.or_else(|| weak_supply(root)),
        cpu_mhz,
        cpu_max_mhz,
        events: root.number("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count"),
    }
}

/// Written in hexadecimal, with or without `0x`.
fn firmware_word(text: &str) -> Option<u32> {
    u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

/// True while the kernel cools by lowering the processor's clock. A fan that turns is none of that.
fn cooling(root: &Root) -> bool {
    root.entries("sys/class/thermal", "cooling_device").into_iter().any(|device| {
        let slows = root.text(&format!("{device}/type")).is_some_and(|kind| {
            kind == "Processor" || kind.starts_with("cpufreq-") || kind.starts_with("thermal-cpufreq-")
        });
        slows && root.number::<i64>(&format!("{device}/cur_state")).is_some_and(|state| state > 0)
    })
}

/// What the Raspberry Pi's voltage alarm says, where the kernel has its driver.
fn weak_supply(root: &Root) -> Option<bool> {
    let chips = root.entries("sys/class/hwmon", "hwmon");
    let chip = chips.into_iter().find(|chip| root.text(&format!("{chip}/name")).as_deref() == Some("rpi_volt"))?;
    Some(root.number::<u8>(&format!("{chip}/in0_lcrit_alarm"))? != 0)
}

/// Clock and highest clock of the slowest group of cores, in MHz.
fn slowest(root: &Root) -> Option<(u32, u32)> {
    let policies = root.entries("sys/devices/system/cpu/cpufreq", "policy");
    let clocks = policies.into_iter().filter_map(|policy| {
        let mhz = |file: &str| root.number::<u32>(&format!("{policy}/{file}")).map(|khz| khz / 1000);
        Some((mhz("scaling_cur_freq")?, mhz("cpuinfo_max_freq")?))
    });
    clocks.min_by_key(|(now, _)| *now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::recorded::Recorded;

    fn facts(sensors: &[&str]) -> Thermal {
        Thermal {
            sensors: sensors.iter().map(|&sensor| sensor.to_owned()).collect(),
            warm_c: 70,
            hot_c: 80,
            hysteresis_c: 5,
            throttles_c: None,
            throttled_files: vec!["/sys/devices/platform/soc/soc:firmware/get_throttled".to_owned()],
        }
    }

    #[test]
    fn the_hottest_sensor_that_counts_is_the_boards_heat() {
        let tree = Recorded::new();
        tree.zone(0, "cpu-thermal", "61250\n").zone(1, "gpu-thermal", "63000\n").zone(2, "charger", "90000\n");
        tree.file("sys/class/hwmon/hwmon0/name", "k10temp\n").file("sys/class/hwmon/hwmon0/temp1_input", "64500\n");
        let hottest = |sensors: &[&str]| hottest(&tree.root(), &facts(sensors)).map(|s| (s.name, s.celsius));
        assert_eq!(hottest(&["cpu-thermal", "gpu-thermal"]), Some(("gpu-thermal".to_owned(), 63.0)));
        assert_eq!(hottest(&["k10temp"]), Some(("k10temp".to_owned(), 64.5)));
        assert_eq!(hottest(&[]), Some(("charger".to_owned(), 90.0)), "of an unknown board every zone counts");
        assert_eq!(hottest(&["tj-thermal"]), None);
    }

    #[test]
    fn what_no_sensor_can_show_is_not_believed() {
        let tree = Recorded::new();
        for (number, value) in ["", "hot", "-273150", "255000"].into_iter().enumerate() {
            tree.zone(number, "cpu-thermal", value);
        }
        assert_eq!(hottest(&tree.root(), &facts(&["cpu-thermal"])), None);
    }

    #[test]
    fn a_throttled_word_tells_heat_from_a_weak_supply() {
        let tree = Recorded::new();
        let word = |text: &str| {
            tree.file("sys/devices/platform/soc/soc:firmware/get_throttled", text);
            let found = throttling(&tree.root(), &facts(&[]));
            (found.by_heat, found.under_voltage)
        };
        assert_eq!(word("0\n"), (false, Some(false)));
        assert_eq!(word("50005\n"), (false, Some(true)), "under-voltage, and the clock lowered for it");
        assert_eq!(word("e0008\n"), (true, Some(false)), "the soft temperature limit");
        assert_eq!(word("0x60006"), (true, Some(false)), "throttled with voltage enough");
        assert_eq!(word("d0000"), (false, Some(false)), "that was before now");
        assert_eq!(word("what"), (false, None));
    }

    #[test]
    fn a_cooling_processor_is_throttled_and_a_turning_fan_is_not() {
        let tree = Recorded::new();
        tree.cooling(0, "pwm-fan", "3\n").cooling(1, "cpufreq-cpu0", "0\n");
        assert!(!throttling(&tree.root(), &facts(&[])).by_heat);
        tree.cooling(1, "cpufreq-cpu0", "2\n");
        assert!(throttling(&tree.root(), &facts(&[])).by_heat);
    }

    #[test]
    fn the_slowest_cores_clock_is_shown() {
        let tree = Recorded::new();
        for (policy, now, highest) in [(0, "1800000", "1800000"), (4, "600000", "2400000")] {
            let folder = format!("sys/devices/system/cpu/cpufreq/policy{policy}");
            tree.file(&format!("{folder}/scaling_cur_freq"), now).file(&format!("{folder}/cpuinfo_max_freq"), highest);
        }
        tree.file("sys/class/hwmon/hwmon1/name", "rpi_volt\n").file("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
        let found = throttling(&tree.root(), &facts(&[]));
        assert_eq!((found.cpu_mhz, found.cpu_max_mhz, found.under_voltage), (Some(600), Some(2400), Some(true)));
    }
}
