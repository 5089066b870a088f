//! libFuzzer's door to `reader`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| residentd_fuzz::reader(bytes));
