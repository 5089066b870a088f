//! libFuzzer's door to `manifest`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| residentd_fuzz::manifest(bytes));
