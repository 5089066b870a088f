//! libFuzzer's door to `command_set`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| residentd_fuzz::command_set(bytes));
