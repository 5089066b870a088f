//! A writer's words and manifest, held to their promises on a toy vocabulary.

use std::path::{Path, PathBuf};

use super::manifest::WriterManifest;
use super::refusal::RefusalCode;
use super::vocabulary::Vocabulary;
use super::{Sheet, Writer};
use crate::digest::Digest;
use crate::infer::bundle::{Kind, Outline, Vouched};
use crate::infer::damaged;

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
    let folder = tempfile::tempdir().unwrap();
    let is_writer = |text: &str| {
        std::fs::write(folder.path().join("manifest.toml"), text).unwrap();
        Outline::read(folder.path()).ok().map(|(outline, _)| outline.kind() == Kind::Writes)
    };
    assert_eq!(is_writer(&manifest("")), Some(true));
    assert_eq!(is_writer("format = 1\n"), None);
    assert_eq!(is_writer("kind = \"writer"), None);
    let child = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/chest-child/manifest.toml"));
    let child = child.unwrap();
    assert_eq!(is_writer(&child), Some(false));
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

/// A copy of the shipped writer, to damage.
fn copy() -> tempfile::TempDir {
    damaged::copy("report-writer")
}

fn shipped() -> PathBuf {
    damaged::shipped("report-writer")
}

/// Changes a file of the copy, and its digest in the manifest.
fn change(folder: &Path, name: &str, with: impl FnOnce(String) -> String) {
    let path = folder.join(name);
    let before = std::fs::read_to_string(&path).unwrap();
    let after = with(before.clone());
    assert_ne!(before, after, "nothing to change in {name}");
    std::fs::write(&path, &after).unwrap();
    let manifest = folder.join("manifest.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let [old, new] = [before, after].map(|text| Digest::of(text.as_bytes()).to_string());
    std::fs::write(&manifest, text.replace(&old, &new)).unwrap();
}

fn refusal(folder: &Path) -> String {
    Vouched::as_it_stands(folder)
        .and_then(|vouched| Writer::load(&vouched))
        .err()
        .expect("the writer must be refused")
        .to_string()
}

fn sheet(words: &[&str]) -> Sheet {
    Sheet { format: 1, facts: facts(words), ..Sheet::default() }
}

#[test]
fn the_shipped_writer_writes_what_its_sheet_says_and_runs_on_our_kernels() {
    let writer = Writer::load(&Vouched::as_it_stands(&shipped()).unwrap()).unwrap();
    assert!(writer.identity().research_only);
    assert!(writer.int8_products() > 20, "{}", writer.int8_products());
    let asked = sheet(&["<pneumothorax:absent>", "<effusion:present>", "<side:left>", "<cardiomegaly:absent>"]);
    let parts = writer.write(&asked, &|| false).unwrap();
    let text = parts.findings.join(" ").to_lowercase();
    assert!(text.contains("left pleural effusion") && text.contains("pneumothorax"), "{text}");
    assert!(!parts.impression.is_empty());
    // The same again, and by beam.
    assert_eq!(writer.write(&asked, &|| false).unwrap(), parts);
    let folder = copy();
    let path = folder.path().join("manifest.toml");
    let wide = std::fs::read_to_string(&path).unwrap().replace("beam_width = 1", "beam_width = 3");
    std::fs::write(&path, wide).unwrap();
    // Its golden texts are greedy ones: a beam may write others, and then it says so.
    match Writer::load(&Vouched::as_it_stands(folder.path()).unwrap()) {
        Ok(beam) => assert!(!beam.write(&asked, &|| false).unwrap().findings.is_empty()),
        Err(e) => assert!(e.to_string().contains("golden text"), "{e}"),
    }
}

#[test]
fn no_sheet_makes_the_shipped_writer_speak_of_what_was_not_assessed() {
    let writer = Writer::load(&Vouched::as_it_stands(&shipped()).unwrap()).unwrap();
    let labels = &writer.manifest().sheet.labels;
    for (at, label) in labels.iter().enumerate() {
        let state = ["present", "uncertain", "absent"][at % 3];
        let Ok(parts) = writer.write(&sheet(&[&format!("<{label}:{state}>")]), &|| false) else { continue };
        let text = parts.findings.into_iter().chain(parts.impression).collect::<Vec<_>>().join(" ").to_lowercase();
        for (word, of) in [
            ("effusion", "effusion"),
            ("pneumothorax", "pneumothorax"),
            ("consolidation", "consolidation"),
            ("nodule", "nodule"),
            ("fracture", "fracture"),
            ("hernia", "hernia"),
            ("scoliosis", "scoliosis"),
        ] {
            assert!(of == label || !text.contains(word), "{label}: {text}");
        }
        assert!(!text.contains("left") && !text.contains("right"), "{label}: {text}");
    }
}

#[test]
fn a_sheet_from_a_future_format_and_time_that_is_up_are_refused_by_code() {
    let writer = Writer::load(&Vouched::as_it_stands(&shipped()).unwrap()).unwrap();
    let future = Sheet { format: 2, ..sheet(&["<effusion:present>"]) };
    assert_eq!(writer.write(&future, &|| false).unwrap_err().code(), RefusalCode::SheetFormat);
    let late = writer.write(&sheet(&["<effusion:present>"]), &|| true).unwrap_err();
    assert_eq!(late.code(), RefusalCode::OutOfTime);
}

#[test]
fn a_writer_with_a_changed_byte_is_refused_by_file_and_digest() {
    for name in ["encoder.onnx", "decoder.onnx", "tokenizer.json", "golden/sheets.json", "CARD.md"] {
        let folder = copy();
        damaged::flip(folder.path(), name);
        let error = refusal(folder.path());
        assert!(error.contains(name) && error.contains("the bundle was changed"), "{error}");
    }
}

#[test]
fn a_tokenizer_that_does_not_match_the_decoder_is_refused() {
    // One word too many: the decoder has no logit for it.
    let folder = copy();
    change(folder.path(), "tokenizer.json", |text| {
        text.replacen("\"vocab\":{", "\"vocab\":{\"▁zebra\":99999,", 1).replacen(
            "\"vocab\": {",
            "\"vocab\": {\"▁zebra\": 99999,",
            1,
        )
    });
    assert!(refusal(folder.path()).contains("golden text"), "{}", refusal(folder.path()));
    // Two words changed places: its texts are others.
    let folder = copy();
    change(folder.path(), "golden/sheets.json", |text| text.replacen("present", "absent", 1));
    assert!(refusal(folder.path()).contains("golden text 0"));
}

#[test]
fn graphs_that_disagree_with_the_manifest_are_refused() {
    for (from, to) in [
        ("token = \"token\"", "token = \"word\""),
        ("logits = \"logits\"", "logits = \"scores\""),
        ("position = \"position\"\n", ""),
        ("layers = 3", "layers = 4"),
        ("layers = 3", "layers = 2"),
        ("tensor = \"question\"", "tensor = \"order\""),
        ("head_width = 32", "head_width = 31"),
        ("\"present_value.{}\"", "\"present_key.{}\""),
    ] {
        let folder = copy();
        let path = folder.path().join("manifest.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "nothing to edit: {from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        refusal(folder.path());
    }
}
