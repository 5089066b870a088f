//! Copies of shipped bundles, to damage.

use std::path::{Path, PathBuf};

/// The shipped bundle of this name.
pub fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name)
}

/// A copy of it: the manifest, and each file that this names.
pub fn copy(name: &str) -> tempfile::TempDir {
    let (source, folder) = (shipped(name), tempfile::tempdir().unwrap());
    std::fs::create_dir(folder.path().join("golden")).unwrap();
    let manifest: toml::Table = std::fs::read_to_string(source.join("manifest.toml")).unwrap().parse().unwrap();
    let digests = manifest["digests"].as_table().unwrap().keys().map(String::as_str);
    for file in digests.chain(["manifest.toml"]) {
        std::fs::copy(source.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// Changes the manifest of the copy.
pub fn edit(folder: &Path, from: &str, to: &str) {
    let path = folder.join("manifest.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "nothing to edit: {from}");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

/// Changes one bit in the middle of a file of the copy.
pub fn flip(folder: &Path, name: &str) {
    let path = folder.join(name);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
}
