//! Sentences in comments and pages that are hard to read, as far as counting words tells.

mod prose;

use std::io::Write as _;
use std::path::Path;

use super::read;
use super::sources::collect;
use crate::workspace::Workspace;
use prose::Sentence;

/// Words of which a sentence may have only so many.
struct Rule {
    name: &'static str,
    /// Words, or phrases of several words, in lower case.
    phrases: &'static [&'static str],
    /// In one sentence.
    most: usize,
}

const RULES: [Rule; 2] = [
    Rule {
        name: "stacked clauses",
        phrases: &["that", "which", "what", "who", "whose", "whom"],
        most: 2,
    },
    Rule {
        name: "roundabout: drop, evict or release",
        phrases: &[
            "let go of",
            "lets go of",
            "letting go of",
            "have done with",
            "has done with",
        ],
        most: 0,
    },
];

/// Prints the sentences that break a rule, in files whose path from the root begins with `under`.
pub(super) fn print(workspace: &Workspace, under: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let mut counts = [0; RULES.len()];
    for extension in ["md", "rs"] {
        let mut paths = Vec::new();
        collect(&workspace.root, extension, &mut paths)?;
        paths.sort();
        for path in paths {
            let from_root = path.strip_prefix(&workspace.root).unwrap_or(&path);
            if !from_root.starts_with(under) {
                continue;
            }
            let text = read(&path)?;
            for sentence in sentences(&path, &text) {
                for (rule, count) in RULES.iter().zip(&mut counts) {
                    if rule.is_broken(&sentence) {
                        *count += 1;
                        let (path, line) = (from_root.display(), sentence.line);
                        writeln!(stdout, "{path}:{line}: {} ({})", sentence.text, rule.name)?;
                    }
                }
            }
        }
    }
    for (rule, count) in RULES.iter().zip(counts) {
        eprintln!("{}: {count} sentences", rule.name);
    }
    Ok(())
}

fn sentences(path: &Path, text: &str) -> Vec<Sentence> {
    if path.extension().is_some_and(|extension| extension == "md") {
        prose::of_page(text)
    } else {
        prose::of_comments(text)
    }
}

impl Rule {
    fn is_broken(&self, sentence: &Sentence) -> bool {
        let text = sentence.text.to_lowercase();
        let words = text.split(|char: char| !char.is_alphanumeric());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let counts = self.phrases.iter().map(|phrase| count(&words, phrase));
        counts.sum::<usize>() > self.most
    }
}

/// How often a phrase occurs in a text.
fn count(text: &[&str], phrase: &str) -> usize {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let places = text.windows(phrase.len());
    places.filter(|words| **words == *phrase).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the rules that a sentence breaks.
    fn broken(text: &str) -> Vec<&'static str> {
        let sentence = Sentence {
            line: 1,
            text: text.to_owned(),
        };
        let rules = RULES.iter().filter(|rule| rule.is_broken(&sentence));
        rules.map(|rule| rule.name).collect()
    }

    #[test]
    fn two_relative_clauses_are_enough() {
        assert!(broken("Reads the group that was asked for, which may be old.").is_empty());
        assert_eq!(broken("What that which is read is."), ["stacked clauses"]);
        assert_eq!(broken("That, that (that)"), ["stacked clauses"]);
        assert!(broken("Thatch, whatever, whoever and that.").is_empty());
    }

    #[test]
    fn phrases_are_whole_words_in_a_row() {
        assert_eq!(broken("Lets go of it.").len(), 1);
        assert!(broken("Lets it go, of course.").is_empty());
        assert!(broken("Outlets go of").is_empty());
    }
}
