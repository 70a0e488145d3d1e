//! Programs that the system has, or can be given by its package manager.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

use super::cache::Place;

/// Where the program is, under one of its names; installs Debian's packages if it is missing.
///
/// # Errors
///
/// Names what is missing, and why it cannot be installed: that takes `apt-get` and its rights.
pub(crate) fn program(place: &Place, names: &[&str], packages: &[&str]) -> anyhow::Result<PathBuf> {
    if let Some(found) = find(names) {
        return Ok(found);
    }
    let missing = format!("there is no {}", names.join(" or "));
    if find(&["apt-get"]).is_none() || !is_root() {
        bail!(
            "{missing}, and only root can install it; Debian's packages are {}",
            packages.join(", ")
        );
    }
    // The lists of a machine that was just set up may be empty or old.
    place.run(apt().arg("update"))?;
    place.run(
        apt()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages),
    )?;
    find(names).with_context(|| format!("{missing}, in spite of {}", packages.join(", ")))
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut all = names
        .iter()
        .flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
    all.find(|file| file.is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_under_any_of_their_names() {
        assert!(find(&["no-such-program", "sh"]).is_some_and(|path| path.ends_with("sh")));
        assert_eq!(find(&["no-such-program"]), None);
    }
}
