//! A test program run over a folder of planted bugs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use super::copy::WorkspaceCopy;
use crate::workspace::Workspace;

/// A test program, and the bugs that it has to notice.
pub(crate) struct Suite<'a> {
    /// Names the copy of the workspace below the target directory.
    pub(crate) name: &'a str,
    /// The folder of the patches, from the workspace's root.
    pub(crate) patches: &'a str,
    /// The `cargo test` that builds and runs the program in a workspace, up to the `--` before the
    /// program's own arguments. It keeps what it builds below the target directory of its argument.
    pub(crate) test: &'a dyn Fn(&Workspace) -> Command,
    /// The program's own arguments.
    pub(crate) args: &'a [&'a str],
}

impl Suite<'_> {
    /// Runs the program over the bugs with those names, or over all where `names` is empty.
    ///
    /// # Errors
    ///
    /// Names every bug that was not noticed, or that could not be tried because its patch does not
    /// apply or the patched workspace does not build. Also fails if the program fails without a bug.
    pub(crate) fn run(&self, workspace: &Workspace, names: &[&str]) -> anyhow::Result<()> {
        let bugs = chosen(all_in(&workspace.root.join(self.patches))?, names)?;
        let base = workspace.target.join("planted").join(self.name);
        let copy = WorkspaceCopy::new(&workspace.root, base.join("source"))?;
        let copied = Workspace {
            root: copy.root().to_owned(),
            target: base.join("target"),
            packages: Vec::new(),
        };
        eprintln!("== no planted bug");
        copy.refresh()?;
        match self.verdict(&copied)? {
            Verdict::Missed => {}
            Verdict::DoesNotBuild => bail!("the tracked files do not build"),
            _ => bail!("{} fails without a planted bug", self.name),
        }
        let mut failed = Vec::new();
        for bug in &bugs {
            eprintln!("== {}", bug.name);
            copy.refresh()?;
            let verdict = match copy.apply(&bug.patch)? {
                Ok(()) => self.verdict(&copied)?,
                Err(why) => Verdict::DoesNotApply(why),
            };
            eprintln!("   {} {verdict}", bug.name);
            if verdict != Verdict::Noticed {
                failed.push(format!("{} {verdict}", bug.name));
            }
        }
        let noticed = bugs.len() - failed.len();
        eprintln!("{noticed} of {} planted bugs noticed", bugs.len());
        ensure!(failed.is_empty(), "{}", failed.join("; "));
        Ok(())
    }

    /// Builds and runs the program in the copy.
    fn verdict(&self, copied: &Workspace) -> anyhow::Result<Verdict> {
        let mut build = (self.test)(copied);
        build.arg("--no-run");
        if !build.status().context("building a copy")?.success() {
            return Ok(Verdict::DoesNotBuild);
        }
        let mut run = (self.test)(copied);
        run.arg("--").args(self.args);
        let status = run.status().context("running a copy")?;
        Ok(if status.success() {
            Verdict::Missed
        } else {
            Verdict::Noticed
        })
    }
}

/// What became of a planted bug.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Noticed,
    Missed,
    /// Its patch does not fit the sources any more, for the reason that git gives.
    DoesNotApply(String),
    DoesNotBuild,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noticed => f.write_str("is noticed"),
            Self::Missed => f.write_str("is missed"),
            Self::DoesNotApply(why) => write!(f, "does not apply: {why}"),
            Self::DoesNotBuild => f.write_str("does not build"),
        }
    }
}

/// A bug as a patch of the workspace.
#[derive(Debug, PartialEq, Eq)]
struct Bug {
    name: String,
    patch: PathBuf,
}

/// The patches of a folder, in the order of their names.
fn all_in(folder: &Path) -> anyhow::Result<Vec<Bug>> {
    let entries = std::fs::read_dir(folder);
    let entries = entries.with_context(|| format!("listing {}", folder.display()))?;
    let mut bugs = Vec::new();
    for entry in entries {
        let patch = entry
            .with_context(|| format!("listing {}", folder.display()))?
            .path();
        if patch.extension().is_some_and(|kind| kind == "patch") {
            let name = patch.file_stem().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            bugs.push(Bug { name, patch });
        }
    }
    ensure!(!bugs.is_empty(), "{} has no patch", folder.display());
    bugs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(bugs)
}

fn chosen(mut bugs: Vec<Bug>, names: &[&str]) -> anyhow::Result<Vec<Bug>> {
    for name in names {
        ensure!(
            bugs.iter().any(|bug| bug.name == *name),
            "there is no planted bug {name}, only {}",
            list(&bugs)
        );
    }
    bugs.retain(|bug| names.is_empty() || names.contains(&bug.name.as_str()));
    Ok(bugs)
}

fn list(bugs: &[Bug]) -> String {
    let names: Vec<&str> = bugs.iter().map(|bug| bug.name.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bug(name: &str) -> Bug {
        Bug {
            name: name.to_owned(),
            patch: PathBuf::from(format!("{name}.patch")),
        }
    }

    #[test]
    fn bugs_are_chosen_by_name() {
        let both = || vec![bug("reuse_id"), bug("skip_wake")];
        assert_eq!(chosen(both(), &[]).unwrap(), both());
        assert_eq!(chosen(both(), &["skip_wake"]).unwrap(), [bug("skip_wake")]);
        let error = chosen(both(), &["skip"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no planted bug skip, only reuse_id, skip_wake"
        );
    }

    #[test]
    fn folder_without_patches_is_refused() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        assert!(all_in(&folder).is_err());
    }
}
