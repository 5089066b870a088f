//! One MQTT 5 connection, and the one file that knows the client library. Each connection has
//! its own event loop: nothing that the library remembers (pending packets, collisions, a shrunken
//! receive maximum, a keep-alive that the broker dictated) outlives it. A task of its own
//! polls it, so that a panic inside the library on hostile bytes is a lost connection and no more.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectProperties, ConnectReturnCode, Filter, LastWill, Packet, PubAckReason, Publish, PublishProperties,
    RetainForwardRule, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ConnectionError, Event as Polled, EventLoop, MqttOptions, StateError};
use rumqttc::{NetworkOptions, Outgoing, TlsConfiguration, Transport};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::access::Access;
use super::message::{Message, Qos, Retain};
use super::verdict::Verdict;
use crate::clock::{Moment, untimely};

/// Silence after which a ping goes out; a second without an answer ends the connection.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// TCP, TLS and CONNACK together.
const CONNECT_TIMEOUT_S: u64 = 5;
/// Requests beside hand-ins: subscriptions, the farewell, and room.
const OTHER_REQUESTS: usize = 8;
/// Events between the polling task and us; when it is full the poll waits.
const EVENTS: usize = 64;
/// What one side of the wire is like.
#[derive(Debug, Clone)]
pub struct Manner {
    /// Last will.
    pub will: Option<Message>,
    /// Our messages under way at once.
    pub window: u16,
    /// The broker's messages under way to us at once.
    pub receive_maximum: u16,
    /// Largest packet taken from the broker.
    pub max_incoming_bytes: u32,
}

/// What [`packet_bytes`] may not know: the packet id, and up to three more length bytes.
const UNKNOWN_BYTES: usize = 5;

/// What the broker allows.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Our messages under way at once.
    pub receive_maximum: Option<u16>,
    /// Largest packet.
    pub max_packet_bytes: Option<u32>,
}

/// What happened on the connection.
#[derive(Debug)]
pub enum Event {
    /// The broker accepted us. Comes before anything is sent.
    Connected(Terms),
    /// The oldest hand-in without a packet id has this one.
    Outgoing(u16),
    /// The broker answered this packet id.
    Acknowledged(u16, Verdict),
    /// The broker answered a subscription.
    Subscribed(u16, Subscribed),
    /// A message came. The library has acknowledged it: as requests, acknowledgements starve
    /// behind a flood of messages. What must not be lost needs more than that anyway.
    Arrived(Arrival),
    /// Something else moved.
    Alive,
    /// Our DISCONNECT is written.
    Farewell,
    /// The connection is over; nothing comes after.
    Lost(Loss),
}

/// The broker's answer to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscribed {
    /// Every filter is granted.
    Granted,
    /// At least one is not, for this reason (MQTT 5, 3.9.3).
    Refused(u8),
}

/// A message that the broker sent us.
#[derive(Debug, Clone)]
pub struct Arrival(Publish);

impl Arrival {
    /// Its topic; empty where it is no text.
    #[must_use]
    pub fn topic(&self) -> &str {
        std::str::from_utf8(&self.0.topic).unwrap_or_default()
    }

    /// Its payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.0.payload
    }

    /// True where the broker had kept it, or its sender asked for that.
    #[must_use]
    pub fn is_retained(&self) -> bool {
        self.0.retain
    }
}

/// Why a connection ended, in words for the log; nothing that a broker wrote is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// No TCP connection, or it broke.
    Unreachable(std::io::ErrorKind),
    /// The handshake or a certificate failed.
    Tls(String),
    /// The broker said no: user, password, client id, ban.
    TurnedAway(String),
    /// The broker broke the protocol or ended the connection by it.
    Protocol(String),
    /// Nothing came for too long.
    Silent,
    /// The receive maximum is 0.
    NoReceiveMaximum,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(kind) => write!(f, "not reachable: {kind}"),
            Self::Tls(why) => write!(f, "TLS: {why}"),
            Self::TurnedAway(why) => write!(f, "turned away: {why}"),
            Self::Protocol(why) => write!(f, "protocol: {why}"),
            Self::Silent => f.write_str("silent"),
            Self::NoReceiveMaximum => f.write_str("protocol: receive maximum 0"),
        }
    }
}

/// A connection; dropping it closes the socket without a farewell.
pub struct Link {
    client: AsyncClient,
    events: mpsc::Receiver<Event>,
    polling: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

/// Whether a subscription asks for what the broker kept from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retained {
    /// The last one of each topic.
    Wanted,
    /// None.
    Unwanted,
}

