//! Which crate may know which.

use super::Findings;
use crate::workspace::Package;

/// A dependency that only tests use may point anywhere: it changes nobody's build.
pub(super) fn check(packages: &[Package], findings: &mut Findings) {
    let ours: Vec<&str> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    for package in packages {
        let Some(allowed) = allowed(&package.name) else {
            findings.fault(format!(
                "{} has no place in tidy's map of crates",
                package.name
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let to = dependency.name.as_str();
            if !dependency.dev && ours.contains(&to) && !allowed.contains(&to) {
                findings.fault(format!("{} must not depend on {to}", package.name));
            }
        }
    }
}

fn allowed(package: &str) -> Option<&'static [&'static str]> {
    ARROWS
        .iter()
        .find(|(from, _)| *from == package)
        .map(|(_, to)| *to)
}

/// The map of `ARCHITECTURE.md`.
const ARROWS: [(&str, &[&str]); 10] = [
    ("moq-wire", &[]),
    ("moq-model", &[]),
    ("moq-media", &["moq-model"]),
    ("moq-session", &["moq-wire", "moq-model"]),
    ("moq-transport-common", &["moq-session"]),
    (
        "moq-transport-quinn",
        &["moq-session", "moq-transport-common"],
    ),
    (
        "moq-transport-direct",
        &["moq-session", "moq-transport-common"],
    ),
    (
        "moq-relay",
        &[
            "moq-session",
            "moq-model",
            "moq-transport-common",
            "moq-transport-quinn",
            "moq-transport-direct",
        ],
    ),
    (
        "moq-cli",
        &[
            "moq-relay",
            "moq-session",
            "moq-model",
            "moq-media",
            "moq-transport-quinn",
            "moq-wire",
        ],
    ),
    ("xtask", &[]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, dependencies: &[(&str, bool)]) -> Package {
        let dependencies = dependencies.iter().map(|(name, dev)| Dependency {
            name: (*name).to_owned(),
            dev: *dev,
        });
        Package {
            name: name.to_owned(),
            dir: name.into(),
            rust_version: None,
            dependencies: dependencies.collect(),
        }
    }

    fn faults(packages: &[Package]) -> Vec<String> {
        let mut findings = Findings::default();
        check(packages, &mut findings);
        findings.faults
    }

    #[test]
    fn arrows_of_the_map_pass() {
        let session = package("moq-session", &[("moq-wire", false), ("bytes", false)]);
        assert!(faults(&[package("moq-wire", &[]), session]).is_empty());
    }

    #[test]
    fn arrow_against_the_map_is_a_fault() {
        let wire = package("moq-wire", &[("moq-model", false)]);
        let found = faults(&[wire, package("moq-model", &[])]);
        assert_eq!(found, ["moq-wire must not depend on moq-model"]);
    }

    #[test]
    fn tests_may_use_any_crate() {
        let session = package("moq-session", &[("moq-session", true)]);
        assert!(faults(&[session]).is_empty());
    }

    #[test]
    fn crate_outside_the_map_is_a_fault() {
        assert_eq!(faults(&[package("moq-extra", &[])]).len(), 1);
    }
}
