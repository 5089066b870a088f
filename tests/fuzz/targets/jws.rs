//! libFuzzer's door to `jws`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| residentd_fuzz::jws(bytes));