/// The event loop takes no more requests: the connection is over.
#[derive(Debug)]
pub struct Full;

impl Link {
    /// Starts to connect; [`Link::next`] tells what came of it.
    #[must_use]
    pub fn open(access: &Access, manner: Manner) -> Self {
        let requests = usize::from(manner.window) + OTHER_REQUESTS;
        let (client, event_loop) = AsyncClient::new(options(access, manner), requests);
        let (sender, events) = mpsc::channel(EVENTS);
        Self { client, events, polling: tokio::spawn(poll(event_loop, sender, access.now)) }
    }

    /// The next event; cancel safe.
    pub async fn next(&mut self) -> Event {
        self.events
            .recv()
            .await
            .unwrap_or_else(|| Event::Lost(Loss::Protocol("bytes that no client can read".to_owned())))
    }

    /// Hands a message to the event loop; the caller keeps the window.
    ///
    /// # Errors
    /// The event loop takes no more.
    pub fn hand_in(&self, message: Message) -> Result<(), Full> {
        let publish = publish(message);
        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
        let properties = publish.properties.unwrap_or_default();
        self.client
            .try_publish_with_properties(topic, publish.qos, publish.retain, publish.payload, properties)
            .map_err(|_| Full)
    }

    /// Asks for what is published on `filters`, `QoS` 1, nothing that was kept from before.
    /// Takes a packet id as a message does, and is told as [`Event::Subscribed`].
    ///
    /// # Errors
    /// The event loop takes no more.
    pub fn subscribe(&self, filters: &[String], retained: Retained) -> Result<(), Full> {
        let filters = filters.iter().map(|filter| Filter {
            preserve_retain: true,
            retain_forward_rule: match retained {
                Retained::Wanted => RetainForwardRule::OnEverySubscribe,
                Retained::Unwanted => RetainForwardRule::Never,
            },
            ..Filter::new(filter, QoS::AtLeastOnce)
        });
        self.client.try_subscribe_many(filters.collect::<Vec<_>>()).map_err(|_| Full)
    }

    /// Asks for an orderly DISCONNECT, which cancels the last will.
    ///
    /// # Errors
    /// The event loop takes no more.
    pub fn farewell(&self) -> Result<(), Full> {
        self.client.try_disconnect().map_err(|_| Full)
    }
}

/// Size of the PUBLISH packet that `message` makes, at most [`UNKNOWN_BYTES`] too large.
#[must_use]
pub fn packet_bytes(message: &Message) -> usize {
    let payload_bytes = message.payload.len();
    let bare = Message { payload: String::new(), ..message.clone() };
    publish(bare).size() + payload_bytes + UNKNOWN_BYTES
}

fn publish(message: Message) -> Publish {
    let properties = PublishProperties {
        // 1: the payload is UTF-8 (MQTT 5, 3.3.2.3.2).
        payload_format_indicator: Some(1),
        content_type: Some(message.content_type.to_owned()),
        correlation_data: message.correlation.map(Into::into),
        user_properties: message.user_properties,
        ..PublishProperties::default()
    };
    let qos = match message.qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    };
    let mut publish = Publish::new(message.topic, qos, message.payload, Some(properties));
    publish.retain = message.retain == Retain::Yes;
    publish
}

fn options(access: &Access, manner: Manner) -> MqttOptions {
    let mut options = MqttOptions::new(&access.client_id, &access.host, access.port);
    let mut properties = ConnectProperties::new();
    properties.max_packet_size = Some(manner.max_incoming_bytes);
    properties.receive_maximum = Some(manner.receive_maximum);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    options
        .set_clean_start(true)
        .set_keep_alive(KEEP_ALIVE)
        .set_connection_timeout(CONNECT_TIMEOUT_S)
        .set_outgoing_inflight_upper_limit(manner.window)
        .set_connect_properties(properties)
        .set_network_options(network);
    if let Some(will) = manner.will {
        options.set_last_will(LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, true, None));
    }
    if let Some((user, password)) = &access.login {
        options.set_credentials(user, password.expose());
    }
    if let Some(tls) = &access.tls {
        options.set_transport(Transport::Tls(TlsConfiguration::Rustls(tls.clone())));
    }
    options
}

