//! The running program on a recorded board: what telemetry carries, and what heat does.

use std::fs;
use std::path::Path;

use residentd::publish::MAX_TELEMETRY_BYTES;
use residentd::receive::Subscriber;
use serde_json::Value;

use crate::site::{Daemon, LIMIT, Site, runtime, wait_for};

/// A Raspberry Pi 4 as its kernel shows it, at `celsius`.
fn record(site: &Site, celsius: u32) {
    let file = |path: &str, text: &str| {
        let path = site.path("tree").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    file("proc/device-tree/compatible", "raspberrypi,4-model-b\0brcm,bcm2711\0");
    file("proc/meminfo", "MemTotal:        3884312 kB\nMemFree:  9 kB\nMemAvailable:    2911004 kB\n");
    file("proc/loadavg", "0.42 0.30 0.12 1/187 4242\n");
    file("proc/uptime", "350735.47 234388.90\n");
    file("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
    file("sys/class/thermal/thermal_zone0/temp", &format!("{celsius}250\n"));
    file("sys/devices/platform/soc/soc:firmware/get_throttled", "50000\n");
    file("sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "1500000\n");
    file("sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq", "1800000\n");
    for (led, trigger) in [("ACT", "none [mmc0]"), ("PWR", "none [default-on]")] {
        file(&format!("sys/class/leds/{led}/brightness"), "0\n");
        file(&format!("sys/class/leds/{led}/max_brightness"), "1\n");
        file(&format!("sys/class/leds/{led}/trigger"), trigger);
    }
}

fn start(site: &Site) -> Daemon {
    site.edit("# telemetry_s = 60", "telemetry_s = 1");
    let mut command = site.run_command();
    let log = fs::File::create(site.path("log")).unwrap();
    let daemon = Daemon(
        command.env("RESIDENTD_BOARD_ROOT", site.path("tree")).env("RUST_LOG", "info").stderr(log).spawn().unwrap(),
    );
    wait_for("the storage SCP", || std::net::TcpStream::connect(site.dicom).is_ok());
    daemon
}

/// Everything that the device says.
async fn listen(site: &Site) -> Subscriber {
    let host = site.broker.ip().to_string();
    Subscriber::subscribe(&host, site.broker.port(), "residentd/test/cart/+", LIMIT).await.unwrap()
}

/// Waits for a document on `topic` that is as `wanted`.
async fn next(heard: &mut Subscriber, topic: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let message = heard.next(LIMIT).await.unwrap();
        if !message.topic.ends_with(topic) {
            continue;
        }
        assert!(message.payload.len() <= MAX_TELEMETRY_BYTES, "{} bytes", message.payload.len());
        let document: Value = serde_json::from_slice(&message.payload).unwrap();
        if wanted(&document) {
            return document;
        }
    }
}

/// Sends a file from within a runtime.
async fn send(site: &Site, file: &Path) -> u16 {
    let (calling, called) = ("TEST".parse().unwrap(), "RESIDENTD".parse().unwrap());
    residentd::deliver::send(&site.dicom.to_string(), &calling, &called, file).await.unwrap()
}

#[test]
fn telemetry_carries_temperature_throttling_memory_disk_clock_queue_counts_and_versions() {
    let site = Site::new();
    record(&site, 48);
    let daemon = start(&site);
    let phantom = site.phantom(1);
    runtime().block_on(async {
        let mut heard = listen(&site).await;
        assert_eq!(send(&site, &phantom).await, 0);
        let document = next(&mut heard, "/telemetry", |d| d["counts"]["read"] == 1 && d["queue"]["outbox"] == 0).await;
        let is =
            |pointer: &str, value: Value| assert_eq!(document.pointer(pointer), Some(&value), "{pointer}: {document}");
        is("/format", "residentd-telemetry;version=1".into());
        is("/site", "test".into());
        is("/device", "cart".into());
        is("/machine_uptime_s", 350_735.into());
        is("/temperature/sensor", "cpu-thermal".into());
        is("/temperature/hottest_c", 48.3.into());
        is("/temperature/state", "cool".into());
        is("/throttling/by_heat", false.into());
        is("/throttling/under_voltage", false.into());
        is("/throttling/cpu_mhz", 1500.into());
        is("/throttling/cpu_max_mhz", 1800.into());
        is("/memory/total_mib", 3793.into());
        is("/memory/available_mib", 2842.into());
        is("/memory/reader_limit_mib", 1024.into());
        is("/load/five_minutes", 0.3.into());
        is("/clock/plausible", true.into());
        is("/disk/read_only", false.into());
        is("/disk/health", "fine".into());
        is("/queue/unread", 0.into());
        is("/queue/spooled", 1.into());
        is("/counts/accepted", 1.into());
        is("/counts/refused", 0.into());
        is("/counts/abstained", 0.into());
        is("/counts/failed", 0.into());
        is("/counts/delivered", 1.into());
        is("/versions/residentd", env!("CARGO_PKG_VERSION").into());
        is("/versions/board", "Raspberry Pi 4".into());
        is("/versions/board_recognised", true.into());
        for pointer in ["/memory/gateway_mib", "/memory/reader_mib", "/disk/free_mib", "/disk/size_mib"] {
            assert!(document.pointer(pointer).unwrap().as_u64().unwrap() > 0, "{pointer}: {document}");
        }
        assert!(document["clock"]["synchronised"].is_boolean() && document["counts"]["alerts"].is_u64());
        let bundles = document["versions"]["bundles"].as_array().unwrap();
        assert!(bundles.iter().any(|bundle| bundle["name"] == "chest-adult"), "{document}");
        assert!(bundles.iter().all(|bundle| bundle["sha256"].as_str().unwrap().len() == 64), "{document}");
        // Promise 9: nothing of the phantom's header is in it.
        let text = document.to_string();
        for word in ["PHANTOM", "Phantom", "1.2.826", "2.25."] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    });
    daemon.stop();
}

#[test]
fn a_box_that_is_too_hot_receives_and_reads_once_it_is_cooler() {
    let site = Site::new();
    record(&site, 60);
    let daemon = start(&site);
    let phantoms = [site.phantom(1), site.phantom(2)];
    let log = || fs::read_to_string(site.path("log")).unwrap();
    let led = |file: &str| fs::read_to_string(site.path("tree/sys/class/leds").join(file)).unwrap();
    runtime().block_on(async {
        let mut heard = listen(&site).await;
        record_heat(&site, 85);
        let alert = next(&mut heard, "/alert", |alert| alert["kind"] == "too-hot").await;
        assert!(alert["message"].as_str().unwrap().contains("below 75 °C"), "{alert}");
        for phantom in &phantoms {
            assert_eq!(send(&site, phantom).await, 0, "images are received");
        }
        for _ in 0..2 {
            let waiting = next(&mut heard, "/telemetry", |d| d["queue"]["unread"] == 2).await;
            assert_eq!((&waiting["counts"]["read"], &waiting["temperature"]["state"]), (&0.into(), &"hot".into()));
        }
        assert_eq!((led("ACT/brightness"), led("ACT/trigger")), ("0".to_owned(), "none".to_owned()));
        record_heat(&site, 76);
        next(&mut heard, "/telemetry", |d| d["temperature"]["hottest_c"] == 76.0).await;
        let still = next(&mut heard, "/telemetry", |d| d["queue"]["unread"] == 2).await;
        assert_eq!(still["temperature"]["state"], "hot", "it ends some degrees below");
        record_heat(&site, 60);
        let read = next(&mut heard, "/telemetry", |d| d["queue"]["unread"] == 0 && d["queue"]["outbox"] == 0).await;
        assert_eq!((&read["counts"]["read"], &read["temperature"]["state"]), (&2.into(), &"cool".into()));
    });
    daemon.stop();
    assert_eq!(site.outcomes().len(), 2, "one outcome an image");
    assert_eq!((led("ACT/trigger"), led("PWR/trigger")), ("mmc0".to_owned(), "default-on".to_owned()), "given back");
    let log_of_deeds = fs::read_to_string(site.path("state/audit/00000000000000000001.jsonl")).unwrap();
    let paused = log_of_deeds.find(r#""event":"reading-paused","why":"too-hot""#).unwrap();
    let resumed = log_of_deeds.find(r#""event":"reading-resumed""#).unwrap();
    let sealed = log_of_deeds.find(r#""event":"sealed""#).unwrap();
    assert!(paused < resumed && resumed < sealed, "{log_of_deeds}");
    assert_eq!(log().matches("the box is too hot").count(), 1, "{}", log());
}

fn record_heat(site: &Site, celsius: u32) {
    fs::write(site.path("tree/sys/class/thermal/thermal_zone0/temp"), format!("{celsius}000\n")).unwrap();
}
