//! Inputs without boxes: transport streams, and H.264 alone.

/// Names, ffmpeg's formats, and its arguments. `V:rate` and `A:rate` stand for inputs.
pub(super) const STREAMS: &[(&str, &str, &str)] = &[
    (
        "ts-h264-aac",
        "mpegts",
        "V:25 -c:v libx264 -bf 3 -g 25 A:44100 -c:a aac",
    ),
    (
        "ts-ntsc",
        "mpegts",
        "V:30000/1001 -c:v libx264 -bf 2 -g 30 A:48000 -c:a aac",
    ),
    (
        "ts-hevc-opus",
        "mpegts",
        "V:25 -c:v libx265 -x265-params log-level=0:bframes=3:keyint=25 A:48000 -c:a libopus",
    ),
    // 33 bits of 90 kHz wrap around within it.
    (
        "ts-wrap",
        "mpegts",
        "V:25 -c:v libx264 -bf 3 -g 25 A:48000 -c:a aac -output_ts_offset 95441.2",
    ),
    ("h264-alone", "h264", "V:25 -c:v libx264 -bf 3 -g 25"),
];
