//! Fuzzes `portolan_fuzz_checks::snapshot`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portolan_fuzz_checks::snapshot(bytes));
