//! The LEDs in our hands: taken from what the kernel shows on them, written only when they
//! change, and given back at the end. One that cannot be written is let go.

use std::io;
use std::path::PathBuf;

use super::Board;
use super::lamp::{Lamp, State};
use super::root::Root;

/// One light.
#[derive(Debug)]
struct Light {
    lamp: Lamp,
    brightness: PathBuf,
    trigger: PathBuf,
    /// What the kernel showed on it before us.
    before: Option<String>,
    brightest: String,
    is_on: Option<bool>,
}

/// The lights that are ours.
#[derive(Debug, Default)]
pub struct Lights(Vec<Light>);

impl Board {
    /// The files that must be writable for its LEDs to be used, where they are there.
    #[must_use]
    pub fn light_files(&self, root: &Root) -> Vec<PathBuf> {
        let folders = self.facts.leds.iter().filter_map(|lamp| lamp.folder(root));
        folders
            .flat_map(|folder| ["brightness", "trigger"].map(|file| root.path(&format!("{folder}/{file}"))))
            .collect()
    }
}

impl Lights {
    /// Takes the board's LEDs; beside them, in words, those that are there and refused.
    #[must_use]
    pub fn take(board: &Board, root: &Root) -> (Self, Vec<String>) {
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        for lamp in &board.facts.leds {
            let Some(folder) = lamp.folder(root) else { continue };
            match Light::take(lamp, root, &folder) {
                Ok(light) => taken.push(light),
                Err(e) => refused.push(format!("LED {}: {e}", root.path(&folder).display())),
            }
        }
        (Self(taken), refused)
    }

    /// True where none is ours.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Shows `state` in step `step` of its pattern; those that can no longer be written are let go.
    pub fn show(&mut self, state: State, step: u32) {
        self.0.retain_mut(|light| light.set(light.lamp.pattern(state).is_on(step)).is_ok());
    }
}

impl Light {
    fn take(lamp: &Lamp, root: &Root, folder: &str) -> io::Result<Self> {
        let file = |name: &str| format!("{folder}/{name}");
        let before = root.text(&file("trigger")).and_then(|triggers| {
            let chosen = triggers.split_once('[')?.1.split_once(']')?.0;
            Some(chosen.to_owned())
        });
        let brightest = root.number::<u32>(&file("max_brightness")).unwrap_or(1).to_string();
        let (brightness, trigger) = (root.path(&file("brightness")), root.path(&file("trigger")));
        if before.is_some() {
            write(&trigger, "none")?;
        }
        let mut light = Self { lamp: lamp.clone(), brightness, trigger, before, brightest, is_on: None };
        light.set(false)?;
        Ok(light)
    }

    fn set(&mut self, on: bool) -> io::Result<()> {
        if self.is_on != Some(on) {
            write(&self.brightness, if on { &self.brightest } else { "0" })?;
            self.is_on = Some(on);
        }
        Ok(())
    }
}

/// Writes to a file that must be there: in `/sys` none can be made.
fn write(path: &PathBuf, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    std::fs::OpenOptions::new().write(true).truncate(true).open(path)?.write_all(text.as_bytes())
}

impl Drop for Light {
    fn drop(&mut self) {
        // Who cannot be given back is off: the kernel has it.
        let _ = self.set(false);
        if let Some(before) = &self.before {
            let _ = write(&self.trigger, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::recorded::Recorded;

    fn pi() -> Recorded {
        let tree = Recorded::new();
        tree.device_tree(&["raspberrypi,4-model-b", "brcm,bcm2711"]);
        for (led, trigger) in [("led0", "none [mmc0] timer"), ("PWR", "[default-on] none")] {
            let folder = format!("sys/class/leds/{led}");
            tree.file(&format!("{folder}/brightness"), "0").file(&format!("{folder}/max_brightness"), "255\n");
            tree.file(&format!("{folder}/trigger"), trigger);
        }
        tree
    }

    fn read(tree: &Recorded, file: &str) -> String {
        std::fs::read_to_string(tree.folder().join("sys/class/leds").join(file)).unwrap()
    }

    #[test]
    fn each_state_looks_different_and_none_stands_still_but_darkness() {
        let board = Board::detect(&pi().root());
        let looks = |state| {
            let lamps = board.facts.leds.iter();
            lamps.map(|lamp| (0..8).map(|step| lamp.pattern(state).is_on(step)).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        let states = [State::Fault, State::Retake, State::Offline, State::Reading, State::Ready];
        for (at, state) in states.into_iter().enumerate() {
            let lights = looks(state);
            assert!(
                lights.iter().any(|light| light.contains(&true) && light.contains(&false)),
                "{state:?} stands still"
            );
            assert!(states[..at].iter().all(|other| looks(*other) != lights), "{state:?} looks like another");
        }
    }

    #[test]
    fn lights_are_taken_shown_and_given_back() {
        let tree = pi();
        let board = Board::detect(&tree.root());
        let (mut lights, refused) = Lights::take(&board, &tree.root());
        assert!(refused.is_empty() && !lights.is_empty(), "{refused:?}");
        assert_eq!((read(&tree, "led0/trigger"), read(&tree, "PWR/trigger")), ("none".to_owned(), "none".to_owned()));
        lights.show(State::Ready, 0);
        assert_eq!((read(&tree, "led0/brightness"), read(&tree, "PWR/brightness")), ("255".to_owned(), "0".to_owned()));
        lights.show(State::Fault, 0);
        assert_eq!((read(&tree, "led0/brightness"), read(&tree, "PWR/brightness")), ("0".to_owned(), "255".to_owned()));
        drop(lights);
        assert_eq!(
            (read(&tree, "led0/trigger"), read(&tree, "PWR/trigger")),
            ("mmc0".to_owned(), "default-on".to_owned())
        );
    }

    #[test]
    fn a_light_that_is_gone_or_refused_is_let_go_and_the_others_go_on() {
        let tree = pi();
        let board = Board::detect(&tree.root());
        assert_eq!(board.light_files(&tree.root()).len(), 4);
        let (mut lights, _) = Lights::take(&board, &tree.root());
        std::fs::remove_dir_all(tree.folder().join("sys/class/leds/led0")).unwrap();
        lights.show(State::Offline, 0);
        assert_eq!(read(&tree, "PWR/brightness"), "255");
        assert!(!lights.is_empty());
        // What is not there cannot be made.
        std::fs::remove_file(tree.folder().join("sys/class/leds/PWR/brightness")).unwrap();
        let (lights, refused) = Lights::take(&board, &tree.root());
        assert!(lights.is_empty() && refused[0].contains("PWR"), "{refused:?}");
    }
}
