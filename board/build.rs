//! Compiles every `board/*.toml` in, so that a board is added by copying one file.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where the sources are");
    let out = std::env::var("OUT_DIR").expect("cargo says where to write");
    let mut files: Vec<_> = fs::read_dir(Path::new(&root).join("board"))
        .expect("there is a folder of boards")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let mut list = String::from("&[\n");
    for path in &files {
        let (name, text) = (path.file_name().expect("a file"), fs::read_to_string(path).expect("a readable file"));
        writeln!(list, "({:?}, {text:?}),", name.to_string_lossy()).expect("a string takes everything");
    }
    list.push(']');
    fs::write(Path::new(&out).join("boards.rs"), list).expect("a writable folder");
    println!("cargo::rerun-if-changed=board");
}
