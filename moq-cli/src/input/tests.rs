use super::*;

/// Cuts the chunks, and yields the frames of the whole input.
fn frames(mode: Mode, chunks: &[&[u8]]) -> Result<Vec<Bytes>, InputError> {
    let mut framer = Framer::new(mode);
    let mut frames = Vec::new();
    for chunk in chunks {
        framer.push(Bytes::copy_from_slice(chunk), &mut frames)?;
    }
    frames.extend(framer.finish()?);
    Ok(frames)
}

fn lines(input: &str) -> Vec<Bytes> {
    frames(Mode::Lines, &[input.as_bytes()]).unwrap()
}

#[test]
fn a_line_is_what_stands_before_its_end() {
    assert_eq!(lines("one\ntwo\n"), ["one", "two"]);
    assert_eq!(
        lines("zwölf Boxkämpfer\n日本語\n🦀\n"),
        ["zwölf Boxkämpfer", "日本語", "🦀"]
    );
}

#[test]
fn empty_lines_are_empty_frames() {
    assert_eq!(lines("\n\na\n\n"), ["", "", "a", ""]);
    assert_eq!(lines(""), [] as [&str; 0]);
}

#[test]
fn a_last_line_without_an_end_counts() {
    assert_eq!(lines("one\ntwo"), ["one", "two"]);
    assert_eq!(lines("x"), ["x"]);
}

#[test]
fn a_carriage_return_belongs_to_its_line() {
    assert_eq!(lines("one\r\n\r\ntwo\r"), ["one\r", "\r", "two\r"]);
}

#[test]
fn cuts_between_reads_do_not_matter() {
    let input = "é\n\nlonger line\nlast".as_bytes();
    let whole = frames(Mode::Lines, &[input]).unwrap();
    for at in 0..=input.len() {
        let (head, tail) = input.split_at(at);
        assert_eq!(
            frames(Mode::Lines, &[head, tail]).unwrap(),
            whole,
            "cut at {at}"
        );
    }
    let bytes: Vec<_> = input.chunks(1).collect();
    assert_eq!(frames(Mode::Lines, &bytes).unwrap(), whole);
}

#[test]
fn lines_need_not_be_text() {
    let frames = frames(Mode::Lines, &[b"\xff\x00\n\xfe"]).unwrap();
    assert_eq!(frames, [&b"\xff\x00"[..], b"\xfe"]);
}

#[test]
fn raw_frames_are_the_reads() {
    let frames = frames(Mode::Raw, &[b"a\nb", b"", b"\n"]).unwrap();
    assert_eq!(frames, [&b"a\nb"[..], b"", b"\n"]);
}

#[test]
fn json_lines_are_checked_and_kept_as_they_are() {
    let good = frames(Mode::Json, &[b"{\"a\": [1, null]}\r\n\"x\"\n 1 "]).unwrap();
    assert_eq!(good, [&b"{\"a\": [1, null]}\r"[..], b"\"x\"", b" 1 "]);
    for (bad, line) in [
        (&b"1\n{\"a\"\n"[..], 2),
        (b"\n", 1),
        (b"1 2", 1),
        (b"\"\xff\"", 1),
    ] {
        let error = frames(Mode::Json, &[bad]).unwrap_err();
        assert!(
            matches!(error, InputError::NotJson { line: at, .. } if at == line),
            "{error}"
        );
    }
}

#[test]
fn a_line_has_a_limit() {
    let longest = vec![b'x'; MAX_LINE];
    assert_eq!(frames(Mode::Lines, &[&longest]).unwrap().len(), 1);
    assert_eq!(frames(Mode::Lines, &[&longest, b"\n"]).unwrap().len(), 1);
    let error = frames(Mode::Lines, &[b"1\n", &longest, b"x"]).unwrap_err();
    assert_eq!(error, InputError::TooLong { line: 2 });
}

#[test]
fn a_group_ends_at_whichever_limit_comes_first() {
    let limits = GroupLimits::new(Mode::Lines, Some(3), 10);
    assert!(limits.admit(2, 8, 2) && !limits.admit(2, 8, 3) && !limits.admit(3, 0, 0));
    assert!(limits.is_full(3, 0) && limits.is_full(1, 10) && !limits.is_full(2, 9));
}

#[test]
fn a_frame_above_the_limit_has_a_group_of_its_own() {
    let limits = GroupLimits::new(Mode::Raw, None, 10);
    assert!(limits.admit(0, 0, 11) && !limits.admit(1, 1, 10));
    assert!(limits.is_full(1, 11));
}

#[test]
fn a_line_is_a_group_unless_told_otherwise() {
    assert!(GroupLimits::new(Mode::Lines, None, 1 << 20).is_full(1, 0));
    assert!(GroupLimits::new(Mode::Raw, None, 1 << 20).age.is_some());
}

#[test]
fn a_directory_is_no_input() {
    let error = Source::open(Some(Path::new("/"))).unwrap_err();
    assert!(crate::exit::line(&error).starts_with("moq: cannot read /: "));
}
