//! libFuzzer's door to `configuration`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| residentd_fuzz::configuration(bytes));
