//! The files that ffmpeg makes.

/// Codecs, layouts and times that encoders produce: a name and ffmpeg's arguments.
pub(crate) const FIXTURES: &[(&str, &str)] = &[
    (
        "h264-aac",
        "V:25 -c:v libx264 -bf 0 -g 25 A:48000 -c:a aac -movflags {plain}",
    ),
    (
        "h264-bframes",
        "V:25 -c:v libx264 -bf 3 -g 25 A:44100 -c:a aac -movflags {plain}",
    ),
    (
        "edit-list",
        "V:25 -c:v libx264 -bf 3 -g 25 A:44100 -c:a aac -movflags frag_keyframe+delay_moov+default_base_moof",
    ),
    (
        "negative-cts",
        "V:25 -c:v libx264 -bf 3 -g 25 -movflags {plain}+negative_cts_offsets",
    ),
    (
        "ntsc",
        "V:30000/1001 -c:v libx264 -bf 2 -g 30 A:44100 -c:a aac -movflags {plain}",
    ),
    (
        "vfr",
        "V:30 -vf select='not(mod(n\\,3))+not(mod(n\\,7))' -vsync vfr -c:v libx264 -bf 2 -g 10 -movflags {plain}",
    ),
    (
        "hevc",
        "V:25 -c:v libx265 -x265-params log-level=0:bframes=3:keyint=25 -tag:v hvc1 -movflags {plain}",
    ),
    (
        "hev1",
        "V:25 -c:v libx265 -x265-params log-level=0:bframes=0:keyint=25 -tag:v hev1 -movflags {plain}",
    ),
    (
        "avc3",
        "V:25 -c:v libx264 -bf 2 -g 25 -tag:v avc3 -movflags {plain}",
    ),
    (
        "av1-opus",
        "V:25 -c:v libsvtav1 -preset 12 -g 25 A:48000 -c:a libopus -strict -2 -movflags {plain}",
    ),
    (
        "vp9",
        "V:25 -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -movflags {plain}",
    ),
    (
        "flac",
        "A:44100 -c:a flac -strict -2 -movflags {plain} -frag_duration 500000",
    ),
    (
        "mp3",
        "A:44100 -c:a libmp3lame -movflags {plain} -frag_duration 500000",
    ),
    ("video-only", "V:25 -c:v libx264 -g 25 -movflags {plain}"),
    (
        "audio-only",
        "A:44100 -c:a aac -movflags {plain} -frag_duration 500000",
    ),
    (
        "every-frame",
        "V:25 -c:v libx264 -bf 2 -g 25 A:48000 -c:a aac -movflags frag_every_frame+empty_moov+default_base_moof",
    ),
    (
        "one-sample",
        "V:25 -c:v libx264 -bf 2 -g 25 A:48000 -c:a aac -movflags {plain} -frag_duration 1",
    ),
    (
        "no-default-base",
        "V:25 -c:v libx264 -bf 2 -g 25 A:48000 -c:a aac -movflags frag_keyframe+empty_moov",
    ),
    (
        "cmaf",
        "V:25 -c:v libx264 -bf 2 -g 25 -movflags cmaf+frag_keyframe",
    ),
    (
        "dash",
        "V:25 -c:v libx264 -bf 2 -g 25 A:48000 -c:a aac -movflags dash+global_sidx+frag_keyframe+empty_moov",
    ),
    (
        "two-videos",
        "V:25 V:30 -map 0 -map 1 -c:v libx264 -g 25 -movflags {plain}",
    ),
];
