//! A message before any MQTT library sees it.

/// Media type of a JWS in compact form (RFC 7515, 9.2.1).
pub const JOSE: &str = "application/jose";
/// Media type of JSON.
pub const JSON: &str = "application/json";

/// Retained messages stand at the broker for whoever subscribes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retain {
    /// It stands there.
    Yes,
    /// It is for those who are there.
    No,
}

/// How surely a message arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qos {
    /// `QoS` 0: nobody answers, and it takes no packet id.
    AtMostOnce,
    /// `QoS` 1: the broker answers.
    AtLeastOnce,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Where it goes.
    pub topic: String,
    /// How surely it arrives.
    pub qos: Qos,
    /// Whether the broker keeps it.
    pub retain: Retain,
    /// What it says.
    pub payload: String,
    /// Media type of the payload.
    pub content_type: &'static str,
    /// What it is about.
    pub correlation: Option<String>,
    /// More about it, by name.
    pub user_properties: Vec<(String, String)>,
}
