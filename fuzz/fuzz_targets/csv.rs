#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| caliber_fuzz::csv(bytes));