/// Owns the event loop and does nothing but poll it.
async fn poll(mut event_loop: EventLoop, sender: mpsc::Sender<Event>, now: fn() -> Moment) {
    let error = loop {
        match event_loop.poll().await {
            Ok(polled) => {
                if let Polled::Incoming(Packet::ConnAck(_)) = &polled {
                    limit_keep_alive(&mut event_loop);
                }
                if sender.send(translate(&polled)).await.is_err() {
                    return;
                }
            }
            Err(error) => break error,
        }
    };
    // Acknowledgements that were read before the error are as good as any.
    for polled in std::mem::take(&mut event_loop.state.events) {
        if sender.send(translate(&polled)).await.is_err() {
            return;
        }
    }
    // The caller may be gone, and then nobody needs to know.
    let _ = sender.send(Event::Lost(loss(error, now()))).await;
}

/// A broker may ask for pings more often (MQTT 5, 3.2.2.3.14), but not for a flood of them,
/// and not for so few that silence goes unnoticed.
fn limit_keep_alive(event_loop: &mut EventLoop) {
    if !(Duration::from_secs(5)..=KEEP_ALIVE).contains(&event_loop.options.keep_alive()) {
        event_loop.options.set_keep_alive(KEEP_ALIVE);
    }
}

fn translate(polled: &Polled) -> Event {
    match polled {
        Polled::Incoming(Packet::ConnAck(ack)) => {
            let properties = ack.properties.as_ref();
            Event::Connected(Terms {
                receive_maximum: properties.and_then(|p| p.receive_max),
                max_packet_bytes: properties.and_then(|p| p.max_packet_size),
            })
        }
        Polled::Incoming(Packet::PubAck(ack)) => Event::Acknowledged(ack.pkid, verdict(ack.reason)),
        Polled::Incoming(Packet::SubAck(ack)) => {
            let refused = ack.return_codes.iter().copied().find_map(not_granted);
            Event::Subscribed(ack.pkid, refused.map_or(Subscribed::Granted, Subscribed::Refused))
        }
        Polled::Incoming(Packet::Publish(publish)) => Event::Arrived(Arrival(publish.clone())),
        Polled::Outgoing(Outgoing::Publish(pkid) | Outgoing::Subscribe(pkid)) if *pkid != 0 => Event::Outgoing(*pkid),
        Polled::Outgoing(Outgoing::Disconnect) => Event::Farewell,
        _ => Event::Alive,
    }
}

fn not_granted(code: SubscribeReasonCode) -> Option<u8> {
    match code {
        SubscribeReasonCode::Success(_) => None,
        SubscribeReasonCode::Failure | SubscribeReasonCode::Unspecified => Some(0x80),
        SubscribeReasonCode::ImplementationSpecific => Some(0x83),
        SubscribeReasonCode::NotAuthorized => Some(0x87),
        SubscribeReasonCode::TopicFilterInvalid => Some(0x8F),
        SubscribeReasonCode::PkidInUse => Some(0x91),
        SubscribeReasonCode::QuotaExceeded => Some(0x97),
        SubscribeReasonCode::SharedSubscriptionsNotSupported => Some(0x9E),
        SubscribeReasonCode::SubscriptionIdNotSupported => Some(0xA1),
        SubscribeReasonCode::WildcardSubscriptionsNotSupported => Some(0xA2),
    }
}

fn verdict(reason: PubAckReason) -> Verdict {
    match reason {
        PubAckReason::Success => Verdict::Taken,
        PubAckReason::NoMatchingSubscribers => Verdict::NoSubscriber,
        PubAckReason::UnspecifiedError => Verdict::Refused(0x80),
        PubAckReason::ImplementationSpecificError => Verdict::Refused(0x83),
        PubAckReason::NotAuthorized => Verdict::Refused(0x87),
        PubAckReason::TopicNameInvalid => Verdict::Refused(0x90),
        PubAckReason::PacketIdentifierInUse => Verdict::Refused(0x91),
        PubAckReason::QuotaExceeded => Verdict::Refused(0x97),
        PubAckReason::PayloadFormatInvalid => Verdict::Refused(0x99),
    }
}

