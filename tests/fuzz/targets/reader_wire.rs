//! libFuzzer's door to `reader_wire`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| residentd_fuzz::reader_wire(bytes));
