//! Where the workspace is, and what its crates say of themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value;

/// The workspace as `cargo metadata` tells it.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    /// The oldest Rust it claims to build with.
    pub(crate) rust_version: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a `[dependencies]` table.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Only for tests, examples and benches.
    pub(crate) dev: bool,
}

impl Workspace {
    pub(crate) fn load() -> anyhow::Result<Self> {
        let json = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
        Self::parse(&serde_json::from_str(&json).context("reading cargo's metadata")?)
    }

    fn parse(metadata: &Value) -> anyhow::Result<Self> {
        let packages = array(metadata, "packages")?.iter().map(Package::parse);
        Ok(Self {
            root: text(metadata, "workspace_root")?.into(),
            target: text(metadata, "target_directory")?.into(),
            packages: packages.collect::<anyhow::Result<_>>()?,
        })
    }

    pub(crate) fn package(&self, name: &str) -> anyhow::Result<&Package> {
        let found = self.packages.iter().find(|package| package.name == name);
        found.with_context(|| format!("the workspace has no crate {name}"))
    }

    /// A cargo command that works at the workspace's root.
    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root).args(args);
        command
    }
}

impl Package {
    fn parse(package: &Value) -> anyhow::Result<Self> {
        let manifest = Path::new(text(package, "manifest_path")?);
        let dir = manifest
            .parent()
            .context("a manifest lies in a directory")?;
        let dependencies = array(package, "dependencies")?
            .iter()
            .map(Dependency::parse);
        Ok(Self {
            name: text(package, "name")?.to_owned(),
            dir: dir.to_owned(),
            rust_version: text(package, "rust_version").ok().map(str::to_owned),
            dependencies: dependencies.collect::<anyhow::Result<_>>()?,
        })
    }
}

impl Dependency {
    fn parse(dependency: &Value) -> anyhow::Result<Self> {
        Ok(Self {
            name: text(dependency, "name")?.to_owned(),
            dev: dependency["kind"].as_str() == Some("dev"),
        })
    }
}

/// What a command prints on stdout.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("running {}", command.get_program().display()))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} failed: {}", why.trim());
    }
    String::from_utf8(output.stdout).context("reading a command's output as UTF-8")
}

/// The cargo that runs this program, or the one on the path.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Build scripts look at what cargo tells of the package that runs, which is this one; with it
    // they would be built again whenever a shell and this program take turns.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") {
            command.env_remove(name);
        }
    }
    command
}

fn text<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("cargo's metadata has no `{key}`"))
}

fn array<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a Vec<Value>> {
    value[key]
        .as_array()
        .with_context(|| format!("cargo's metadata has no `{key}`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_yields_crates_and_their_dependencies() {
        let workspace = Workspace::parse(&json!({
            "workspace_root": "/w",
            "target_directory": "/w/target",
            "packages": [{
                "name": "moq-model",
                "manifest_path": "/w/moq-model/Cargo.toml",
                "rust_version": "1.88",
                "dependencies": [
                    {"name": "bytes", "kind": null},
                    {"name": "tokio", "kind": "dev"},
                ],
            }],
        }))
        .unwrap();
        let model = workspace.package("moq-model").unwrap();
        assert_eq!(model.dir, Path::new("/w/moq-model"));
        assert_eq!(model.rust_version.as_deref(), Some("1.88"));
        let dev: Vec<bool> = model.dependencies.iter().map(|found| found.dev).collect();
        assert_eq!(dev, [false, true]);
        assert!(workspace.package("moq-cli").is_err());
    }

    #[test]
    fn metadata_without_packages_is_refused() {
        assert!(Workspace::parse(&json!({"workspace_root": "/w"})).is_err());
    }
}
