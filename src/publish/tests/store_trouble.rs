//! A store that cannot be written or read for a while.

use super::subscriber::Subscriber;
use super::*;

/// Runs SQL beside the daemon, as a full disk or a damaged table would bite.
fn sql(site: &Site, sql: &str) {
    rusqlite::Connection::open(site.folder.path().join("residentd.sqlite")).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrived_while_the_store_was_full_is_recorded_later_and_not_sent_twice() {
    let port = EmbeddedBroker::start(localhost(0)).unwrap().local_addr().port();
    let subscriber = Subscriber::new(port, "residentd/clinic/cart-7/report").await;
    let site = Site::new(port).with_outcomes(40);
    sql(&site, "CREATE TRIGGER full BEFORE INSERT ON deliveries BEGIN SELECT RAISE(FAIL, 'disk full'); END");
    let running = site.start();
    until("a first fetch arrived", || running.state.acknowledged() >= 16).await;
    assert_eq!(running.undelivered(), 40);
    sql(&site, "DROP TRIGGER full");
    running.drained().await;
    until("all", || subscriber.count() >= 40).await;
    assert_eq!((subscriber.count(), running.state.acknowledged(), running.state.attempts()), (40, 40, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outbox_that_cannot_be_read_is_read_later() {
    let port = EmbeddedBroker::start(localhost(0)).unwrap().local_addr().port();
    let site = Site::new(port).with_outcomes(5);
    sql(&site, "ALTER TABLE outbox RENAME TO hidden");
    let running = site.start();
    until("connected", || running.state.is_connected()).await;
    sql(&site, "ALTER TABLE hidden RENAME TO outbox");
    running.drained().await;
}
