//! What every manifest has to say.

use super::{Findings, read};
use crate::workspace::Workspace;

/// Unsafe code is forbidden once, and every crate inherits that.
pub(super) fn check(workspace: &Workspace, findings: &mut Findings) -> anyhow::Result<()> {
    let root = read(&workspace.root.join("Cargo.toml"))?;
    if !says(&root, "workspace.lints.rust", "unsafe_code = \"forbid\"") {
        findings.fault("Cargo.toml does not forbid unsafe code".to_owned());
    }
    for package in &workspace.packages {
        let manifest = read(&package.dir.join("Cargo.toml"))?;
        if !says(&manifest, "lints", "workspace = true") {
            findings.fault(format!(
                "{} does not inherit the workspace's lints",
                package.name
            ));
        }
    }
    Ok(())
}

/// Whether the table `[section]` of a manifest has that line.
fn says(manifest: &str, section: &str, wanted: &str) -> bool {
    let header = format!("[{section}]");
    manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .any(|line| line == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_counts_only_in_its_own_table() {
        let manifest = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";
        assert!(says(manifest, "lints", "workspace = true"));
        let elsewhere = "[lints]\n\n[dependencies.bytes]\nworkspace = true\n";
        assert!(!says(elsewhere, "lints", "workspace = true"));
        assert!(!says("", "lints", "workspace = true"));
    }
}
