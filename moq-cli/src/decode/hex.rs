//! Bytes written as hex digits, for one stream or several.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::ValueEnum as _;

use super::streams::Streams;
use crate::args::Part;

/// Reads hex digits and nothing else.
///
/// # Errors
/// If there is anything else.
pub(crate) fn digits(text: &str) -> anyhow::Result<Bytes> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    append(text, &mut bytes)?;
    Ok(bytes.into())
}

/// Reads streams from text, of which `part` says what they are unless they say it themselves.
///
/// # Errors
/// If there is anything but hex digits, what may stand between them, and labels.
pub(crate) fn read(text: &str, part: Option<Part>, streams: &mut Streams) -> anyhow::Result<()> {
    let mut is_dump = false;
    for (index, line) in text.lines().enumerate() {
        let mut rest = line.split("//").next().unwrap_or_default();
        rest = rest.split('#').next().unwrap_or_default().trim();
        if rest.is_empty() {
            if line.trim().is_empty() {
                streams.close();
            }
            continue;
        }
        if let Some(dumped) = dumped(rest, is_dump) {
            is_dump = true;
            rest = dumped;
        } else if let Some((part, after)) = label(rest) {
            streams.begin(Some(part));
            rest = after;
        }
        if !streams.is_open() {
            streams.begin(part);
        }
        if let Some(after) = rest.strip_prefix(['<', '←']) {
            streams.answer();
            rest = after;
        } else if let Some(after) = rest.strip_prefix(['>', '→']) {
            streams.request();
            rest = after;
        }
        let bytes = loose(rest).with_context(|| format!("line {} is no hex", index + 1))?;
        streams.push(bytes);
    }
    Ok(())
}

/// The digits of a line as `xxd` and `hexdump -C` write it: an offset, digits, the same as text. The
/// latter ends with a lone offset.
fn dumped(line: &str, is_dump: bool) -> Option<&str> {
    let is_offset = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit());
    let (offset, rest) = line.split_at_checked(8)?;
    if !is_offset(offset) {
        return None;
    }
    if is_dump && rest.is_empty() {
        return Some("");
    }
    if let Some(rest) = rest.strip_prefix(": ") {
        return Some(rest.split("  ").next().unwrap_or_default());
    }
    let (digits, _) = rest.strip_prefix("  ")?.split_once('|')?;
    Some(digits)
}

/// What a line says its bytes are, and the rest of the line.
fn label(line: &str) -> Option<(Part, &str)> {
    let (name, rest) = line.split_once(':')?;
    let part = Part::from_str(name.trim(), false).ok()?;
    Some((part, rest.trim_start()))
}

/// Digits with spaces, colons and commas between them, and 0x in front.
fn loose(text: &str) -> anyhow::Result<Bytes> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | ';'));
    for word in words {
        let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
        append(digits.unwrap_or(word), &mut bytes)?;
    }
    Ok(bytes.into())
}

fn append(digits: &str, bytes: &mut Vec<u8>) -> anyhow::Result<()> {
    for pair in digits.as_bytes().chunks(2) {
        let value = |digit: &u8| char::from(*digit).to_digit(16);
        let [Some(high), Some(low)] =
            [pair.first(), pair.get(1)].map(|digit| digit.and_then(value))
        else {
            let mut others = digits.chars().filter(|c| !c.is_ascii_hexdigit());
            match others.next() {
                Some(other) => bail!("{other:?} is no hex digit"),
                None => bail!("a digit is missing or one too many"),
            }
        };
        // Each is below 16.
        bytes.push((high << 4 | low) as u8);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use moq_wire::Version;

    use super::*;
    use crate::decode::recording::{End, Kind, Recording, What};

    fn recorded(text: &str) -> Recording {
        let mut streams = Streams::new("hex", Version::Lite06);
        read(text, None, &mut streams).unwrap();
        streams.finish()
    }

    fn bytes(text: &str) -> Vec<u8> {
        let mut all = Vec::new();
        for event in recorded(text).events {
            if let What::Data(_, bytes) = event.what {
                all.extend_from_slice(&bytes);
            }
        }
        all
    }

    #[test]
    fn what_stands_between_digits_is_passed_over() {
        for text in [
            "0104abCD",
            "01 04 ab cd\n",
            "0x01, 0x04, 0xab, 0xcd",
            "01:04:ab:cd # the rest",
            "0104 // type and length\r\nabcd",
            "00000000: 0104 abcd                                ....\n",
            "00000000  01 04 ab cd                                       |....|\n00000004\n",
        ] {
            assert_eq!(bytes(text), [1, 4, 0xab, 0xcd], "{text}");
        }
    }

    #[test]
    fn an_empty_line_or_a_label_begins_a_stream() {
        let recorded =
            recorded("bi: 06 0a\n< 05 7f\n> 00\nuni: 00\n\n# a comment\n06\n\ntrack: 05\n");
        let streams: Vec<_> = recorded.streams.values().collect();
        let kinds: Vec<_> = streams.iter().map(|stream| stream.kind).collect();
        assert_eq!(kinds, [Kind::Bi, Kind::Uni, Kind::Bi, Kind::Bi]);
        assert_eq!(streams[3].answers, Some(Part::Track));
        let events: Vec<_> = recorded
            .events
            .iter()
            .map(|event| match &event.what {
                What::Data(id, bytes) => (*id, event.from, bytes.len()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            events,
            [
                (0, End::Client, 2),
                (0, End::Server, 2),
                (0, End::Client, 1),
                (1, End::Client, 1),
                (2, End::Client, 1),
                (3, End::Server, 1),
            ]
        );
    }

    #[test]
    fn what_is_no_hex_is_told_with_its_line() {
        for (text, line, why) in [
            ("01\n0q", "line 2", "'q'"),
            ("012", "line 1", "a digit is missing"),
            ("\n\nbo: 01", "line 3", "'o'"),
        ] {
            let mut streams = Streams::new("hex", Version::Lite06);
            let error = read(text, None, &mut streams).unwrap_err();
            let told = format!("{error:#}");
            assert!(told.contains(line) && told.contains(why), "{told}");
        }
    }
}
