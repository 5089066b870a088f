//! Telemetry, with the embedded broker.

use super::subscriber::Subscriber;
use super::*;

const TOPIC: &str = "residentd/clinic/cart-7/telemetry";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_document_goes_out_once_and_is_not_retained() {
    let port = EmbeddedBroker::start(localhost(0)).unwrap().local_addr().port();
    let subscriber = Subscriber::new(port, TOPIC).await;
    let (documents, telemetry) = watch::channel(String::new());
    let site = Site::new(port).with_outcomes(3);
    let (publisher, _alerts) = site.publisher(&Arc::default()).unwrap();
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(publisher.telling(telemetry).run(stopped));
    for n in 1..=3 {
        documents.send_replace(format!("{{\"n\":{n}}}"));
        until("a document", || subscriber.count() == n).await;
        assert_eq!(subscriber.json()[n - 1]["n"], n);
    }
    for message in subscriber.all() {
        assert!(!message.retain);
        assert_eq!(message.properties.unwrap().content_type.as_deref(), Some("application/json"));
    }
    // A document that found no broker is replaced by the next one, not kept beside it.
    drop(documents);
    stop.send(true).unwrap();
    tokio::time::timeout(DEADLINE, task).await.expect("it stops").unwrap();
    assert_eq!((site.store.undelivered().unwrap(), subscriber.count()), (0, 3));
}
