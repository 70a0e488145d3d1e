//! What has to pass before a change is merged, in the order in which it fails fastest.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::sim;
use crate::tidy;
use crate::tools::rustup_lists;
use crate::workspace::Workspace;

/// Runs every step and stops at the first that fails.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let start = Instant::now();
    for step in steps(workspace)? {
        eprintln!("== {}", step.name);
        let start = Instant::now();
        match step.action {
            Action::Run(mut command) => succeed(&mut command)?,
            Action::Tidy => tidy::check(workspace)?,
            Action::Skip(reason) => {
                eprintln!("   SKIPPED: {reason}");
                continue;
            }
        }
        eprintln!(
            "   {} passed in {:.1} s",
            step.name,
            start.elapsed().as_secs_f64()
        );
    }
    eprintln!("ci passed in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

struct Step {
    name: &'static str,
    action: Action,
}

enum Action {
    Run(Command),
    Tidy,
    /// Reported, because a check that did not run has not passed.
    Skip(String),
}

fn steps(workspace: &Workspace) -> anyhow::Result<Vec<Step>> {
    let cargo = |name, args: &[&str]| Step {
        name,
        action: Action::Run(workspace.cargo(args)),
    };
    let mut doc = workspace.cargo(&["doc", "--workspace", "--no-deps", "--all-features"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    Ok(vec![
        cargo("fmt", &["fmt", "--all", "--check"]),
        Step {
            name: "tidy",
            action: Action::Tidy,
        },
        cargo("clippy", CLIPPY),
        Step {
            name: "doc",
            action: Action::Run(doc),
        },
        cargo("test", &["test", "--workspace"]),
        Step {
            name: "sim",
            action: Action::Run(sim::command(workspace, false, &["--seeds", "200"])),
        },
        cargo("drill strict", &["xtask", "drill", "strict", "--quick"]),
        cargo("session without features", SESSION_BARE),
        cargo(
            "moq-transport-common alone",
            &["check", "-p", "moq-transport-common"],
        ),
        cargo(
            "moq-transport-quinn alone",
            &["check", "-p", "moq-transport-quinn"],
        ),
        cargo(
            "moq-transport-direct alone",
            &["check", "-p", "moq-transport-direct"],
        ),
        cargo(
            "moq-relay without transports",
            &["check", "-p", "moq-relay", "--no-default-features"],
        ),
        Step {
            name: "wasm32",
            action: wasm(workspace),
        },
        Step {
            name: "oldest Rust",
            action: oldest_rust(workspace)?,
        },
    ])
}

fn wasm(workspace: &Workspace) -> Action {
    if !rustup_lists(&["target", "list", "--installed"], WASM) {
        return Action::Skip(format!("target {WASM} is not installed"));
    }
    let crates = ["moq-wire", "moq-model", "moq-media", "moq-session"].map(|name| ["-p", name]);
    // The feature `tokio` of moq-session spawns on a runtime, which a browser has not.
    let mut command = workspace.cargo(&["check", "--no-default-features", "--target", WASM]);
    command.args(crates.as_flattened());
    Action::Run(command)
}

fn oldest_rust(workspace: &Workspace) -> anyhow::Result<Action> {
    let version = workspace.package("moq-wire")?.rust_version.as_deref();
    let version = version.context("moq-wire names no rust-version")?;
    if !rustup_lists(&["toolchain", "list"], version) {
        return Ok(Action::Skip(format!("Rust {version} is not installed")));
    }
    let mut command = Command::new("rustup");
    command
        .args(["run", version, "cargo", "check", "--workspace"])
        .current_dir(&workspace.root)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO");
    Ok(Action::Run(command))
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("running {}", command.get_program().display()))?;
    if !status.success() {
        let args: Vec<_> = command
            .get_args()
            .map(|arg| arg.to_string_lossy())
            .collect();
        bail!("`cargo {}` failed ({status})", args.join(" "));
    }
    Ok(())
}

const CLIPPY: &[&str] = &[
    "clippy",
    "--workspace",
    "--all-targets",
    "--all-features",
    "--",
    "-D",
    "warnings",
];

const SESSION_BARE: &[&str] = &["check", "-p", "moq-session", "--no-default-features"];

const WASM: &str = "wasm32-unknown-unknown";
