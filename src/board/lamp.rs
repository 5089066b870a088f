//! The LEDs of the board: what the box is doing, drawn by the daemon itself.
//!
//! A pattern is two seconds in eight steps. Each but `off` changes within them, so that a
//! light that stands still says that nobody is there to change it.

use serde::Deserialize;

use super::root::Root;

/// What the box is doing, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It does not read: too hot, no room, a failing disk, a reader that does not start.
    Fault,
    /// The last image must be taken again.
    Retake,
    /// No broker is reached.
    Offline,
    /// An image is being read.
    Reading,
    /// It waits for images.
    Ready,
}

/// How a light looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Dark.
    Off,
    /// On but for a short gap.
    Lit,
    /// One second on, one off.
    Blink,
    /// Twice a second.
    Flicker,
    /// A short flash.
    Flash,
    /// Two short flashes.
    Twice,
}

/// `[[leds]]`: one light and what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lamp {
    /// The kernel's names of it, by its version; the first that is there is used.
    pub names: Vec<String>,
    /// What it shows in each state.
    pub ready: Pattern,
    /// As above.
    pub reading: Pattern,
    /// As above.
    pub retake: Pattern,
    /// As above.
    pub offline: Pattern,
    /// As above.
    pub fault: Pattern,
}

impl Pattern {
    /// Whether the light is on in step `step` of the eight.
    #[must_use]
    pub const fn is_on(self, step: u32) -> bool {
        let steps: u8 = match self {
            Self::Off => 0,
            Self::Lit => 0b0111_1111,
            Self::Blink => 0b0000_1111,
            Self::Flicker => 0b0101_0101,
            Self::Flash => 0b0000_0001,
            Self::Twice => 0b0000_0101,
        };
        steps >> (step % 8) & 1 == 1
    }
}

impl Lamp {
    /// The folder of the light, from `root`, where the board has it.
    pub(super) fn folder(&self, root: &Root) -> Option<String> {
        let mut folders = self.names.iter().map(|name| format!("sys/class/leds/{name}"));
        folders.find(|folder| root.path(folder).is_dir())
    }

    /// What it shows in a state.
    #[must_use]
    pub const fn pattern(&self, state: State) -> Pattern {
        match state {
            State::Fault => self.fault,
            State::Retake => self.retake,
            State::Offline => self.offline,
            State::Reading => self.reading,
            State::Ready => self.ready,
        }
    }
}
