//! The broker, step by step: name, TCP, TLS, user and password, access control. It is tried by
//! really publishing and receiving, under a client id of its own (the daemon's session is left
//! alone) and on a topic of its own below the device's (no receiver listens there).
//!
//! On `report` only an outcome goes that says `test`, as it was sealed: receivers know it by
//! sequence and hash, and sending it again harms nobody. `alert` and `status` are left alone.

use std::time::Duration;

use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::certificate;
use super::finding::{Found, State};
use crate::clock::{Moment, untimely};
use crate::config::{Configuration, Mqtt};
use crate::mqtt::{
    Access, AccessError, Arrival, Event, JSON, Link, Loss, Manner, Message, Qos, Retain, Retained, Subscribed, Verdict,
};
use crate::publish::{self, Topics};
use crate::store::Outgoing;

/// Name, TCP or TLS, each.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The whole exchange once connected.
const EXCHANGE_LIMIT: Duration = Duration::from_secs(10);
/// A broker that takes no client without a certificate says so within a round trip or two
/// after the handshake (TLS 1.3).
const SECOND_THOUGHTS: Duration = Duration::from_millis(500);
/// Largest packet taken: a status message, with room.
const MAX_INCOMING_BYTES: u32 = 256 * 1024;

/// What is known of the box when its broker is tried.
pub struct Trial<'a> {
    /// The box's configuration.
    pub config: &'a Configuration,
    /// Its key id, where there is a key.
    pub key_id: Option<&'a str>,
    /// An outcome that says `test`, to be sent again.
    pub test: Option<&'a Outgoing>,
    /// Whether the daemon runs.
    pub running: bool,
    /// The clock by which certificates are judged.
    pub now: fn() -> Moment,
}

/// What is wrong with files that a connection needs, without connecting.
#[must_use]
pub fn files(config: &Configuration) -> Found {
    let file = &config.file;
    match publish::check_access(&file.mqtt, &file.device, file.receiver.as_ref()) {
        Ok(()) => Found { what: Vec::new(), ..Found::ok("") },
        Err(e) => Found::failed(e.to_string(), "correct the files that [mqtt], [mqtt.tls] and [receiver] name"),
    }
}

/// Whether the broker's address answers at all.
pub async fn reach(config: &Configuration, running: bool) -> Found {
    match embedded(config, running) {
        Some(found) => found,
        None => match connect(&config.file.mqtt).await {
            Ok(_) => Found::ok(format!("{} accepts connections", place(&config.file.mqtt))),
            Err(found) => found,
        },
    }
}

/// Tries everything.
pub async fn look(trial: &Trial<'_>) -> Found {
    if let Some(found) = embedded(trial.config, trial.running) {
        return found;
    }
    let mqtt = &trial.config.file.mqtt;
    let device = &trial.config.file.device;
    let client_id = format!("{}-{}-doctor", device.site, device.name);
    let access = match Access::read(mqtt, client_id, trial.now) {
        Ok(access) => access,
        Err(e @ (AccessError::PasswordFile(_) | AccessError::NoPassword { .. })) => {
            return Found::failed(
                e.to_string(),
                "put the password into the first line of the file, `chmod 600`, owned by the daemon's user",
            );
        }
        Err(e) => return Found::failed(e.to_string(), "correct the files of [mqtt.tls]"),
    };
    let stream = match connect(mqtt).await {
        Ok(stream) => stream,
        Err(found) => return found,
    };
    let found = Found::ok(format!("{} answers", place(mqtt)));
    let found = match &access.tls {
        None => found.and(in_clear(&mqtt.host)),
        Some(tls) => {
            let found = found.and(shake_hands(mqtt, tls.clone(), stream, (trial.now)()).await);
            if found.state == State::Failed {
                return found;
            }
            found
        }
    };
    found.and(exchange(trial, &access).await)
}

fn place(mqtt: &Mqtt) -> String {
    format!("{}:{}", mqtt.host, mqtt.port)
}

/// The embedded broker lives with the daemon: without it there is only its port to look at.
fn embedded(config: &Configuration, running: bool) -> Option<Found> {
    let listen = config.file.broker.as_ref()?.listen;
    if running {
        return None;
    }
    Some(match std::net::TcpListener::bind(listen) {
        Ok(_) => Found::ok(format!("embedded, will listen on {listen}; it is tried when the daemon runs")),
        Err(e) => Found::failed(
            format!("embedded broker: {listen}: {e}"),
            "stop the other broker, or choose another port in [broker] listen and [mqtt] port",
        ),
    })
}

