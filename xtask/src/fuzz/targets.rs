//! Which targets there are, and whether all places agree on that.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::workspace::Workspace;

/// A fuzz target, and the package that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) package: &'static str,
    pub(super) name: String,
}

/// The packages that have fuzz targets.
pub(super) const PACKAGES: [&str; 2] = ["moq-wire", "moq-media"];

/// The folder of the crate that libFuzzer runs.
pub(super) fn fuzz_dir(workspace: &Workspace, package: &str) -> anyhow::Result<PathBuf> {
    Ok(workspace.package(package)?.dir.join("fuzz"))
}

/// The folder of inputs that are part of the repository, with a folder for each target.
pub(super) fn corpus(workspace: &Workspace, package: &str) -> anyhow::Result<PathBuf> {
    Ok(workspace.package(package)?.dir.join("tests/corpus"))
}

/// Every target of every package.
pub(super) fn all(workspace: &Workspace) -> anyhow::Result<Vec<Target>> {
    let mut all = Vec::new();
    for package in PACKAGES {
        let names = names(workspace, package)?.into_iter();
        all.extend(names.map(|name| Target { package, name }));
    }
    Ok(all)
}

/// Every target of a package, as the manifest in the fuzz folder names them.
fn names(workspace: &Workspace, package: &str) -> anyhow::Result<Vec<String>> {
    let manifest = fuzz_dir(workspace, package)?.join("Cargo.toml");
    let text =
        fs::read_to_string(&manifest).with_context(|| format!("reading {}", manifest.display()))?;
    let names = binaries(&text);
    ensure!(!names.is_empty(), "{} has no targets", manifest.display());
    Ok(names)
}

/// What is wrong with the targets: each has a program, a body and inputs, and the inputs are few.
pub(crate) fn faults(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for package in PACKAGES {
        let names = names(workspace, package)?;
        let bodies = workspace.package(package)?.dir.join("src/fuzz/mod.rs");
        let bodies =
            fs::read_to_string(&bodies).with_context(|| format!("reading {}", bodies.display()))?;
        let corpus = sizes(&corpus(workspace, package)?)?;
        let found = disagreements(&names, &listed(&bodies), &corpus);
        faults.extend(found.into_iter().map(|fault| format!("{package}: {fault}")));
    }
    Ok(faults)
}

fn disagreements(
    programs: &[String],
    bodies: &[String],
    corpus: &BTreeMap<String, u64>,
) -> Vec<String> {
    let mut faults = Vec::new();
    if programs != bodies {
        faults.push("fuzz/Cargo.toml and fuzz::TARGETS name different targets".to_owned());
    }
    for program in programs {
        if corpus.get(program).is_none_or(|&bytes| bytes == 0) {
            faults.push(format!("fuzz target {program} has no corpus"));
        }
    }
    for name in corpus.keys().filter(|name| !programs.contains(name)) {
        faults.push(format!("the corpus {name} belongs to no fuzz target"));
    }
    let bytes = corpus.values().sum::<u64>();
    if bytes > MOST_BYTES {
        faults.push(format!(
            "the fuzz corpus has {bytes} bytes, {MOST_BYTES} are allowed"
        ));
    }
    faults
}

/// The names in the `[[bin]]` tables of a manifest.
fn binaries(manifest: &str) -> Vec<String> {
    let tables = manifest
        .split("\n[")
        .filter(|table| table.starts_with("[bin]]"));
    let name = |table: &str| {
        table
            .lines()
            .find_map(|line| line.strip_prefix("name = "))
            .map(bare)
    };
    tables.filter_map(name).collect()
}

/// The names in the table of targets, a line such as `("path", path),` each.
fn listed(source: &str) -> Vec<String> {
    let names = source.lines().filter_map(|line| {
        let (name, _) = line.trim().strip_prefix("(\"")?.split_once('"')?;
        Some(name.to_owned())
    });
    names.collect()
}

fn bare(quoted: &str) -> String {
    quoted.trim().trim_matches('"').to_owned()
}

/// How many bytes are in the files of each folder in `dir`.
fn sizes(dir: &Path) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut sizes = BTreeMap::new();
    for entry in entries(dir)? {
        let mut bytes = 0;
        for input in entries(&entry.path())? {
            bytes += input.metadata().context("asking for a file's size")?.len();
        }
        sizes.insert(entry.file_name().to_string_lossy().into_owned(), bytes);
    }
    Ok(sizes)
}

fn entries(dir: &Path) -> anyhow::Result<Vec<fs::DirEntry>> {
    let list = || fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>();
    list().with_context(|| format!("listing {}", dir.display()))
}

/// What all inputs of a package may take.
const MOST_BYTES: u64 = 2_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_manifest_and_source() {
        let manifest = "[package]\nname = \"fuzz\"\n\n[[bin]]\nname = \"path\"\npath = \"x.rs\"\n\n[[bin]]\nname = \"probe\"\n";
        let source = "pub const TARGETS: &[(&str, Target)] = &[\n    (\"path\", path),\n    (\"probe\", probe),\n];\n";
        assert_eq!(binaries(manifest), ["path", "probe"]);
        assert_eq!(listed(source), binaries(manifest));
    }

    #[test]
    fn what_is_missing_or_too_much_is_a_fault() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let corpus = |sizes: &[(&str, u64)]| {
            let sizes = sizes.iter().map(|&(name, bytes)| (name.to_owned(), bytes));
            sizes.collect::<BTreeMap<_, _>>()
        };
        let both = names(&["path", "probe"]);
        let good = corpus(&[("path", 1), ("probe", MOST_BYTES - 1)]);
        assert!(disagreements(&both, &both, &good).is_empty());
        assert_eq!(disagreements(&both, &names(&["path"]), &good).len(), 1);
        let bad = corpus(&[("path", MOST_BYTES + 1), ("probe", 0), ("sound", 0)]);
        assert_eq!(disagreements(&both, &both, &bad).len(), 3);
    }
}
