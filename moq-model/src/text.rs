//! Text that came from a peer, made safe to print.

use std::fmt::{self, Write as _};

/// Shows at most this many bytes of a peer's text.
const SHOWN: usize = 256;

/// Displays text with control characters escaped, cut after 256 bytes.
///
/// Nothing that a peer chooses may forge a log line or move a terminal's cursor.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = 0;
        for c in self.0.chars() {
            shown += c.len_utf8();
            if shown > SHOWN {
                return f.write_char('…');
            }
            if is_unprintable(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Control characters, line and paragraph separators, and the marks that reorder text.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_cannot_reach_a_terminal() {
        let shown = Escaped("a\0\x1b[31m\nb\u{202e}é").to_string();
        assert_eq!(shown, "a\\u{0}\\u{1b}[31m\\u{a}b\\u{202e}é");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(
            Escaped(&"x".repeat(10_000)).to_string().chars().count(),
            SHOWN + 1
        );
    }
}
