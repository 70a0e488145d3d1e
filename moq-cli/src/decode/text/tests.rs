use super::*;

#[test]
fn text_of_a_peer_cannot_be_taken_for_anything_else() {
    let text = |text: &str| shown(&text.into(), true).unwrap();
    assert_eq!(text("room/alice"), "room/alice");
    assert_eq!(text(""), "\"\"");
    assert_eq!(text("a b"), "\"a b\"");
    assert_eq!(text("a\"b\\"), "\"a\\\"b\\\\\"");
    assert_eq!(text("\u{1b}[2J\n"), "\"\\u{1b}[2J\\u{a}\"");
    assert_eq!(text("a\u{202e}b"), "a\\u{202e}b");
}

#[test]
fn a_payload_is_previewed_as_what_it_is() {
    assert_eq!(preview(b"hello"), "\"hello\"");
    assert_eq!(preview(b"\x00\x01"), "00 01");
    assert_eq!(preview(&[0xff; 13]), format!("{}…", "ff ".repeat(12)));
    // The 40th byte is the first half of a character.
    let long = format!("{}é and more", "x".repeat(39));
    assert_eq!(preview(long.as_bytes()), format!("\"{}\"…", "x".repeat(39)));
}

#[test]
fn what_goes_without_saying_is_not_said() {
    let message = Message::new("FETCH")
        .with("group", 4_u64)
        .labelled("frame_start", "from-frame", Value::Position(0))
        .labelled("frame_last", "to-frame", None::<u64>)
        .with("hidden", false)
        .with("code", Value::Code(0x33))
        .with("hops", Value::Ids(vec![1, 0x1111]));
    let line = "FETCH group 4 code 0x33 NOT_FOUND hops [0x1, 0x1111]";
    assert_eq!(said(&message), line);
}

#[test]
fn durations_and_codes_are_short() {
    for (ms, text) in [
        (0, "0s"),
        (5, "5ms"),
        (1_500, "1.5s"),
        (60_000, "60s"),
        (1_001, "1.001s"),
    ] {
        assert_eq!(millis(Duration::from_millis(ms)), text);
    }
    assert_eq!(session_code(Some(3)), "0x3 PROTOCOL_VIOLATION");
    assert_eq!(stream_code(Some(64 + 9)), "0x49 application code 9");
    assert_eq!(stream_code(Some(63)), "0x3f unknown");
    assert_eq!(stream_code(None), "(let go)");
}
