//! A copy of the workspace that a patch may change.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::workspace::output;

/// A copy of the files that git tracks, at one path and for one target directory.
///
/// Cargo names what it builds by a crate's path from the workspace's root, and looks at times of
/// change alone. So two copies must not share a target directory, and a file is written only if
/// its content differs: a write is what has a crate built again.
#[derive(Debug)]
pub(super) struct WorkspaceCopy {
    from: PathBuf,
    root: PathBuf,
}

impl WorkspaceCopy {
    /// Makes the folder of a copy, without any file.
    pub(super) fn new(from: &Path, root: PathBuf) -> anyhow::Result<Self> {
        let found = Command::new("git").arg("--version").output();
        let is_found = found.is_ok_and(|output| output.status.success());
        ensure!(
            is_found,
            "git is not on the path; it lists the files to copy and applies the patches"
        );
        fs::create_dir_all(&root).with_context(|| format!("making {}", root.display()))?;
        let root = root.canonicalize();
        Ok(Self {
            from: from.to_owned(),
            root: root.context("resolving the path of a copy")?,
        })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the copy the same as the tracked files, with the changes that are not committed.
    pub(super) fn refresh(&self) -> anyhow::Result<()> {
        let mut list = git(&self.from);
        let list = output(list.args(["ls-files", "-z"])).context("listing the tracked files")?;
        let tracked: BTreeSet<&Path> = list
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(Path::new)
            .collect();
        let mut copied = BTreeSet::new();
        for path in tracked {
            match fs::read(self.from.join(path)) {
                Ok(content) => {
                    write(&self.root.join(path), &content)?;
                    copied.insert(self.root.join(path));
                }
                // Deleted, which is not committed yet.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| path.display().to_string()),
            }
        }
        remove_others(&self.root, &copied)
    }

    /// Applies a patch; the inner error is git's reason why it does not fit.
    pub(super) fn apply(&self, patch: &Path) -> anyhow::Result<Result<(), String>> {
        let mut apply = git(&self.root);
        // In a work tree, git would look for the patched files there and not in the copy.
        if let Some(parent) = self.root.parent() {
            apply.env("GIT_CEILING_DIRECTORIES", parent);
        }
        apply.args(["apply", "--whitespace=nowarn"]).arg(patch);
        let output = apply.output().context("running git apply")?;
        if output.status.success() {
            return Ok(Ok(()));
        }
        let why = String::from_utf8_lossy(&output.stderr);
        Ok(Err(why.trim().replace('\n', "; ")))
    }
}

/// A git command that works in `dir`, whatever repository the caller is at work on.
fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(dir);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command
}

/// Writes a file unless it has that content.
fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    let dir = path.parent().context("a file lies in a directory")?;
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    fs::write(path, content).with_context(|| format!("writing {}", path.display()))
}

fn remove_others(dir: &Path, wanted: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(dir).with_context(|| format!("listing {}", dir.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("listing {}", dir.display()))?
            .path();
        if path.is_dir() {
            remove_others(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with one tracked file, a file that is not tracked, and a copy inside of it.
    fn repository(name: &str) -> WorkspaceCopy {
        let id = std::process::id();
        let from = std::env::temp_dir().join(format!("xtask-planted-{name}-{id}"));
        fs::create_dir_all(&from).unwrap();
        output(git(&from).args(["init", "--quiet"])).unwrap();
        fs::write(from.join("tracked"), "one\n").unwrap();
        output(git(&from).args(["add", "tracked"])).unwrap();
        fs::write(from.join("other"), "").unwrap();
        WorkspaceCopy::new(&from, from.join("copy")).unwrap()
    }

    fn names(copy: &WorkspaceCopy) -> Vec<String> {
        let entries = fs::read_dir(copy.root()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn copy_has_the_tracked_files_alone() {
        let copy = repository("tracked");
        fs::write(copy.root().join("left"), "").unwrap();
        copy.refresh().unwrap();
        assert_eq!(names(&copy), ["tracked"]);
        fs::remove_file(copy.from.join("tracked")).unwrap();
        copy.refresh().unwrap();
        assert!(names(&copy).is_empty());
        fs::remove_dir_all(&copy.from).unwrap();
    }

    #[test]
    fn patch_changes_the_copy_until_it_is_refreshed() {
        let copy = repository("patch");
        copy.refresh().unwrap();
        let patch = copy.from.join("bug.patch");
        let change = "--- a/tracked\n+++ b/tracked\n@@ -1 +1 @@\n-one\n+two\n";
        fs::write(&patch, format!("One becomes two.\n\n{change}")).unwrap();
        let content = || fs::read_to_string(copy.root().join("tracked")).unwrap();
        copy.apply(&patch).unwrap().unwrap();
        assert_eq!(content(), "two\n");
        let why = copy.apply(&patch).unwrap().unwrap_err();
        assert!(why.contains("patch does not apply"), "{why}");
        copy.refresh().unwrap();
        assert_eq!(content(), "one\n");
        let original = fs::read_to_string(copy.from.join("tracked")).unwrap();
        assert_eq!(original, "one\n");
        fs::remove_dir_all(&copy.from).unwrap();
    }

    #[test]
    fn file_with_its_content_is_not_written_again() {
        let copy = repository("times");
        copy.refresh().unwrap();
        let changed = || fs::metadata(copy.root().join("tracked")).unwrap();
        let before = changed().modified().unwrap();
        copy.refresh().unwrap();
        assert_eq!(changed().modified().unwrap(), before);
        fs::remove_dir_all(&copy.from).unwrap();
    }
}
