#![no_main]

libfuzzer_sys::fuzz_target!(
    init: moq_media_fuzz::start(),
    |data: &[u8]| moq_media::fuzz::annexb(data)
);
