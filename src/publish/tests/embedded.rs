//! With the embedded broker.

use super::subscriber::Subscriber;
use super::*;
use rumqttc::v5::mqttbytes::QoS;

const ANY: u16 = 0;

fn broker() -> u16 {
    EmbeddedBroker::start(localhost(ANY)).unwrap().local_addr().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_outcomes_arrive_in_order_as_they_were_signed() {
    let port = broker();
    let subscriber = Subscriber::new(port, "residentd/clinic/cart-7/report").await;
    let running = Site::new(port).with_outcomes(200).start();
    running.drained().await;
    until("200 messages", || subscriber.count() >= 200).await;
    let messages = subscriber.all();
    assert_eq!(messages.len(), 200);
    for (sequence, message) in (1..).zip(&messages) {
        assert_eq!(message.payload, jws(sequence).as_bytes());
        assert_eq!((message.qos, message.retain), (QoS::AtLeastOnce, false));
        let properties = message.properties.as_ref().unwrap();
        assert_eq!(properties.content_type.as_deref(), Some("application/jose"));
        assert_eq!(properties.payload_format_indicator, Some(1));
        assert_eq!(properties.correlation_data.as_deref(), Some(report_id(sequence).as_bytes()));
        let expected = [
            ("sequence", sequence.to_string()),
            ("device", "cart-7".into()),
            ("format", "residentd-outcome;version=1".into()),
        ];
        assert_eq!(properties.user_properties, expected.map(|(key, value)| (key.to_owned(), value)));
    }
    assert_eq!((running.state.acknowledged(), running.state.last_acknowledged()), (200, 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcomes_wait_for_a_broker_that_comes_later() {
    let port = free_port();
    let running = Site::new(port).with_outcomes(20).start();
    until("a second attempt", || running.state.attempts() >= 2).await;
    assert_eq!((running.undelivered(), running.state.is_connected()), (20, false));
    EmbeddedBroker::start(localhost(port)).unwrap();
    running.drained().await;
    assert!(running.state.is_connected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bell_brings_a_new_outcome_out() {
    let mut site = Site::new(broker());
    site.settings.heartbeat_s = 3600.try_into().unwrap();
    let running = site.start();
    until("connected", || running.state.is_connected()).await;
    for n in 1..=5 {
        conclude(&running.store, 1, jws);
        running.bell.notify_one();
        until("delivered", || running.state.last_acknowledged() == n).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn online_is_retained_and_the_last_will_says_offline() {
    let port = broker();
    let running = Site::new(port).with_outcomes(3).start();
    running.drained().await;
    let subscriber = Subscriber::new(port, "residentd/+/+/status").await;
    until("a status", || subscriber.count() > 0).await;
    assert!(subscriber.all()[0].retain);
    let birth = &subscriber.json()[0];
    let expected = serde_json::json!({
        "state": "online", "device": "cart-7", "site": "clinic", "key_id": "key-thumbprint", "version": env!("CARGO_PKG_VERSION"),
        "last_sequence": 3, "time": "2027-01-15T08:00:00.123Z", "clock_synchronised": true, "unread": 0,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&birth[key], value, "{key}");
    }
    until("a heartbeat that knows of the deliveries", || subscriber.json().iter().any(|s| s["undelivered"] == 0)).await;
    running.task.abort();
    until("the last will", || subscriber.json().last().unwrap()["state"] == "offline").await;
    assert_eq!(subscriber.json().last().unwrap()["reason"], "connection lost");
    let late = Subscriber::new(port, "residentd/clinic/+/status").await;
    until("the retained will", || late.count() > 0).await;
    assert_eq!((late.all()[0].retain, &late.json()[0]["state"]), (true, &"offline".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_says_offline_and_ends() {
    let port = broker();
    let subscriber = Subscriber::new(port, "residentd/clinic/cart-7/status").await;
    let running = Site::new(port).with_outcomes(3).start();
    running.drained().await;
    running.stopped().await;
    until("offline", || subscriber.json().last().is_some_and(|s| s["state"] == "offline")).await;
    assert_eq!(subscriber.json().last().unwrap()["reason"], "stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_without_a_broker_ends() {
    let running = Site::new(free_port()).start();
    until("an attempt", || running.state.attempts() > 0).await;
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_raised_without_a_broker_arrive_when_there_is_one() {
    let port = free_port();
    let running = Site::new(port).start();
    let alert =
        |n| Alert { kind: AlertKind::RetakeRequested, report_id: Some(report_id(n)), message: format!("retake {n}") };
    (1..=3).for_each(|n| running.alerts.raise(alert(n)));
    EmbeddedBroker::start(localhost(port)).unwrap();
    let subscriber = Subscriber::new(port, "residentd/clinic/cart-7/alert").await;
    until("connected", || running.state.is_connected()).await;
    running.alerts.raise(alert(4));
    until("the last alert", || subscriber.json().last().is_some_and(|a| a["message"] == "retake 4")).await;
    let last = subscriber.json().pop().unwrap();
    assert_eq!((&last["kind"], &last["report_id"]), (&"retake-requested".into(), &report_id(4).into()));
    assert_eq!(last["time"], "2027-01-15T08:00:00.123Z");
}

#[test]
fn a_port_in_use_is_a_clear_error() {
    let taken = TcpListener::bind(localhost(ANY)).unwrap();
    let address = taken.local_addr().unwrap();
    let error = EmbeddedBroker::start(address).unwrap_err();
    assert!(matches!(error, BrokerError::InUse(a) if a == address), "{error}");
}
