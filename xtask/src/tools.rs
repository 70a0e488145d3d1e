//! Programs that only a few tasks need, installed when they do.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::workspace::{Workspace, output};

/// A program as cargo installs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool<'a> {
    /// Of the package and of its program.
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
}

impl Tool<'_> {
    /// Where the program is: on the path if that is the same version, else in a folder of the
    /// target directory, into which it is installed first if need be.
    pub(crate) fn find(&self, workspace: &Workspace) -> anyhow::Result<PathBuf> {
        let Self { name, version } = self;
        if self.is_version_of(&mut Command::new(name)) {
            return Ok(name.into());
        }
        let root = workspace.target.join("tools");
        let program = root.join("bin").join(name);
        if self.is_version_of(&mut Command::new(&program)) {
            return Ok(program);
        }
        eprintln!("   installing {name} {version} into {}", root.display());
        let mut install = workspace.cargo(&["install", "--quiet", "--locked", "--force"]);
        install
            .arg("--root")
            .arg(&root)
            .args(["--version", &format!("={version}"), name])
            // It is built in a folder of its own, which goes away.
            .env_remove("CARGO_TARGET_DIR");
        let status = install.status().context("running cargo install")?;
        ensure!(status.success(), "{name} {version} cannot be installed");
        Ok(program)
    }

    fn is_version_of(&self, program: &mut Command) -> bool {
        let told = output(program.arg("--version"));
        told.is_ok_and(|told| self.is_named(&told))
    }

    /// Whether a program that says this of itself is the one wanted.
    fn is_named(&self, told: &str) -> bool {
        let mut words = told.split_whitespace();
        (words.next(), words.next()) == (Some(self.name), Some(self.version))
    }
}

/// Whether one of the lines that rustup prints begins with `wanted`; without rustup, none does.
pub(crate) fn rustup_lists(args: &[&str], wanted: &str) -> bool {
    let lines = output(Command::new("rustup").args(args)).unwrap_or_default();
    lines.lines().any(|line| names(line, wanted))
}

/// Whether a line of rustup's is about `wanted`, and not about a longer name or number.
fn names(line: &str, wanted: &str) -> bool {
    let rest = line.strip_prefix(wanted);
    rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toolchain_is_found_by_its_whole_number() {
        assert!(names("1.88-x86_64-unknown-linux-gnu", "1.88"));
        assert!(names("1.88.0-x86_64-unknown-linux-gnu (active)", "1.88"));
        assert!(!names("1.880.0-x86_64-unknown-linux-gnu", "1.88"));
        assert!(!names("stable-x86_64-unknown-linux-gnu", "1.88"));
    }

    #[test]
    fn only_the_wanted_version_will_do() {
        let tool = Tool {
            name: "cargo-fuzz",
            version: "0.13.2",
        };
        assert!(tool.is_named("cargo-fuzz 0.13.2\n"));
        assert!(!tool.is_named("cargo-fuzz 0.13.1"));
        assert!(!tool.is_named(""));
    }
}
