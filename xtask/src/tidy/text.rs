//! What tidy looks for in the text of a source file.

/// The time types and socket crates that a file mentions, comments aside.
pub(super) fn clocks_and_sockets(text: &str) -> Vec<&'static str> {
    let code = dense_code(text);
    let mut found: Vec<&str> = SOCKETS
        .into_iter()
        .filter(|path| has_path(&code, path))
        .map(|path| path.trim_end_matches("::"))
        .collect();
    for (module, clock) in CLOCKS {
        if imports(&code, module, clock) {
            found.push(clock);
        }
    }
    found
}

/// The numbers of the lines that leave something for later and name no issue for it.
pub(super) fn leftovers(text: &str) -> Vec<usize> {
    let lines = text.lines().enumerate();
    let left = lines.filter(|(_, line)| is_leftover(line) && !is_pinned(line));
    left.map(|(index, _)| index + 1).collect()
}

/// How many tests name the line of the specification that they show.
pub(super) fn spec_lines(text: &str) -> usize {
    let lines = text.lines().map(str::trim_start);
    lines.filter(|line| line.starts_with("// spec:")).count()
}

/// The code without comments, on one line, so that a path is found however it is wrapped.
fn dense_code(text: &str) -> String {
    let code = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    let words: Vec<&str> = code.flat_map(str::split_whitespace).collect();
    words
        .join(" ")
        .replace("{ ", "{")
        .replace(" }", "}")
        .replace(", ", ",")
}

/// Whether the path occurs at the start of a name, not inside a longer one.
fn has_path(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|char| char.is_alphanumeric() || char == '_' || char == '-')
    })
}

/// Whether `module::Name` occurs, spelled out or within the braces of an import.
fn imports(code: &str, module: &str, name: &str) -> bool {
    let wanted = |word: &str| {
        word.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            == Some(name)
    };
    code.match_indices(module).any(|(at, _)| {
        let rest = &code[at + module.len()..];
        match rest.strip_prefix('{') {
            Some(group) => group
                .split('}')
                .next()
                .is_some_and(|group| group.split(',').any(wanted)),
            None => wanted(rest),
        }
    })
}

fn is_leftover(line: &str) -> bool {
    let comment = line.split_once("//").map_or("", |(_, comment)| comment);
    let words = comment.split(|char: char| !char.is_alphanumeric());
    let code = line.trim_start();
    words.into_iter().any(|word| WORDS.contains(&word))
        || MACROS.iter().any(|start| code.contains(start))
        || code.starts_with(IGNORE)
}

/// Whether a line names an issue: `#` and a number.
fn is_pinned(line: &str) -> bool {
    let mut after = line.split('#').skip(1);
    after.any(|rest| rest.starts_with(|char: char| char.is_ascii_digit()))
}

const SOCKETS: [&str; 3] = ["mio::", "socket2::", "quinn::"];

const CLOCKS: [(&str, &str); 4] = [
    ("std::time::", "Instant"),
    ("std::time::", "SystemTime"),
    ("core::time::", "Instant"),
    ("tokio::time::", "Instant"),
];

// Put together from halves, so that this file does not find itself.
const WORDS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
const MACROS: [&str; 2] = [concat!("to", "do!("), concat!("unimple", "mented!(")];
const IGNORE: &str = concat!("#[ig", "nore");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_found_however_they_are_imported() {
        assert_eq!(
            clocks_and_sockets("let now = std::time::Instant::now();"),
            ["Instant"]
        );
        assert_eq!(clocks_and_sockets("use tokio::time::Instant;"), ["Instant"]);
        let wrapped = "use std::time::{\n    Duration,\n    Instant,\n};";
        assert_eq!(clocks_and_sockets(wrapped), ["Instant"]);
        assert_eq!(
            clocks_and_sockets("use std::time::{Duration, SystemTime};"),
            ["SystemTime"]
        );
    }

    #[test]
    fn durations_comments_and_own_types_are_no_clocks() {
        assert!(
            clocks_and_sockets("use std::time::Duration;\nuse crate::clock::Instant;").is_empty()
        );
        assert!(clocks_and_sockets("// unlike std::time::Instant").is_empty());
        assert!(clocks_and_sockets("use std::time::InstantLike;").is_empty());
        assert!(clocks_and_sockets("use std::time::{Duration};\nstruct Instant {}").is_empty());
    }

    #[test]
    fn socket_crates_are_found_by_path() {
        assert_eq!(clocks_and_sockets("quinn::Connection"), ["quinn"]);
        assert!(clocks_and_sockets("moq_transport_quinn::Client").is_empty());
    }

    #[test]
    fn leftovers_need_an_issue() {
        let comment = format!("fn a() {{}} // {}: later", WORDS[0]);
        assert_eq!(leftovers(&format!("\n{comment}\n")), [2]);
        assert!(leftovers(&comment.replace(':', "(#12):")).is_empty());
        assert_eq!(leftovers(&format!("    {}]", IGNORE)), [1]);
        assert!(leftovers(&format!("{} = \"#7: slow\"]", IGNORE)).is_empty());
        assert_eq!(leftovers(&format!("{})", MACROS[0])), [1]);
        assert!(leftovers("let todos = list();").is_empty());
    }

    #[test]
    fn spec_lines_are_counted() {
        let text = "    // spec: Announce, \"MUST\"\n#[test]\nfn a() {} // specific\n";
        assert_eq!(spec_lines(text), 1);
    }
}
