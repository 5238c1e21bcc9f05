//! Fuzzes `portolan_fuzz_checks::routing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portolan_fuzz_checks::routing(bytes));