async fn connect(mqtt: &Mqtt) -> Result<TcpStream, Found> {
    let place = place(mqtt);
    let waits = "outcomes wait on this box until it answers";
    let resolved = timeout(CONNECT_LIMIT, tokio::net::lookup_host((mqtt.host.as_str(), mqtt.port))).await;
    let addresses: Vec<_> = match resolved {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(e)) => {
            return Err(Found::failed(
                format!("{}: {e}", mqtt.host),
                format!("correct [mqtt] host, or this box's DNS (`resolvectl status`); {waits}"),
            ));
        }
        Err(_) => {
            return Err(Found::failed(
                format!("{}: no answer from DNS", mqtt.host),
                format!("see `resolvectl status`; {waits}"),
            ));
        }
    };
    let mut last = "it has no address".to_owned();
    for address in addresses {
        match timeout(CONNECT_LIMIT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(e)) => last = format!("{address}: {e}"),
            Err(_) => last = format!("{address}: no answer within {} s", CONNECT_LIMIT.as_secs()),
        }
    }
    Err(Found::failed(
        format!("{place} cannot be reached: {last}"),
        format!(
            "start the broker, open the way to TCP port {} (cable, VLAN, firewall), or correct [mqtt] host and port; {waits}",
            mqtt.port
        ),
    ))
}

fn in_clear(host: &str) -> Found {
    if host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
        return Found::ok("no TLS, and the broker is on this machine");
    }
    Found::warning(
        "NO TLS: reports with Patient IDs travel in clear, and so does the password",
        "set [mqtt.tls] ca to the authority of the broker's certificate, and the port (mostly 8883)",
    )
}

async fn shake_hands(mqtt: &Mqtt, tls: std::sync::Arc<rustls::ClientConfig>, stream: TcpStream, now: Moment) -> Found {
    let Ok(name) = ServerName::try_from(mqtt.host.clone()) else {
        return Found::failed(
            format!("{} cannot stand in a certificate", mqtt.host),
            "set [mqtt] host to the name in the broker's certificate",
        );
    };
    let failed = |e: &std::io::Error| {
        let why = untimely(e, now).unwrap_or_else(|| e.to_string());
        Found::failed(format!("TLS: {why}"), tls_advice(&why))
    };
    let mut stream = match timeout(CONNECT_LIMIT, tokio_rustls::TlsConnector::from(tls).connect(name, stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(e)) => return failed(&e),
        Err(_) => {
            return Found::failed(
                "TLS: no answer to the handshake",
                "the port may not speak TLS: 8883 mostly does, 1883 does not",
            );
        }
    };
    if let Ok(Err(e)) = timeout(SECOND_THOUGHTS, stream.read(&mut [0; 1])).await {
        return failed(&e);
    }
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let dates = chain.iter().filter_map(|certificate| certificate::judge("the broker", certificate, now));
    let first = dates.max_by_key(|found| found.state);
    let held = Found::ok("TLS: chain and name hold");
    match first {
        Some(dates) => held.and(dates),
        None => held,
    }
}

fn tls_advice(why: &str) -> String {
    let contains = |words: &[&str]| words.iter().any(|word| why.contains(word));
    if contains(&["clock"]) {
        "set this box's clock if it is wrong (see the check `clock`); else the broker needs a new certificate"
            .to_owned()
    } else if contains(&["NotValidForName", "not valid for name"]) {
        "set [mqtt] host to a name that stands in the broker's certificate, or have that name put into it".to_owned()
    } else if contains(&["UnknownIssuer", "BadSignature"]) {
        "set [mqtt.tls] ca to the authority that signed the broker's certificate: ask whoever runs the broker for it"
            .to_owned()
    } else if contains(&[
        "CertificateRequired",
        "HandshakeFailure",
        "UnknownCA",
        "BadCertificate",
        "CertificateUnknown",
    ]) {
        "the broker wants another certificate from us: set [mqtt.tls] certificate and key to one that its authority signed".to_owned()
    } else {
        "see that the port speaks TLS 1.2 or 1.3 (`openssl s_client -connect HOST:PORT`), and that [mqtt.tls] ca is the broker's authority".to_owned()
    }
}

/// A conversation by MQTT.
struct Exchange {
    link: Link,
    deadline: Instant,
    arrived: Vec<Arrival>,
}

