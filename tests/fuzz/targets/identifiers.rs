//! libFuzzer's door to `identifiers`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| residentd_fuzz::identifiers(bytes));
