//! The text of an item's documentation.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// What stands in an item's `///` or `//!` lines.
#[derive(Debug, Default)]
pub(super) struct Doc {
    text: String,
    /// Some of it comes from a macro, such as `include_str!`, and cannot be read here.
    is_partial: bool,
}

impl Doc {
    pub(super) fn of<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> Self {
        let mut doc = Self::default();
        for attribute in attributes {
            let Meta::NameValue(pair) = &attribute.meta else {
                continue;
            };
            if !pair.path.is_ident("doc") {
                continue;
            }
            match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(line),
                    ..
                }) => doc.push(&line.value()),
                _ => doc.is_partial = true,
            }
        }
        doc
    }

    /// Adds the text of one `doc` attribute.
    pub(super) fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && !self.is_partial
    }

    /// Whether the first paragraph has a sentence that ends in a period.
    pub(super) fn begins_with_sentence(&self) -> bool {
        let lines = self.text.lines().map(str::trim);
        let first = lines
            .skip_while(|line| line.is_empty())
            .take_while(|line| !line.is_empty());
        let is_end = |word: &str| word.trim_end_matches([')', '"', '*', '`']).ends_with('.');
        let mut words = first.flat_map(str::split_whitespace);
        self.is_partial || words.any(|word| is_end(word) && !ABBREVIATIONS.contains(&word))
    }

    /// Whether it has the section with that heading, such as `Errors`.
    pub(super) fn has_section(&self, heading: &str) -> bool {
        let mut lines = self.text.lines();
        lines.any(|line| line.trim().strip_prefix("# ") == Some(heading))
    }

    pub(super) fn tells_cancel_safety(&self) -> bool {
        ["Cancel safe", "Not cancel safe"]
            .iter()
            .any(|words| self.text.contains(words))
    }
}

/// Words with a period that does not end a sentence.
const ABBREVIATIONS: [&str; 4] = ["e.g.", "i.e.", "etc.", "vs."];

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(text: &str) -> Doc {
        let mut doc = Doc::default();
        doc.push(text);
        doc
    }

    #[test]
    fn sentence_ends_in_a_period_within_the_first_paragraph() {
        for text in [" Reads.", "\nReads a\nframe. Waits", "Reads (a frame.)"] {
            assert!(doc(text).begins_with_sentence(), "{text}");
        }
        for text in ["", "Reads", "Reads, e.g. a frame", "Reads 1.5\n\nIt waits."] {
            assert!(!doc(text).begins_with_sentence(), "{text}");
        }
    }

    #[test]
    fn section_is_a_heading_of_its_own() {
        assert!(doc("Reads.\n\n # Errors\n None.").has_section("Errors"));
        assert!(!doc("Reads # Errors.").has_section("Errors"));
        assert!(!doc("# Errors of others").has_section("Errors"));
    }
}