impl Exchange {
    /// The next event; what arrives is kept as well.
    async fn next(&mut self) -> Result<Event, Loss> {
        let event = timeout_at(self.deadline, self.link.next()).await.map_err(|_| Loss::Silent)?;
        match event {
            Event::Lost(loss) => Err(loss),
            Event::Arrived(arrival) => {
                self.arrived.push(arrival);
                Ok(Event::Alive)
            }
            event => Ok(event),
        }
    }

    async fn connected(&mut self) -> Result<(), Loss> {
        while !matches!(self.next().await?, Event::Connected(_)) {}
        Ok(())
    }

    async fn subscribe(&mut self, filter: &str) -> Result<Subscribed, Loss> {
        self.link.subscribe(&[filter.to_owned()], Retained::Wanted).map_err(|_| Loss::Silent)?;
        loop {
            if let Event::Subscribed(_, answer) = self.next().await? {
                return Ok(answer);
            }
        }
    }

    async fn publish(&mut self, message: Message) -> Result<Verdict, Loss> {
        self.link.hand_in(message).map_err(|_| Loss::Silent)?;
        loop {
            if let Event::Acknowledged(_, verdict) = self.next().await? {
                return Ok(verdict);
            }
        }
    }

    /// True once `payload` came on `topic`, false when it did not in time.
    async fn came(&mut self, topic: &str, payload: &str) -> bool {
        loop {
            if self.arrived.iter().any(|a| a.topic() == topic && a.payload() == payload.as_bytes()) {
                return true;
            }
            if self.next().await.is_err() {
                return false;
            }
        }
    }
}

async fn exchange(trial: &Trial<'_>, access: &Access) -> Found {
    let manner = Manner { will: None, window: 1, receive_maximum: 16, max_incoming_bytes: MAX_INCOMING_BYTES };
    let mut exchange =
        Exchange { link: Link::open(access, manner), deadline: Instant::now() + EXCHANGE_LIMIT, arrived: Vec::new() };
    let user = trial.config.file.mqtt.user.as_deref();
    if let Err(loss) = exchange.connected().await {
        return not_let_in(&loss, user);
    }
    let let_in = Found::ok(user.map_or("connected without a user".to_owned(), |user| format!("connected as {user}")));
    let topics = Topics::of(&trial.config.file.mqtt, &trial.config.file.device);
    let tried = match converse(trial, &mut exchange, &topics).await {
        Ok(found) => found,
        Err(loss) => Found::failed(
            format!("the broker ended the conversation: {loss}"),
            format!(
                "its log says why; some brokers end a connection that access control refuses: {}",
                rule(&topics, user)
            ),
        ),
    };
    // Without a farewell the broker would log a broken connection.
    if exchange.link.farewell().is_ok() {
        exchange.deadline = exchange.deadline.min(Instant::now() + Duration::from_secs(1));
        while !matches!(exchange.next().await, Ok(Event::Farewell) | Err(_)) {}
    }
    let_in.and(tried)
}

async fn converse(trial: &Trial<'_>, exchange: &mut Exchange, topics: &Topics) -> Result<Found, Loss> {
    let user = trial.config.file.mqtt.user.as_deref();
    let mut found = Vec::new();
    let own = format!("{}/doctor", topics.report.trim_end_matches("/report"));
    let own_granted = exchange.subscribe(&own).await?;
    if trial.config.file.receiver.is_some() {
        for filter in [&topics.receipt, &topics.command] {
            found.push(listening(filter, exchange.subscribe(filter).await?, topics, user));
        }
    }
    let status_granted = exchange.subscribe(&topics.status).await?;
    let nonce = format!("{{\"doctor\":{}}}", crate::mqtt::random());
    let message = Message {
        topic: own.clone(),
        qos: Qos::AtLeastOnce,
        retain: Retain::No,
        payload: nonce.clone(),
        content_type: JSON,
        correlation: None,
        user_properties: Vec::new(),
    };
    let own_verdict = exchange.publish(message).await?;
    let report = match trial.test {
        Some(test) => {
            let device = trial.config.file.device.name.to_string();
            Some(exchange.publish(publish::outcome_message(topics, &device, test.clone())).await?)
        }
        None => None,
    };
    let came = own_verdict == Verdict::Taken && own_granted == Subscribed::Granted && exchange.came(&own, &nonce).await;
    found.push(round_trip(&own, own_granted, own_verdict, came, report, topics, user));
    found.extend(report.map(|verdict| reporting(&topics.report, verdict, topics, user)));
    if trial.running && status_granted == Subscribed::Granted {
        found.push(standing(exchange, topics, trial.key_id));
    }
    Ok(Found::all(found).unwrap_or_else(|| Found::ok("nothing was to be tried")))
}

