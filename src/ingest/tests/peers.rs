//! DCMTK as the scanner: `echoscu`, and `storescu` over real images; skipped where absent.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::instance::{Instance, InstanceError};
use crate::os;

/// What a whole corpus, or as many large images at once as there are seats, may cost.
const MOST_GROWTH_KIB: u64 = 32 * 1024;
/// Set in a process that runs one test alone, so that its memory is the gateway's.
const ALONE: &str = "RESIDENTD_TEST_ALONE";

/// `storescu`'s option that proposes a transfer syntax; it has none for the others.
const PROPOSE: [(&str, &str); 10] = [
    ("1.2.840.10008.1.2", "-xi"),
    ("1.2.840.10008.1.2.1", "-xe"),
    ("1.2.840.10008.1.2.2", "-xb"),
    ("1.2.840.10008.1.2.5", "-xr"),
    ("1.2.840.10008.1.2.4.50", "-xy"),
    ("1.2.840.10008.1.2.4.51", "-xx"),
    ("1.2.840.10008.1.2.4.70", "-xs"),
    ("1.2.840.10008.1.2.4.90", "-xv"),
    ("1.2.840.10008.1.2.4.91", "-xw"),
    ("1.2.840.10008.1.2.4.80", "-xt"),
];

fn installed(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        println!("skipped: no {tool}");
    }
    found
}

/// Images of the classes and syntaxes that we accept: their path and `storescu`'s option.
fn corpus() -> Option<Vec<(PathBuf, &'static str)>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/dicom");
    let Ok(index) = std::fs::read_to_string(folder.join("index.csv")) else {
        println!("skipped: no shared DICOM files");
        return None;
    };
    let file = |line: &str| {
        let columns: Vec<&str> = line.split(',').collect();
        offers::find(&offers::SOP_CLASSES, columns.get(4)?)?;
        offers::find(offers::TRANSFER_SYNTAXES, columns.get(5)?)?;
        let (_, option) = PROPOSE.iter().find(|(syntax, _)| Some(syntax) == columns.get(5))?;
        Some((folder.join(columns[0]), *option))
    };
    Some(index.lines().filter_map(file).collect())
}

/// True in a process of its own, which this starts for `test` and waits for elsewhere.
async fn alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args([&format!("ingest::tests::peers::{test}"), "--exact", "--nocapture"]).env(ALONE, "1");
    let output = tokio::task::spawn_blocking(move || process.output()).await.unwrap().unwrap();
    print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_large_images_at_once_are_never_held_in_memory() {
    if !alone("eight_large_images_at_once_are_never_held_in_memory").await {
        return;
    }
    let gateway = Arc::new(gateway(&settings()));
    connect(&gateway).await.release().await.unwrap();
    let before = os::peak_rss_kib(None).unwrap();
    let started = std::time::Instant::now();
    let mut tasks = JoinSet::new();
    for n in 0..8 {
        let gateway = Arc::clone(&gateway);
        tasks.spawn(async move { send_large(&mut connect(&gateway).await, &format!("1.2.{n}")).await });
    }
    while let Some(status) = within(tasks.join_next()).await {
        assert_eq!(status.unwrap(), 0x0000);
    }
    let growth = os::peak_rss_kib(None).unwrap() - before;
    // The clients are in this process, too: about half of it is theirs.
    println!("8 x 32 MiB in {:?}, peak memory grew by {growth} KiB, both ends", started.elapsed());
    assert!(growth < MOST_GROWTH_KIB, "{growth} KiB");
}

/// Sends an image of 256 x 65535 pixels that is never whole in memory.
async fn send_large(client: &mut Client, instance: &str) -> u16 {
    let mut head = image(SECONDARY_CAPTURE, instance, 1, 7);
    let at = |head: &[u8], tag: [u8; 4]| head.windows(4).position(|w| w == tag).unwrap() + 8;
    let pixels = at(&head, [0xE0, 0x7F, 0x10, 0x00]);
    head.truncate(pixels + 4);
    for (tag, n) in [([0x28, 0x00, 0x10, 0x00], 256u16), ([0x28, 0x00, 0x11, 0x00], 0xFFFF)] {
        let value = at(&head, tag);
        head[value..value + 2].copy_from_slice(&n.to_le_bytes());
    }
    let mut left = 256 * 0xFFFF * 2u32;
    head[pixels..].copy_from_slice(&left.to_le_bytes());
    send(client, 1, &command(C_STORE, SECONDARY_CAPTURE, Some(instance), true), &[], 16_000).await;
    within(client.send(&fragment(1, PDataValueType::Data, false, &head))).await.unwrap();
    while left > 0 {
        let size = left.min(131_000);
        left -= size;
        within(client.send(&fragment(1, PDataValueType::Data, left == 0, &vec![7; size as usize]))).await.unwrap();
    }
    answer(client).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn echoscu_is_answered() {
    if !installed("echoscu") {
        return;
    }
    let gateway = gateway(&settings());
    let port = gateway.address.port().to_string();
    let echo = |called: &'static str| {
        let port = port.clone();
        within(async move {
            let run = move || Command::new("echoscu").args(["-aec", called, "127.0.0.1", &port]).status();
            tokio::task::spawn_blocking(run).await.unwrap().unwrap().success()
        })
    };
    assert!(echo(AE).await);
    assert!(!echo("SOMEONE").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storescu_gets_the_right_answer_for_every_image_at_little_memory() {
    if !installed("storescu") {
        return;
    }
    let Some(files) = corpus() else { return };
    if !alone("storescu_gets_the_right_answer_for_every_image_at_little_memory").await {
        return;
    }
    let gateway = gateway(&settings());
    // The first association pays for threads and pools.
    connect(&gateway).await.release().await.unwrap();
    let before = os::peak_rss_kib(None).unwrap();
    let mut stored = BTreeSet::new();
    let mut wrong = Vec::new();
    for (path, option) in files {
        let inspected = Instance::inspect(&path);
        let port = gateway.address.port().to_string();
        let file = path.clone();
        let run = move || {
            Command::new("storescu").args(["-v", "-R", option, "-aec", AE, "127.0.0.1", &port]).arg(file).output()
        };
        let output = within(tokio::task::spawn_blocking(run)).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let answer = said.lines().find_map(|line| line.split("Received Store Response (").nth(1)?.strip_suffix(')'));
        println!("{}: {}", path.file_name().unwrap().display(), answer.unwrap_or("not sent"));
        match inspected {
            Ok((instance, _)) => {
                let again = !stored.insert(instance.sop_instance_uid);
                // DCMTK has no word for 0x0111.
                let right = answer == Some("Success") || (again && answer.is_some_and(|a| a.contains("0x111")));
                wrong.extend((!right).then(|| format!("{}: {said}", path.display())));
            }
            // DCMTK mends some headers on the way, so that what arrives may be fine.
            Err(InstanceError::Dataset(error)) => println!("    (of a file where {error})"),
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let growth = os::peak_rss_kib(None).unwrap() - before;
    println!("{} instances stored, peak memory grew by {growth} KiB", gateway.store.unread().unwrap());
    assert!(growth < MOST_GROWTH_KIB, "{growth} KiB");
    gateway.incoming_is_empty().await;
}
