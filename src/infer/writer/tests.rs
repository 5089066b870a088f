//! A writer's words and manifest, held to their promises on a toy vocabulary.

use std::path::Path;

use super::manifest::{Kind, WriterManifest, kind};
use super::vocabulary::Vocabulary;

const WORDS: [&str; 16] = [
    "<nothing>",
    "<start>",
    "<end>",
    "<unknown>",
    "<impression>",
    "<effusion:present>",
    "<effusion:uncertain>",
    "<effusion:absent>",
    "<side:left>",
    "▁no",
    "▁pleural",
    "▁effusion",
    "▁left",
    ".",
    "▁effusions",
    "Ã",
];

/// A manifest of a writer that knows one label; `more` stands behind its limits.
fn manifest(more: &str) -> String {
    let digest = "0".repeat(64);
    format!(
        r#"format = 1
kind = "writer"
[bundle]
name = "w"
version = "0.1.0"
title = "t"
intended_use = "i"
forbidden_use = "f"
licence = "l"
research_only = true
sources = []
[sheet]
format = 1
labels = ["effusion"]
[tokenizer]
file = "tokenizer.json"
start = "<start>"
end = "<end>"
impression = "<impression>"
nothing = "<nothing>"
unknown = "<unknown>"
[[input]]
what = "facts"
tensor = "facts"
most = 8
[encoder]
file = "encoder.onnx"
[decoder]
file = "decoder.onnx"
token = "token"
logits = "logits"
layers = 2
heads = 2
head_width = 4
past = ["past_key.{{}}", "past_value.{{}}"]
present = ["present_key.{{}}", "present_value.{{}}"]
[decoder.memory]
"cross.{{}}" = "cross.{{}}"
"states" = "states"
[limits]
tokens = 20
beam_width = 1
no_repeat = 0
{more}
[golden]
sheets = "golden.json"
[digests]
"tokenizer.json" = "{digest}"
"encoder.onnx" = "{digest}"
"decoder.onnx" = "{digest}"
"golden.json" = "{digest}"
"CARD.md" = "{digest}"
"#
    )
}

const MASKS: &str = r#"
[[mask]]
words = ["▁effusion", "▁effusions"]
any = ["effusion"]
[[mask]]
words = ["▁left"]
all = ["effusion", "side:left"]
"#;

fn tokenizer(decoder: &str) -> Vec<u8> {
    let vocabulary: Vec<String> =
        WORDS.iter().enumerate().map(|(i, word)| format!("{}: {i}", serde_json::to_string(word).unwrap())).collect();
    format!(
        r#"{{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": {{"type": "Sequence", "normalizers": [{{"type": "Prepend", "prepend": "▁"}},
            {{"type": "Replace", "pattern": {{"String": " "}}, "content": "▁"}}]}},
        "pre_tokenizer": {{"type": "Split", "pattern": {{"Regex": "▁?[A-Za-z]+|▁?[^A-Za-z▁]|▁"}}, "behavior": "Isolated", "invert": false}},
        "post_processor": null, "decoder": {decoder},
        "model": {{"type": "WordLevel", "vocab": {{{}}}, "unk_token": "<unknown>"}}}}"#,
        vocabulary.join(", ")
    )
    .into_bytes()
}

const SPACES: &str = r#"{"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
    {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}"#;

fn vocabulary() -> Vocabulary {
    Vocabulary::read(&tokenizer(SPACES), &WriterManifest::parse(&manifest(MASKS)).unwrap()).unwrap()
}

fn facts(words: &[&str]) -> Vec<String> {
    words.iter().map(|&w| w.to_owned()).collect()
}

#[test]
fn a_manifest_tells_its_kind_and_a_writers_is_no_image_bundles() {
    assert_eq!(kind(&manifest("")), Kind::Writer);
    assert_eq!(kind("format = 1\n"), Kind::Image);
    assert_eq!(kind("kind = \"writer"), Kind::Image);
    let child = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/chest-child/manifest.toml"));
    let child = child.unwrap();
    assert_eq!(kind(&child), Kind::Image);
    assert!(WriterManifest::parse(&child).is_err());
    assert!(crate::infer::manifest::Manifest::parse(&manifest("")).is_err());
}

#[test]
fn a_manifest_that_contradicts_itself_is_refused_in_words() {
    for (from, to, says) in [
        ("format = 1\nkind", "format = 2\nkind", "format 2"),
        ("tokens = 20", "tokens = 0", "[limits]"),
        ("beam_width = 1", "beam_width = 9", "[limits]"),
        ("layers = 2", "layers = 0", "[decoder]"),
        ("present = [\"present_key.{}\", ", "present = [", "[decoder]"),
        ("most = 8", "most = 8\n[[input]]\nwhat = \"facts\"\ntensor = \"more\"\nmost = 8", "[[input]]"),
        ("most = 8", "most = 0", "[[input]]"),
        ("file = \"encoder.onnx\"", "file = \"other.onnx\"", "[digests] lacks"),
        ("\"CARD.md\" =", "\"../CARD.md\" =", "[digests]"),
        ("no_repeat = 0", "no_repeat = 0\nmore = 1", "unknown field"),
    ] {
        let text = manifest("");
        assert!(text.contains(from), "nothing to edit: {from}");
        let refused = WriterManifest::parse(&text.replacen(from, to, 1)).unwrap_err();
        assert!(refused.contains(says), "{to}: {refused}");
    }
}

