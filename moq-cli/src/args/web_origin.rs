//! Which pages may connect.

use std::fmt;
use std::str::FromStr;

/// A pattern of origins of pages: `https://page.example`, `https://*.page.example`, `*`.
///
/// A star stands for any text without a slash; upper and lower case are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebOrigin(String);

impl WebOrigin {
    /// Whether the origin of a page, as its browser sends it, is one of these.
    pub(crate) fn matches(&self, origin: &str) -> bool {
        self.0 == "*" || matches(&self.0, &origin.to_ascii_lowercase())
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

/// Whether a text is what a pattern says.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(first) else {
        return false;
    };
    let star = text.find('/').unwrap_or(text.len());
    let ends = (0..=star).filter(|end| text.is_char_boundary(*end));
    ends.into_iter().any(|end| matches(rest, &text[end..]))
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
            ("null", "null", true),
            ("*", "null", true),
            ("https://*", "null", false),
        ] {
            let pattern: WebOrigin = pattern.parse().unwrap();
            assert_eq!(pattern.matches(origin), is_one, "{pattern} {origin}");
        }
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
