//! Which keys are whose: each device is known by the key that a person gave, and followed from
//! key to key by the hand-overs in its chain. Pure.
//!
//! A key signs for its device from the link after the one by which it was handed to, up to the
//! link by which it hands over, that one included; outside of that nothing of it is kept, though
//! its signature holds: whoever steals a key after it was handed over has nothing.

use std::collections::BTreeMap;

use super::shelf::Contradiction;
use crate::seal::link::{Link, MAX_KEYS_FOLLOWED};
use crate::seal::public::PublicKey;

/// Whose a key is, and for which links.
#[derive(Debug, Clone)]
struct Term {
    /// Id of the key by which the device is known.
    device: String,
    /// First sequence.
    from: u64,
    /// Last sequence, once it has handed over.
    until: u64,
}

/// The keys of all devices.
#[derive(Debug, Clone)]
pub(super) struct Lineage {
    keys: Vec<PublicKey>,
    terms: BTreeMap<String, Term>,
    most: usize,
}

impl Lineage {
    /// Of the devices that are known by `keys`.
    pub fn of(keys: Vec<PublicKey>) -> Self {
        let term = |key: &PublicKey| Term { device: key.id().to_owned(), from: 1, until: u64::MAX };
        let terms = keys.iter().map(|key| (key.id().to_owned(), term(key))).collect();
        let most = keys.len().saturating_mul(MAX_KEYS_FOLLOWED);
        Self { keys, terms, most }
    }

    /// Every key that may have signed something.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The device whose key `kid` is.
    pub fn device(&self, kid: &str) -> Option<&str> {
        self.terms.get(kid).map(|term| term.device.as_str())
    }

    /// Each key id with the device that it is of.
    pub fn devices(&self) -> BTreeMap<String, String> {
        self.terms.iter().map(|(kid, term)| (kid.clone(), term.device.clone())).collect()
    }

    /// Whether `link`, whose signature held, was its key's to sign.
    pub fn judge(&self, link: &Link) -> Result<(), Contradiction> {
        let Some(term) = self.terms.get(link.kid()) else { return Ok(()) };
        if link.seq() > term.until {
            return Err(Contradiction::AfterHandOver { until: term.until });
        }
        if link.seq() < term.from {
            return Err(Contradiction::BeforeHandOver { from: term.from });
        }
        match link.hands_over_to().and_then(|new| self.terms.get(new.id())) {
            // The same hand-over again.
            Some(new) if new.device == term.device && new.from == link.seq() + 1 => Ok(()),
            // Two devices, or the keys of one device in a circle.
            Some(new) if new.device == term.device || new.device != *link.hands_over_to().map_or("", PublicKey::id) => {
                Err(Contradiction::KnownKey)
            }
            _ => Ok(()),
        }
    }

    /// Follows `link`, which was judged and is kept, if it hands over; true where that is news.
    pub fn follow(&mut self, link: &Link) -> bool {
        let Some(new) = link.hands_over_to() else { return false };
        let Some(term) = self.terms.get_mut(link.kid()) else { return false };
        if term.until == link.seq() {
            return false;
        }
        term.until = link.seq();
        let term = Term { device: term.device.clone(), from: link.seq() + 1, until: u64::MAX };
        match self.terms.get_mut(new.id()) {
            // A person gave it as a key of its own: what it handed over to is the device's too.
            Some(given) => {
                let (known_as, until) = (given.device.clone(), given.until);
                *given = Term { until, ..term.clone() };
                for of_the_same in self.terms.values_mut().filter(|of| of.device == known_as) {
                    of_the_same.device.clone_from(&term.device);
                }
            }
            None if self.keys.len() < self.most => {
                self.keys.push(new.clone());
                self.terms.insert(new.id().to_owned(), term);
            }
            None => return false,
        }
        true
    }

    /// Follows the hand-overs that were kept before, in whatever order; true where one was news.
    pub fn learn(&mut self, kept: &[String]) -> bool {
        let mut news = false;
        loop {
            let mut followed = false;
            for jws in kept {
                if let Ok(link) = Link::open(jws, &self.keys)
                    && self.judge(&link).is_ok()
                {
                    followed |= self.follow(&link);
                }
            }
            news |= followed;
            if !followed {
                return news;
            }
        }
    }
}
