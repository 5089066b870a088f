//! The hospital's end of the wire, as small as it can be: a subscriber that hands on messages.
//!
//! For `demo` and the tests. It acknowledges by MQTT alone and keeps nothing.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use tokio::time::Instant;

/// Pause between attempts to reach the broker.
const RETRY: Duration = Duration::from_millis(100);
/// Largest message taken: four times the largest outcome that the publisher makes.
const MAX_MESSAGE_BYTES: u32 = 16 * 1024 * 1024;

/// A subscription.
pub struct Subscriber {
    events: EventLoop,
    // Dropped, it would end the event loop.
    _client: AsyncClient,
}

/// A message that arrived.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// Its payload, as sent.
    pub payload: Vec<u8>,
    /// MQTT 5 correlation data: the report id.
    pub correlation: Option<String>,
}

/// Nothing came.
#[derive(Debug, thiserror::Error)]
#[error("nothing on the subscription within the time given: {0}")]
pub struct Silence(String);

impl Subscriber {
    /// Subscribes to `filter` at the plain-TCP broker `host:port`; returns when the
    /// broker granted it.
    ///
    /// # Errors
    /// It did not within `limit`.
    pub async fn subscribe(host: &str, port: u16, filter: &str, limit: Duration) -> Result<Self, Silence> {
        let mut options = MqttOptions::new("residentd-demo-receiver", host, port);
        options.set_max_packet_size(Some(MAX_MESSAGE_BYTES));
        let (client, events) = AsyncClient::new(options, 8);
        let mut subscriber = Self { events, _client: client.clone() };
        let deadline = Instant::now() + limit;
        loop {
            match subscriber.poll(deadline).await? {
                Packet::ConnAck(_) => {
                    client.try_subscribe(filter, QoS::AtLeastOnce).map_err(|e| Silence(e.to_string()))?;
                }
                Packet::SubAck(_) => return Ok(subscriber),
                _ => {}
            }
        }
    }

    /// The next message.
    ///
    /// # Errors
    /// None came within `limit`.
    pub async fn next(&mut self, limit: Duration) -> Result<Message, Silence> {
        let deadline = Instant::now() + limit;
        loop {
            if let Packet::Publish(publish) = self.poll(deadline).await? {
                let correlation = publish.properties.as_ref().and_then(|p| p.correlation_data.as_ref());
                return Ok(Message {
                    topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                    payload: publish.payload.to_vec(),
                    correlation: correlation.map(|c| String::from_utf8_lossy(c).into_owned()),
                });
            }
        }
    }

    async fn poll(&mut self, deadline: Instant) -> Result<Packet, Silence> {
        let mut last = String::from("no packet");
        loop {
            match tokio::time::timeout_at(deadline, self.events.poll()).await {
                Ok(Ok(Event::Incoming(packet))) => return Ok(packet),
                Ok(Ok(Event::Outgoing(_))) => {}
                Ok(Err(e)) => {
                    last = e.to_string();
                    if tokio::time::timeout_at(deadline, tokio::time::sleep(RETRY)).await.is_err() {
                        return Err(Silence(last));
                    }
                }
                Err(_) => return Err(Silence(last)),
            }
        }
    }
}
