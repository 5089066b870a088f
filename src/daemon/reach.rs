//! What the gateway needs of files and network, as its configuration says; it gives up
//! the rest (`os::confine`).

use std::path::PathBuf;

use serde_json::Value;

use super::DaemonError;
use crate::board::{Board, Root};
use crate::config::Configuration;
use crate::os::confine::Reach;
use crate::os::private;

/// The reach of a gateway with this configuration; makes its state folder, since only what
/// exists can be reached.
///
/// # Errors
/// The state folder cannot be made.
pub fn reach(config: &Configuration) -> Result<Reach, DaemonError> {
    let file = &config.file;
    let state_dir = &file.device.state_dir;
    std::fs::create_dir_all(state_dir).map_err(|source| DaemonError::State { path: state_dir.clone(), source })?;
    let mut readable = vec![config.path.clone()];
    paths(&serde_json::to_value(file).unwrap_or_default(), &mut readable);
    readable.extend(private::credentials());
    let root = Root::machine();
    let board = Board::detect(&root);
    readable.extend(board.readable(&root));
    let broker = file.broker.as_ref().map(|broker| broker.listen.port());
    Ok(Reach {
        writable: [state_dir.clone()].into_iter().chain(board.light_files(&root)).collect(),
        readable,
        listens: [file.dicom.listen.port()].into_iter().chain(broker).collect(),
        connects: vec![file.mqtt.port],
    })
}

/// Every absolute path that stands in a configuration, whatever its key: one that is added
/// later is not forgotten here.
fn paths(value: &Value, found: &mut Vec<PathBuf>) {
    match value {
        Value::String(text) if text.starts_with('/') => found.push(text.into()),
        Value::Array(values) => values.iter().for_each(|value| paths(value, found)),
        Value::Object(members) => members.values().for_each(|value| paths(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_and_port_of_the_configuration_is_within_reach() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let text = format!(
            "[device]\nsite = \"a\"\nname = \"b\"\nstate_dir = {state:?}\nkey_file = \"/k/device.key\"\n\
             [dicom]\nlisten = \"127.0.0.1:104\"\ntls = {{ certificate = \"/t/c\", key = \"/t/k\" }}\n\
             [reader]\nmodels_dir = \"/m\"\n[mqtt]\nhost = \"h\"\nport = 8883\ntls = {{ ca = \"/t/ca\" }}\n"
        );
        let reach = reach(&Configuration::parse(&text, &folder.path().join("residentd.toml")).unwrap()).unwrap();
        for path in ["/k/device.key", "/t/c", "/t/k", "/t/ca", "/m"] {
            assert!(reach.readable.contains(&path.into()), "{path}");
        }
        assert_eq!((reach.writable, reach.listens, reach.connects), (vec![state.clone()], vec![104], vec![8883]));
        assert!(state.is_dir());
    }
}
