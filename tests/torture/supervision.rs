//! Parts wedged on purpose, and a service manager that does what systemd does: no ping within
//! the watchdog's time, and the process is killed and started again.

use std::time::{Duration, Instant};

use crate::Mode;
use crate::images::Template;
use crate::plan::Plan;
use crate::receiver::Receiver;
use crate::site::{LIMIT, Site, Started, runtime};

pub const MODE: Mode = Mode {
    name: "supervision",
    claim: "a wedged part is restarted within the watchdog's time plus five seconds, and nothing is lost",
    few: 1,
    run,
};

/// What the service manager allows between two pings.
const WATCHDOG: Duration = Duration::from_secs(4);
/// What may come on top until the restart.
const ALLOWANCE: Duration = Duration::from_secs(5);
/// Pings of a healthy daemon that are awaited first.
const HEALTHY_PINGS: usize = 3;

/// Which part, and the step at which it stops for ever: with a lock held, on a thread of
/// the runtime, on a blocking thread.
const WEDGES: [(&str, &str); 7] = [
    ("ingest, its accept loop", "welcomed"),
    ("ingest, with the turn to make a row", "renamed"),
    ("the reading loop, before the reader", "taken"),
    ("the reading loop, after the reader", "read"),
    ("the store, in a transaction", "concluding"),
    ("the publisher, at a hand-in", "handed-in"),
    ("the publisher, at its errand", "acknowledged"),
];

fn run(plan: &Plan) -> Result<String, String> {
    let receiver = Receiver::start();
    let image = Template::foreign();
    let mut longest = Duration::ZERO;
    for _ in 0..plan.count {
        // All at once: they only wait.
        let restarts = std::thread::scope(|scope| {
            let cases = WEDGES.map(|(part, step)| (part, scope.spawn(|| wedge(&receiver, &image, step))));
            let hung = scope.spawn(|| hung_reader(&receiver, &image));
            let mut restarts = Vec::new();
            for (part, case) in cases {
                let restarted = case.join().map_err(|_| format!("{part}: panicked"))?;
                restarts.push(restarted.map_err(|why| format!("{part}: {why}"))?);
            }
            hung.join().map_err(|_| "the hung reader: panicked".to_owned())??;
            Ok::<_, String>(restarts)
        })?;
        longest = restarts.into_iter().fold(longest, Duration::max);
        plan.progress.at(1, "rounds");
    }
    Ok(format!(
        "{} wedges a round, {} rounds; watchdog {} s, longest from image to restart {:.1} s; a hung reader costs no restart",
        WEDGES.len(),
        plan.count,
        WATCHDOG.as_secs(),
        longest.as_secs_f64()
    ))
}

/// From the image that meets the wedge to the restart.
fn wedge(receiver: &Receiver, image: &Template, step: &str) -> Result<Duration, String> {
    let site = Site::new(&format!("wedge-{step}"), receiver.broker);
    let watchdog = ("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
    let wedge = ("RESIDENTD_WEDGE", step.to_owned());
    let mut daemon = site.spawn(&[watchdog.clone(), wedge]);
    if site.wait_ready(&mut daemon) == Started::Ended {
        return Err("it did not start".to_owned());
    }
    for _ in 0..HEALTHY_PINGS {
        pinged(&site)?;
    }
    let began = Instant::now();
    let (restarted, mut daemon, first) = std::thread::scope(|scope| {
        let first = scope.spawn(|| runtime().block_on(site.send("first.dcm", &image.copy(1).1)));
        while pinged(&site).is_ok() {
            if began.elapsed() > LIMIT {
                return Err("pings go on although it is wedged");
            }
        }
        daemon.kill();
        let again = site.spawn(&[watchdog]);
        Ok((began.elapsed(), again, first.join().map_err(|_| "the sender panicked")?))
    })?;
    if site.wait_ready(&mut daemon) == Started::Ended {
        return Err("it did not start again".to_owned());
    }
    if restarted > WATCHDOG + ALLOWANCE {
        return Err(format!("restarted after {restarted:?}"));
    }
    // What was answered is read and arrives; what was not is sent again.
    let answered = first == Ok(0);
    let send = |name: &str, number| runtime().block_on(site.send(name, &image.copy(number).1));
    if !answered && send("first.dcm", 1)? != 0 {
        return Err("the image is not taken after the restart".to_owned());
    }
    if send("second.dcm", 2)? != 0 || !receiver.wait_for(&site.device, 2, LIMIT) {
        return Err("two images, and not two outcomes after the restart".to_owned());
    }
    pinged(&site)?;
    if daemon.stop() { Ok(restarted) } else { Err("it did not end well".to_owned()) }
}

/// A reader that hangs is the gateway's to end: by its time limit, three times, and then
/// the image has its outcome. The gateway lives and says so all the while.
fn hung_reader(receiver: &Receiver, image: &Template) -> Result<(), String> {
    let site = Site::new("wedge-reader", receiver.broker);
    site.edit("# time_limit_s = 60", "time_limit_s = 2");
    let environment =
        [("WATCHDOG_USEC", WATCHDOG.as_micros().to_string()), ("RESIDENTD_WEDGE", "reader-asked".to_owned())];
    let mut daemon = site.spawn(&environment);
    if site.wait_ready(&mut daemon) == Started::Ended {
        return Err("the hung reader: the gateway did not start".to_owned());
    }
    if runtime().block_on(site.send("first.dcm", &image.copy(1).1)) != Ok(0) {
        return Err("the hung reader: the image was not taken".to_owned());
    }
    while receiver.count(&site.device) == 0 {
        pinged(&site).map_err(|why| format!("the hung reader: {why}"))?;
    }
    if daemon.stop() { Ok(()) } else { Err("the hung reader: the gateway did not end well".to_owned()) }
}

/// The next ping, if it comes in time.
fn pinged(site: &Site) -> Result<(), String> {
    let deadline = Instant::now() + WATCHDOG;
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match site.notified(left) {
            Some(message) if message.contains("WATCHDOG=1") => return Ok(()),
            None if Instant::now() >= deadline => return Err("no ping within the watchdog's time".to_owned()),
            Some(_) | None => {}
        }
    }
}
