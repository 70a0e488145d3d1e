//! Sentences of comments and of Markdown.

/// A sentence, without what stands in backticks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    /// On which it begins, from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

/// A line of Markdown with its number.
type Line<'a> = (usize, &'a str);

/// The sentences of a Markdown page.
pub(super) fn of_page(text: &str) -> Vec<Sentence> {
    sentences(&numbered(text).collect::<Vec<_>>())
}

/// The sentences of a source's comments.
pub(super) fn of_comments(text: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    let mut block = Vec::new();
    let mut last = "";
    for (number, line) in numbered(text) {
        let (kind, words) = comment(line);
        if kind != last || kind.is_empty() {
            found.extend(sentences(&block));
            block.clear();
        }
        last = kind;
        if !kind.is_empty() && !words.starts_with("spec: ") {
            block.push((number, words));
        }
    }
    found.extend(sentences(&block));
    found
}

fn numbered(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines()
        .enumerate()
        .map(|(place, line)| (place + 1, line.trim()))
}

/// What kind of comment a line is, and what it says; a kind is empty where there is none.
fn comment(line: &str) -> (&str, &str) {
    let start = ["//!", "///", "//"];
    if let Some(kind) = start.into_iter().find(|kind| line.starts_with(kind)) {
        return (&line[..kind.len()], line[kind.len()..].trim());
    }
    // Slashes in a string are no comment.
    let is_code = |start: &usize| line[..*start].matches('"').count().is_multiple_of(2);
    let mut starts = line.match_indices(" // ").map(|(start, _)| start);
    match starts.find(is_code) {
        Some(start) => ("end", line[start + 4..].trim()),
        None => ("", ""),
    }
}

/// The sentences of lines of Markdown, without code, headings and tables.
fn sentences(lines: &[Line<'_>]) -> Vec<Sentence> {
    let mut text = Text {
        sentences: Vec::new(),
        words: Vec::new(),
        line: 0,
    };
    let mut is_code = false;
    let mut is_span = false;
    for &(number, line) in lines {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        let is_prose = !line.starts_with(['#', '|', '<']) && !line.starts_with("```");
        if is_code || !is_prose || line.is_empty() {
            text.end();
            is_span = false;
            continue;
        }
        let item = list_item(line);
        if item.is_some() {
            text.end();
            is_span = false;
        }
        let line = without_code(item.unwrap_or(line), &mut is_span);
        for word in line.split_whitespace() {
            text.push(number, word);
        }
    }
    text.end();
    text.sentences
}

/// What stands on a line after the mark of a list's item, if it has one.
fn list_item(line: &str) -> Option<&str> {
    let bullet = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
    bullet.or_else(|| {
        let rest = line.trim_start_matches(|char: char| char.is_ascii_digit());
        let is_numbered = rest.len() < line.len();
        is_numbered.then(|| rest.strip_prefix(". ")).flatten()
    })
}

/// A line with `…` for each piece of code; `is_span` says whether one goes on from line to line.
fn without_code(line: &str, is_span: &mut bool) -> String {
    let mut text = String::new();
    for (place, piece) in line.split('`').enumerate() {
        if place > 0 {
            *is_span = !*is_span;
            if *is_span {
                text.push('…');
            }
        }
        if !*is_span {
            text.push_str(piece);
        }
    }
    text
}

/// Sentences as they are put together from words.
struct Text {
    sentences: Vec<Sentence>,
    /// Of the sentence that has not ended.
    words: Vec<String>,
    /// On which that sentence began.
    line: usize,
}

impl Text {
    fn push(&mut self, line: usize, word: &str) {
        if self.words.is_empty() {
            self.line = line;
        }
        self.words.push(word.to_owned());
        let bare = word.trim_end_matches([')', '"', '*', '_', '\'']);
        if bare.ends_with(['.', '?', '!']) && !ABBREVIATIONS.contains(&bare) {
            self.end();
        }
    }

    fn end(&mut self) {
        if !self.words.is_empty() {
            self.sentences.push(Sentence {
                line: self.line,
                text: self.words.join(" "),
            });
            self.words.clear();
        }
    }
}

/// Words with a period that does not end a sentence.
const ABBREVIATIONS: [&str; 4] = ["e.g.", "i.e.", "etc.", "vs."];

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sentences: &[Sentence]) -> Vec<(usize, &str)> {
        let told = sentences.iter();
        told.map(|sentence| (sentence.line, sentence.text.as_str()))
            .collect()
    }

    #[test]
    fn sentences_of_a_page_leave_out_code_tables_and_headings() {
        let page = "# A title.\n\nOne `let a = b.c;` here, e.g. this. Two\ngoes on!\n- three\n- four\n\n```sh\nls\n```\n| a. | b. |\nFive\n";
        let expected = [
            (3, "One … here, e.g. this."),
            (3, "Two goes on!"),
            (5, "three"),
            (6, "four"),
            (12, "Five"),
        ];
        assert_eq!(told(&of_page(page)), expected);
    }

    #[test]
    fn code_in_backticks_may_go_on_to_the_next_line() {
        let page = "See `one\ntwo` there.";
        assert_eq!(told(&of_page(page)), [(1, "See … there.")]);
    }

    #[test]
    fn comments_of_one_kind_are_one_text() {
        let source = "//! Of the file,\n//! whole.\n\n/// Of an item.\n// Of nobody\nlet a = \"b // c\"; // At the end\n// spec: Announce, \"that\"\n";
        let expected = [
            (1, "Of the file, whole."),
            (4, "Of an item."),
            (5, "Of nobody"),
            (6, "At the end"),
        ];
        assert_eq!(told(&of_comments(source)), expected);
        assert!(of_comments("let a = \"b // that\";").is_empty());
    }

    #[test]
    fn code_of_a_comment_ends_with_the_comment() {
        let source = "/// ```\n/// let that = 1;\n\n/// After.";
        assert_eq!(told(&of_comments(source)), [(4, "After.")]);
    }
}
