//! libFuzzer's door to `validator`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| residentd_fuzz::validator(bytes));
