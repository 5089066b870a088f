//! libFuzzer's door to `pdu_stream`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| residentd_fuzz::pdu_stream(bytes));
