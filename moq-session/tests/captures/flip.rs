//! Files in which one byte is wrong.

use serde_json::Value;

/// Bytes that cannot be otherwise, of what no script sent: the first of each half, and all of SETUP.
/// As JSON pointers to the halves, and places in them.
pub(crate) fn places(file: &[u8]) -> Vec<(String, usize)> {
    let json: Value = serde_json::from_slice(file).expect("a capture");
    let streams = json["streams"].as_array().expect("streams");
    let mut places = Vec::new();
    for (at, stream) in streams.iter().enumerate() {
        for (from, to) in [("client", "server"), ("server", "client")] {
            let half = format!("{from}_to_{to}");
            let hex = stream[&half]["hex"].as_str().unwrap_or_default();
            let is_setup = stream["kind"] == "uni" && hex.starts_with("01");
            if json["scripted"] != from {
                let end = (hex.len() / 2).min(if is_setup { usize::MAX } else { 1 });
                places.extend((0..end).map(|byte| (format!("/streams/{at}/{half}"), byte)));
            }
        }
    }
    places
}

/// The file with a bit of a byte of a half turned.
pub(crate) fn flip(file: &[u8], half: &str, at: usize) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(file).expect("a capture");
    let hex = &mut json.pointer_mut(half).expect("a half")["hex"];
    let mut digits = hex.as_str().expect("hex").to_owned();
    let byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hex");
    digits.replace_range(2 * at..2 * at + 2, &format!("{:02x}", byte ^ 1));
    *hex = digits.into();
    serde_json::to_vec(&json).expect("a capture")
}