fn loss(error: ConnectionError, now: Moment) -> Loss {
    if let Some(why) = untimely(&error, now) {
        return Loss::Tls(why);
    }
    match error {
        ConnectionError::Io(e) | ConnectionError::MqttState(StateError::Io(e)) => Loss::Unreachable(e.kind()),
        ConnectionError::Timeout(_) => Loss::Unreachable(std::io::ErrorKind::TimedOut),
        ConnectionError::Tls(e) => Loss::Tls(e.to_string()),
        ConnectionError::ConnectionRefused(code) => Loss::TurnedAway(refusal(code)),
        ConnectionError::NotConnAck(_) => Loss::Protocol("another packet where CONNACK belongs".to_owned()),
        ConnectionError::RequestsDone => Loss::Protocol("the client was closed".to_owned()),
        ConnectionError::MqttState(StateError::AwaitPingResp) => Loss::Silent,
        ConnectionError::MqttState(StateError::ConnectionAborted) => {
            Loss::Unreachable(std::io::ErrorKind::ConnectionAborted)
        }
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) => {
            Loss::Protocol(format!("the broker disconnected us: {reason_code:?}"))
        }
        ConnectionError::MqttState(StateError::Unsolicited(pkid)) => {
            Loss::Protocol(format!("an answer to packet id {pkid}, which nothing has"))
        }
        ConnectionError::MqttState(StateError::Deserialization(_)) => {
            Loss::Protocol("bytes that are no packet".to_owned())
        }
        ConnectionError::MqttState(StateError::IncomingPacketTooLarge { pkt_size, max }) => {
            Loss::Protocol(format!("a packet of {pkt_size} bytes, at most {max} are taken"))
        }
        ConnectionError::MqttState(StateError::CollisionTimeout) => {
            Loss::Protocol("a packet id that is never answered".to_owned())
        }
        ConnectionError::MqttState(_) => Loss::Protocol("a packet that does not belong here".to_owned()),
    }
}

fn refusal(code: ConnectReturnCode) -> String {
    match code {
        ConnectReturnCode::BadUserNamePassword => "user or password is wrong (0x86)".to_owned(),
        ConnectReturnCode::NotAuthorized => "user or password is wrong, or not authorised (0x87)".to_owned(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        Access {
            host: "127.0.0.1".to_owned(),
            port: 9,
            client_id: "clinic-cart-7".to_owned(),
            login: None,
            tls: None,
            now: crate::os::now,
        }
    }

    fn message(payload_bytes: usize) -> Message {
        Message {
            topic: "residentd/clinic/cart-7/report".to_owned(),
            qos: Qos::AtLeastOnce,
            retain: Retain::No,
            payload: "x".repeat(payload_bytes),
            content_type: "application/jose",
            correlation: Some("urn:uuid:1".to_owned()),
            user_properties: vec![("sequence".to_owned(), "1".to_owned())],
        }
    }

    #[test]
    fn a_packet_is_never_larger_than_it_was_said_to_be() {
        for payload_bytes in [0, 1, 100, 127, 128, 16_000, 16_384, 3_000_000] {
            let said = packet_bytes(&message(payload_bytes));
            let mut sent = publish(message(payload_bytes));
            sent.pkid = 1;
            assert!(
                (sent.size()..=sent.size() + UNKNOWN_BYTES).contains(&said),
                "{payload_bytes}: {said}, {}",
                sent.size()
            );
        }
    }

    #[test]
    fn a_message_that_nobody_answers_takes_no_packet_id() {
        let sent = publish(Message { qos: Qos::AtMostOnce, ..message(9) });
        assert_eq!((sent.qos, sent.retain), (QoS::AtMostOnce, false));
        assert!(matches!(translate(&Polled::Outgoing(Outgoing::Publish(sent.pkid))), Event::Alive));
    }

    fn manner() -> Manner {
        Manner { will: Some(message(0)), window: 16, receive_maximum: 8, max_incoming_bytes: 1000 }
    }

    #[tokio::test]
    async fn a_polling_task_that_died_is_a_lost_connection() {
        let mut link = Link::open(&access(), manner());
        link.polling.abort();
        let ended = tokio::time::timeout(KEEP_ALIVE, async {
            loop {
                if let Event::Lost(loss) = link.next().await {
                    break loss;
                }
            }
        });
        ended.await.expect("it says so");
    }

    #[test]
    fn what_the_broker_sees_of_us_is_what_the_pattern_says() {
        let options = options(&access(), manner());
        assert_eq!((options.clean_start(), options.keep_alive()), (true, KEEP_ALIVE));
        assert_eq!(options.get_outgoing_inflight_upper_limit(), Some(16));
        assert_eq!((options.receive_maximum(), options.max_packet_size()), (Some(8), Some(1000)));
        let will = options.last_will().unwrap();
        assert_eq!((will.retain, will.qos), (true, QoS::AtLeastOnce));
    }
}
