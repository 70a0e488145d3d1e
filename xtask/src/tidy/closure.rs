//! How much a user of a crate has to download, and what must not be in it.

use std::collections::BTreeSet;

use super::Findings;
use crate::workspace::{Workspace, output};

pub(super) fn check(workspace: &Workspace, findings: &mut Findings) -> anyhow::Result<()> {
    for (package, budget) in BUDGETS {
        let tree = tree(workspace, package, &["--target", LINUX])?;
        let size = closure(&tree, package).len();
        findings.note(format!("{package}: {size} of at most {budget} crates"));
        if size > budget {
            findings.fault(format!(
                "{package} needs {size} crates, {budget} are allowed"
            ));
        }
    }
    for (package, budget) in BARE {
        let tree = tree(
            workspace,
            package,
            &["--no-default-features", "--target", LINUX],
        )?;
        let size = closure(&tree, package).len();
        findings.note(format!(
            "{package} without features: {size} of at most {budget} crates"
        ));
        if size > budget {
            findings.fault(format!(
                "{package} without features needs {size} crates, {budget} are allowed"
            ));
        }
    }
    for (package, others) in APART {
        let all = tree(workspace, package, &["--all-features", "--target", "all"])?;
        for name in closure(&all, package)
            .into_iter()
            .filter_map(|crate_| crate_.split(' ').next())
            .filter(|name| others.contains(name))
        {
            findings.fault(format!("{package} must build without {name}"));
        }
    }
    for package in SANS_IO {
        let all = tree(workspace, package, &["--all-features", "--target", "all"])?;
        for name in closure(&all, package)
            .into_iter()
            .filter(|name| does_io(name))
        {
            findings.fault(format!(
                "{package} must not depend on {name}, not even indirectly"
            ));
        }
        let browser = tree(workspace, package, BROWSER)?;
        if browser.lines().any(has_tokio_clock) {
            findings.fault(format!(
                "{package} has tokio's clock in a browser, where it panics"
            ));
        }
    }
    Ok(())
}

/// Whether a line `tokio VERSION FEATURES` of a tree has the feature `time`.
fn has_tokio_clock(line: &str) -> bool {
    let mut words = line.split(' ');
    let is_tokio = words.next() == Some("tokio");
    is_tokio
        && words
            .skip(1)
            .any(|features| features.split(',').any(|name| name == "time"))
}

/// `cargo tree` of the dependencies that a user of `package` gets.
fn tree(workspace: &Workspace, package: &str, extra: &[&str]) -> anyhow::Result<String> {
    let args = ["tree", "-p", package, "-e", "normal", "--prefix", "none"];
    output(workspace.cargo(&args).args(extra))
}

/// The distinct `name version` of a tree's lines, without `package` itself.
fn closure<'a>(tree: &'a str, package: &str) -> BTreeSet<&'a str> {
    tree.lines()
        .map(|line| {
            let version = line.find(" v").map_or(0, |space| space + 1);
            let end = line[version..]
                .find(' ')
                .map_or(line.len(), |end| version + end);
            &line[..end]
        })
        .filter(|crate_| !crate_.is_empty() && !crate_.starts_with(&format!("{package} ")))
        .collect()
}

/// Whether a `name version` names a crate that talks to sockets.
fn does_io(crate_: &str) -> bool {
    let name = crate_.split(' ').next().unwrap_or_default();
    ["mio", "socket2"].contains(&name) || name == "quinn" || name.starts_with("quinn-")
}

/// The crates that must build for a browser.
pub(super) const SANS_IO: [&str; 4] = ["moq-wire", "moq-model", "moq-media", "moq-session"];

/// What a program that depends on one transport does without.
const APART: [(&str, &[&str]); 3] = [
    (
        "moq-transport-common",
        &[
            "quinn",
            "web-transport-quinn",
            "moq-transport-quinn",
            "moq-transport-direct",
        ],
    ),
    ("moq-transport-quinn", &["moq-transport-direct"]),
    (
        "moq-transport-direct",
        &["quinn", "web-transport-quinn", "moq-transport-quinn"],
    ),
];

/// Normal dependencies with default features on Linux.
const BUDGETS: [(&str, usize); 8] = [
    ("moq-wire", 6),
    ("moq-model", 15),
    ("moq-media", 45),
    ("moq-session", 30),
    ("moq-transport-common", 70),
    ("moq-transport-quinn", 115),
    ("moq-transport-direct", 100),
    ("moq-relay", 200),
];

/// Normal dependencies without default features on Linux.
const BARE: [(&str, usize); 1] = [("moq-relay", 130)];

const LINUX: &str = "x86_64-unknown-linux-gnu";

/// What a browser gets; it has no runtime of tokio.
const BROWSER: &[&str] = &[
    "--target",
    "wasm32-unknown-unknown",
    "--no-default-features",
    "--format",
    "{p} {f}",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_and_marked_lines_count_once() {
        let tree = "\
moq-session v0.1.0 (/w/moq-session)
bytes v1.10.0
moq-wire v0.1.0 (/w/moq-wire)
bytes v1.10.0
thiserror v2.0.0
thiserror-impl v2.0.0 (proc-macro)
thiserror v2.0.0 (*)

syn v2.0.1
syn v1.0.9
";
        let found: Vec<&str> = closure(tree, "moq-session").into_iter().collect();
        let expected = [
            "bytes v1.10.0",
            "moq-wire v0.1.0",
            "syn v1.0.9",
            "syn v2.0.1",
            "thiserror v2.0.0",
            "thiserror-impl v2.0.0",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_clock_of_tokio_is_a_feature() {
        assert!(has_tokio_clock("tokio v1.0.0 macros,sync,time"));
        assert!(has_tokio_clock("tokio v1.0.0 time (*)"));
        assert!(!has_tokio_clock("tokio v1.0.0 macros,sync"));
        assert!(!has_tokio_clock("tokio-util v0.7.0 time"));
    }

    #[test]
    fn socket_crates_are_known_by_name() {
        assert!(does_io("mio v1.0.0"));
        assert!(does_io("quinn-udp v0.5.0"));
        assert!(!does_io("miow v0.6.0"));
        assert!(!does_io("tokio v1.0.0"));
    }
}
