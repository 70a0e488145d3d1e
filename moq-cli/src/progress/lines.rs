//! Lines of a terminal that are written over and over.

use std::fmt::Write as _;

/// What puts lines in the place of so many.
pub(super) fn in_place_of(before: usize, lines: &[String]) -> String {
    let mut text = "\r".to_owned();
    if before > 1 {
        // Writing into a string cannot fail.
        let _ = write!(text, "\x1b[{}A", before - 1);
    }
    text += &lines.join(&format!("{CLEAR}\n"));
    text + CLEAR + CLEAR_BELOW
}

/// Erases to the end of the line.
const CLEAR: &str = "\x1b[K";

/// Erases to the end of the screen.
const CLEAR_BELOW: &str = "\x1b[J";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_take_the_place_of_those_before() {
        let lines = ["a".to_owned(), "b".to_owned()];
        assert_eq!(in_place_of(0, &lines), "\ra\x1b[K\nb\x1b[K\x1b[J");
        assert_eq!(in_place_of(2, &lines[..1]), "\r\x1b[1Aa\x1b[K\x1b[J");
        assert_eq!(in_place_of(1, &[]), "\r\x1b[K\x1b[J");
    }
}
