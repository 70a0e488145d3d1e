//! Which pages may connect.

use std::fmt;
use std::str::FromStr;

/// A pattern of origins of pages: `https://page.example`, `https://*.page.example`, `*`.
///
/// A star stands for any text without a slash; upper and lower case are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(String);

impl WebOrigin {
    /// Whether the origin of a page, as its browser sends it, is one of these.
    #[must_use]
    pub fn matches(&self, origin: &str) -> bool {
        self.0 == "*" || matches(self.0.as_bytes(), origin.to_ascii_lowercase().as_bytes())
    }
}

impl FromStr for WebOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_origin = text.split_once("://").is_some_and(|(scheme, host)| {
            let is_whole = !scheme.is_empty() && !host.is_empty();
            is_whole && !host.contains(['/', '?', '#', '@'])
        });
        match is_origin || text == "*" || text == "null" {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err("write it like https://page.example or https://*.page.example".into()),
        }
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text is what a pattern says. It takes no more steps than the product of both lengths,
/// because the text is a stranger's.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut in_pattern, mut in_text) = (0, 0);
    // The last star, and where in the text that ends which it stands for. No earlier one has to
    // be tried again: it may stand for less, and what follows it was found.
    let mut star = None;
    while let Some(byte) = text.get(in_text) {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                star = Some((in_pattern, in_text));
                in_pattern += 1;
            }
            Some(wanted) if wanted == byte => {
                in_pattern += 1;
                in_text += 1;
            }
            _ => match star {
                Some((at, end)) if text[end] != b'/' => {
                    star = Some((at, end + 1));
                    (in_pattern, in_text) = (at + 1, end + 1);
                }
                _ => return false,
            },
        }
    }
    pattern[in_pattern..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_a_part_of_the_host() {
        for (pattern, origin, is_one) in [
            ("https://page.example", "https://page.example", true),
            ("https://Page.example", "https://page.EXAMPLE", true),
            ("https://page.example", "http://page.example", false),
            ("https://page.example", "https://page.example:8443", false),
            ("https://page.example", "https://page.example.evil", false),
            ("https://*.page.example", "https://a.b.page.example", true),
            ("https://*.page.example", "https://page.example", false),
            (
                "https://*.page.example",
                "https://evil/.page.example",
                false,
            ),
            ("https://page.example:*", "https://page.example:8443", true),
            ("*://*.example", "https://page.example", true),
            ("https://a*b*c.example", "https://abbxbc.example", true),
            ("https://a*b*c.example", "https://abbxb.example", false),
            ("https://page.example*", "https://page.example", true),
            ("null", "null", true),
            ("*", "null", true),
            ("https://*", "null", false),
        ] {
            let pattern: WebOrigin = pattern.parse().unwrap();
            assert_eq!(pattern.matches(origin), is_one, "{pattern} {origin}");
        }
    }

    #[test]
    fn a_long_origin_of_a_stranger_is_soon_refused() {
        let pattern: WebOrigin = "https://*a*a*a*a*a*a*a*b".parse().unwrap();
        let origin = format!("https://{}", "a".repeat(16_000));
        assert!(!pattern.matches(&origin));
    }

    #[test]
    fn an_origin_has_a_scheme_and_no_path() {
        for text in [
            "",
            "page.example",
            "https://",
            "://x",
            "https://page.example/",
        ] {
            assert!(text.parse::<WebOrigin>().is_err(), "{text}");
        }
    }
}
