//! C-STORE: what is answered, and what is on the disk by then.

use super::*;
use crate::digest::Digest;
use crate::instance::{Instance, PREAMBLE};
use crate::store::Accepted;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn success_is_answered_only_after_file_and_row_are_there() {
    let gateway = gateway(&settings());
    let mut client = connect(&gateway).await;
    let sent = image(SECONDARY_CAPTURE, "1.2.3", 700, 7);
    assert_eq!(store(&mut client, "1.2.3", &sent).await.0, 0x0000);
    let row = gateway.store.next_unread().unwrap().expect("a row");
    let file = std::fs::read(&row.instance.path).unwrap();
    assert!(file.starts_with(&PREAMBLE) && file.ends_with(&sent), "the dataset is kept as it came");
    assert_eq!(row.instance.sha256, Digest::of(&file));
    assert_eq!(row.received.unix_ms, 1_800_000_000_000);
    // The reader's own look at the file agrees with what was recorded.
    assert_eq!(Instance::inspect(&row.instance.path).unwrap().0, row.instance);
    within(gateway.bell.notified()).await;
    gateway.incoming_is_empty().await;
    within(client.release()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_again_are_success_and_one_row() {
    let gateway = gateway(&settings());
    let sent = image(SECONDARY_CAPTURE, "1.2.3", 8, 7);
    for calling in ["CART7", "CART8"] {
        let mut client = within(options().calling_ae_title(calling).establish_async(gateway.address)).await.unwrap();
        assert_eq!(store(&mut client, "1.2.3", &sent).await.0, 0x0000);
        within(client.release()).await.unwrap();
    }
    assert_eq!((gateway.store.unread().unwrap(), gateway.files()), (1, 1));
    assert_eq!(gateway.counters.accepted.load(Relaxed), 1);
    gateway.incoming_is_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_bytes_under_a_known_uid_are_refused_and_the_first_are_kept() {
    let gateway = gateway(&settings());
    let mut client = connect(&gateway).await;
    assert_eq!(store(&mut client, "1.2.3", &image(SECONDARY_CAPTURE, "1.2.3", 8, 7)).await.0, 0x0000);
    let first = gateway.store.next_unread().unwrap().unwrap().instance;
    let (status, comment) = store(&mut client, "1.2.3", &image(SECONDARY_CAPTURE, "1.2.3", 8, 8)).await;
    assert_eq!((status, comment.is_empty()), (0x0111, false));
    assert_eq!(gateway.store.next_unread().unwrap().unwrap().instance, first);
    assert_eq!(gateway.files(), 1);
    gateway.incoming_is_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_instance_on_eight_associations_at_once_is_one_row() {
    let gateway = Arc::new(gateway(&settings()));
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let gateway = Arc::clone(&gateway);
        tasks.spawn(async move {
            let mut client = connect(&gateway).await;
            store(&mut client, "1.2.3", &image(SECONDARY_CAPTURE, "1.2.3", 512, 7)).await.0
        });
    }
    while let Some(status) = within(tasks.join_next()).await {
        assert_eq!(status.unwrap(), 0x0000);
    }
    assert_eq!((gateway.store.unread().unwrap(), gateway.files()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dataset_that_is_another_than_the_command_says_is_refused() {
    let gateway = gateway(&settings());
    let mut client = connect(&gateway).await;
    assert_eq!(store(&mut client, "1.2.4", &image(SECONDARY_CAPTURE, "1.2.3", 8, 7)).await.0, 0xA900);
    let other_class = image("1.2.840.10008.5.1.4.1.1.1", "1.2.4", 8, 7);
    assert_eq!(store(&mut client, "1.2.4", &other_class).await.0, 0xA900);
    let command = command(C_STORE, "1.2.840.10008.5.1.4.1.1.1", Some("1.2.4"), true);
    send(&mut client, 1, &command, &other_class, 16_000).await;
    assert_eq!(answer(&mut client).await.0, 0x0122);
    assert_eq!((gateway.store.unread().unwrap(), gateway.files()), (0, 0));
    gateway.incoming_is_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_uid_that_is_none_never_names_a_file() {
    let gateway = gateway(&settings());
    let mut client = connect(&gateway).await;
    for uid in ["../../etc/passwd", "", "1.2 .3"] {
        assert_eq!(store(&mut client, uid, &image(SECONDARY_CAPTURE, "1.2.3", 8, 7)).await.0, 0x0117);
    }
    gateway.incoming_is_empty().await;
}

/// Each is refused as not understandable, leaves nothing, and the association goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn datasets_that_lie_are_refused_and_leave_nothing() {
    let whole = image(SECONDARY_CAPTURE, "1.2.3", 8, 7);
    let identity = [element(8, 0x16, "UI", SECONDARY_CAPTURE.as_bytes()), element(8, 0x18, "UI", b"1.2.3")].concat();
    let level = [&[0x08, 0, 0x10, 0x11][..], b"SQ\0\0", &[0xFF; 4], &[0xFE, 0xFF, 0x00, 0xE0], &[0xFF; 4]].concat();
    let mut huge = image(SECONDARY_CAPTURE, "1.2.3", 0xFFFF, 7)[..].to_vec();
    let rows = huge.windows(8).position(|w| w.starts_with(&[0x28, 0, 0x10, 0, b'U', b'S'])).unwrap();
    huge[rows + 8..rows + 10].copy_from_slice(&[0xFF, 0xFF]);
    let pixels = huge.windows(4).position(|w| w == [0xE0, 0x7F, 0x10, 0x00]).unwrap();
    huge.truncate(pixels);
    huge.extend(element(0x7FE0, 0x0010, "OW", &[0; 64]));
    let two_gib = [&identity[..], &[0x09, 0, 1, 0x10], b"OB\0\0", &[0, 0, 0, 0x80], b"ab"].concat();
    let attacks = [
        ("truncated", whole[..whole.len() - 1].to_vec()),
        ("empty", vec![0]),
        ("nested 2,000 levels", [&identity[..], &level.repeat(2000)].concat()),
        ("2 GiB claimed", two_gib),
        ("65535 x 65535 in 64 bytes", huge),
        ("identity twice", [&identity[..], &identity].concat()),
        ("noise", (0..5000u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect()),
    ];
    let gateway = gateway(&settings());
    let mut client = connect(&gateway).await;
    for (name, dataset) in &attacks {
        let (status, comment) = store(&mut client, "1.2.3", dataset).await;
        assert_eq!(status, 0xC000, "{name}: {comment}");
        assert!(!comment.is_empty() && comment.len() <= 64, "{name}: {comment}");
    }
    gateway.incoming_is_empty().await;
    assert_eq!((gateway.store.unread().unwrap(), gateway.files()), (0, 0));
    assert_eq!(gateway.counters.refused.load(Relaxed), attacks.len() as u64);
    assert_eq!(store(&mut client, "1.2.3", &whole).await.0, 0x0000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_answered_with_try_later() {
    let gateway = gateway(&Dicom { min_free_mib: u32::MAX, ..settings() });
    let mut client = connect(&gateway).await;
    for _ in 0..2 {
        let (status, comment) = store(&mut client, "1.2.3", &image(SECONDARY_CAPTURE, "1.2.3", 4000, 7)).await;
        assert_eq!((status, comment.trim_end()), (0xA700, "free disk is below the watermark"));
    }
    gateway.incoming_is_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dataset_over_the_limit_is_refused_and_not_kept() {
    let gateway = gateway(&Dicom { max_dataset_mib: 1, ..settings() });
    let mut client = connect(&gateway).await;
    let (status, comment) = store(&mut client, "1.2.3", &image(SECONDARY_CAPTURE, "1.2.3", 16_384, 7)).await;
    assert_eq!((status, comment.trim_end_matches(' ')), (0xC000, "dataset is longer than 1 MiB"));
    gateway.incoming_is_empty().await;
    assert_eq!(store(&mut client, "1.2.3", &image(SECONDARY_CAPTURE, "1.2.3", 8, 7)).await.0, 0x0000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_association_that_breaks_inside_a_dataset_leaves_nothing() {
    let gateway = gateway(&settings());
    let mut client = connect(&gateway).await;
    let command = command(C_STORE, SECONDARY_CAPTURE, Some("1.2.3"), true);
    send(&mut client, 1, &command, &[], 16_000).await;
    within(client.send(&fragment(1, PDataValueType::Data, false, &[0; 9000]))).await.unwrap();
    let incoming = gateway.store.incoming();
    within(async {
        while std::fs::read_dir(&incoming).unwrap().next().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    within(client.abort()).await.unwrap();
    gateway.incoming_is_empty().await;
    let known = gateway.store.known(&"1.2.3".parse::<Uid>().unwrap(), &Digest::of(b""));
    assert_eq!(known.unwrap(), Accepted::New);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fragments_of_one_byte_are_put_together() {
    let gateway = gateway(&settings());
    let mut client = connect(&gateway).await;
    let dataset = image(SECONDARY_CAPTURE, "1.2.3", 2, 7);
    send(&mut client, 1, &command(C_STORE, SECONDARY_CAPTURE, Some("1.2.3"), true), &dataset, 1).await;
    assert_eq!(answer(&mut client).await.0, 0x0000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_in_flight_is_finished_when_the_daemon_stops() {
    let gateway = gateway(&settings());
    let mut client = connect(&gateway).await;
    let dataset = image(SECONDARY_CAPTURE, "1.2.3", 8, 7);
    send(&mut client, 1, &command(C_STORE, SECONDARY_CAPTURE, Some("1.2.3"), true), &[], 16_000).await;
    within(client.send(&fragment(1, PDataValueType::Data, false, &dataset[..100]))).await.unwrap();
    within(async {
        while std::fs::read_dir(gateway.store.incoming()).unwrap().next().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    gateway.stop.send(true).unwrap();
    within(client.send(&fragment(1, PDataValueType::Data, true, &dataset[100..]))).await.unwrap();
    assert_eq!(answer(&mut client).await.0, 0x0000);
    assert!(matches!(within(client.receive()).await, Ok(Pdu::AbortRQ { .. })));
    drop(client);
    within(gateway.task).await.unwrap();
    assert_eq!(gateway.store.unread().unwrap(), 1);
    assert!(gateway.folder.path().exists());
}
