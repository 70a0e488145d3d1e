#![no_main]

libfuzzer_sys::fuzz_target!(
    init: moq_wire_fuzz::start(),
    |data: &[u8]| moq_wire::fuzz::response(data)
);
