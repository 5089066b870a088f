//! A receiver for the tests: subscribes, says when the broker knows, and collects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, Packet, Publish};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use tokio::sync::watch;

use super::DEADLINE;

pub(super) struct Subscriber {
    got: Arc<Mutex<Vec<Publish>>>,
    subscriptions: watch::Receiver<u64>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Subscriber {
    /// Subscribes to `filter` and returns once the broker granted it; subscribes again
    /// after each reconnect.
    pub(super) async fn new(port: u16, filter: &str) -> Self {
        Self::with(port, filter, |_| {}).await
    }

    pub(super) async fn with(port: u16, filter: &str, change: impl FnOnce(&mut MqttOptions)) -> Self {
        let mut options = MqttOptions::new(format!("receiver-{}-{}", port, filter.len()), "127.0.0.1", port);
        let mut properties = ConnectProperties::new();
        properties.max_packet_size = Some(1 << 24);
        options.set_connect_properties(properties);
        change(&mut options);
        let (client, mut event_loop) = AsyncClient::new(options, 10);
        let got = Arc::new(Mutex::new(Vec::new()));
        let (granted, mut subscriptions) = watch::channel(0);
        let (sink, filter) = (Arc::clone(&got), filter.to_owned());
        let task = tokio::spawn(async move {
            loop {
                match event_loop.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => client.try_subscribe(&filter, QoS::AtLeastOnce).unwrap(),
                    Ok(Event::Incoming(Packet::SubAck(_))) => granted.send_modify(|n| *n += 1),
                    Ok(Event::Incoming(Packet::Publish(publish))) => sink.lock().unwrap().push(publish),
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        });
        tokio::time::timeout(DEADLINE, subscriptions.wait_for(|n| *n > 0)).await.expect("a subscription").unwrap();
        Self { got, subscriptions, task }
    }

    pub(super) fn subscriptions(&self) -> u64 {
        *self.subscriptions.borrow()
    }

    pub(super) fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    pub(super) fn all(&self) -> Vec<Publish> {
        self.got.lock().unwrap().clone()
    }

    /// Payloads as JSON.
    pub(super) fn json(&self) -> Vec<serde_json::Value> {
        self.all().iter().map(|publish| serde_json::from_slice(&publish.payload).unwrap()).collect()
    }

    /// What a receiver holds: the first payload of each report id (correlation data).
    pub(super) fn reports(&self) -> BTreeMap<String, String> {
        let mut reports = BTreeMap::new();
        for publish in self.all() {
            let id = publish.properties.unwrap().correlation_data.unwrap();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            reports.entry(text(&id)).or_insert_with(|| text(&publish.payload));
        }
        reports
    }
}