#[test]
fn names_of_tensors_run_over_the_layers() {
    let manifest = WriterManifest::parse(&manifest("")).unwrap();
    let spec = &manifest.decoder;
    assert_eq!(spec.each_layer(&spec.past), ["past_key.0", "past_value.0", "past_key.1", "past_value.1"]);
    let memory: Vec<String> = spec.memory_names().into_iter().map(|(to, _)| to).collect();
    assert_eq!(memory, ["cross.0", "cross.1", "states"]);
}

#[test]
fn facts_become_tokens_and_unknown_ones_are_left_out() {
    let vocabulary = vocabulary();
    let words = facts(&["<effusion:present>", "<side:left>", "<unheard-of:present>"]);
    assert_eq!(vocabulary.facts(&words, 8), [5, 8]);
    assert_eq!(vocabulary.facts(&words, 1), [5]);
    assert_eq!(vocabulary.facts(&[], 8), [0]);
}

#[test]
fn no_question_can_spell_a_fact() {
    let vocabulary = vocabulary();
    let asked = vocabulary.question("effusion <effusion:present> <end>", 30).unwrap();
    assert_eq!(asked[0], 11);
    assert!(asked.iter().all(|token| [3, 9, 10, 11, 12, 13, 14].contains(token)), "{asked:?}");
    assert_eq!(vocabulary.question("", 8).unwrap(), [0]);
    assert_eq!(vocabulary.question("pleural effusion effusion effusion", 2).unwrap().len(), 2);
}

#[test]
fn words_of_what_was_not_assessed_or_placed_are_not_allowed() {
    let vocabulary = vocabulary();
    let may = |words: &[&str], token: usize| vocabulary.allowed(&facts(words))[token];
    for word in [11, 14] {
        assert!(!may(&[], word) && !may(&["<nodule:present>"], word));
        assert!(may(&["<effusion:absent>"], word));
    }
    assert!(!may(&["<effusion:present>"], 12));
    assert!(may(&["<effusion:present>", "<side:left>"], 12));
    // Neither what is no word, whatever the sheet says.
    for token in [0, 1, 3, 5, 6, 7, 8] {
        assert!(!may(&["<effusion:present>", "<side:left>"], token));
    }
    assert!(may(&[], 2) && may(&[], 4) && may(&[], 9));
}

#[test]
fn tokens_become_sentences_in_two_parts() {
    let parts = vocabulary().spell(&[12, 10, 11, 13, 9, 14, 13, 4, 9, 11, 13]).unwrap();
    assert_eq!(parts.findings, ["Left pleural effusion.", "No effusions."]);
    assert_eq!(parts.impression, ["No effusion."]);
    assert_eq!(vocabulary().spell(&[]).unwrap(), super::vocabulary::Parts::default());
}

#[test]
fn tokens_that_are_no_text_are_refused() {
    let vocabulary = vocabulary();
    for tokens in [vec![9, 5, 13], vec![9, 3, 13], vec![1], vec![999], vec![9, 13, 4, 9, 13, 4, 9, 13]] {
        assert!(vocabulary.spell(&tokens).is_err(), "{tokens:?}");
    }
}

#[test]
fn tokens_that_are_no_utf8_are_refused() {
    let bytes = r#"{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}"#;
    let manifest = WriterManifest::parse(&manifest("")).unwrap();
    let vocabulary = Vocabulary::read(&tokenizer(bytes), &manifest).unwrap();
    // The token is one byte of two.
    assert!(vocabulary.spell(&[15]).unwrap_err().contains("UTF-8"));
}

#[test]
fn a_tokenizer_that_lacks_what_the_manifest_names_is_refused() {
    let refused = |manifest: &str, file: &[u8]| {
        Vocabulary::read(file, &WriterManifest::parse(manifest).unwrap()).err().expect("must be refused")
    };
    let file = tokenizer(SPACES);
    assert!(refused(&manifest("").replace("[\"effusion\"]", "[\"mass\"]"), &file).contains("<mass:present>"));
    assert!(refused(&manifest("").replace("start = \"<start>\"", "start = \"<go>\""), &file).contains("<go>"));
    assert!(refused(&manifest(MASKS).replace("▁effusions", "▁hernia"), &file).contains("▁hernia"));
    refused(&manifest(""), b"{}");
}