/// What access control must say, in the words of the broker that most sites have.
fn rule(topics: &Topics, user: Option<&str>) -> String {
    let below = topics.report.trim_end_matches("report");
    format!(
        "let this device's user read and write below its topic (mosquitto: `user {}`, `topic readwrite {below}#`)",
        user.unwrap_or("NAME")
    )
}

fn not_let_in(loss: &Loss, user: Option<&str>) -> Found {
    let todo = match loss {
        Loss::TurnedAway(_) if user.is_some() => {
            "set [mqtt] user and the first line of password_file to what the broker has; it may also want a certificate, or know this client id by another name"
        }
        Loss::TurnedAway(_) => {
            "the broker wants a user: set [mqtt] user and password_file, or [mqtt.tls] certificate and key"
        }
        Loss::Protocol(_) => "the broker must speak MQTT 5 (mosquitto 1.6 and newer, EMQX, HiveMQ)",
        Loss::Unreachable(_) | Loss::Silent | Loss::Tls(_) | Loss::NoReceiveMaximum => {
            "something answers on that port, but not as an MQTT broker: see the port, and whether it wants TLS ([mqtt.tls])"
        }
    };
    Found::failed(format!("MQTT: {loss}"), todo)
}

fn listening(filter: &str, answer: Subscribed, topics: &Topics, user: Option<&str>) -> Found {
    match answer {
        Subscribed::Granted => Found::ok(format!("may listen on {filter}")),
        Subscribed::Refused(code) => Found::failed(
            format!("access control refuses to let us listen on {filter}: {}", Verdict::Refused(code)),
            format!("{}: no receipt reaches this box otherwise", rule(topics, user)),
        ),
    }
}

fn reporting(topic: &str, verdict: Verdict, topics: &Topics, user: Option<&str>) -> Found {
    match verdict {
        Verdict::Taken => Found::ok(format!("a test outcome on {topic} was taken")),
        Verdict::NoSubscriber => Found::warning(
            format!("nobody subscribes to {topic}: {verdict}"),
            "start the hospital's receiver (`residentd collect`) on this broker, with the same prefix; nothing is lost meanwhile",
        ),
        Verdict::Refused(_) => {
            Found::failed(format!("access control refuses our outcomes on {topic}: {verdict}"), rule(topics, user))
        }
    }
}

/// The way there and back on the doctor's own topic.
fn round_trip(
    own: &str,
    granted: Subscribed,
    verdict: Verdict,
    came: bool,
    report: Option<Verdict>,
    topics: &Topics,
    user: Option<&str>,
) -> Found {
    if came {
        return Found::ok(format!("published and received on {own}"));
    }
    let what = match (verdict, granted) {
        (Verdict::Refused(_), _) => format!("access control refuses what we publish on {own}: {verdict}"),
        (_, Subscribed::Refused(code)) => {
            format!("access control refuses to let us listen on {own}: {}", Verdict::Refused(code))
        }
        _ => format!(
            "what we published on {own} was taken ({verdict}) but did not come back: access control may let us write and not read"
        ),
    };
    match report {
        // What the daemon itself needs is known to be allowed.
        Some(Verdict::Taken | Verdict::NoSubscriber) => Found::warning(
            what,
            format!("outcomes go out all the same; for the doctor's own topic {}", rule(topics, user)),
        ),
        _ => Found::failed(what, rule(topics, user)),
    }
}

/// What the broker keeps as this device's status: it must be ours.
fn standing(exchange: &Exchange, topics: &Topics, key_id: Option<&str>) -> Found {
    let kept = exchange.arrived.iter().rev().find(|arrival| arrival.topic() == topics.status);
    let Some(kept) = kept.and_then(|arrival| serde_json::from_slice::<Value>(arrival.payload()).ok()) else {
        return Found::warning(
            format!("the broker keeps no status on {}", topics.status),
            "the daemon is not connected, or may not write there: its log says which (`journalctl -u residentd`)",
        );
    };
    if let (Some(ours), Some(told)) = (key_id, kept["key_id"].as_str())
        && ours != told
    {
        return Found::failed(
            format!("another device publishes as ours: its key id is {told}"),
            "two boxes have one name: change [device] site or name on one of them, since each ends the other's connection",
        );
    }
    match kept["state"].as_str() {
        Some("online") => Found::ok("the daemon's status there is online"),
        _ => Found::warning(
            "the daemon runs, but its status at the broker is offline",
            "it is not connected: its log says why (`journalctl -u residentd`); another client with its client id may have taken its place",
        ),
    }
}
