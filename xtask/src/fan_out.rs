//! What it costs to deliver a group to each of many viewers in memory, beside moq-net.
//!
//! Callgrind counts the instructions and the program its allocations, so that both are the same in
//! every run of the same build on any machine.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::workspace::{Workspace, output};

/// What `cargo xtask bench fan-out --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask bench fan-out

Delivers groups of four frames of 64 bytes to 64 viewers, over the same memory transport by moq-session and by
moq-net, and counts instructions and allocations for each viewer and group. Needs valgrind.
";

const VIEWERS: u64 = 64;
/// Two runs of unlike length: their difference is free of what is done once.
const GROUPS: [u64; 2] = [50, 150];
/// Instructions at most, as a part of moq-net's.
const PART: f64 = 0.20;
const ALLOCATIONS: f64 = 8.0;

/// What one group costs for one viewer.
#[derive(Debug, Clone, Copy)]
struct Cost {
    instructions: f64,
    allocations: f64,
}

/// Measures, prints the table, and fails if a goal is missed.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let dir = workspace.package("moq-session")?.dir.join("bench-peers");
    let target = workspace.target.join("bench-peers");
    let mut build = workspace.cargo(&["build", "--quiet", "--release", "--locked"]);
    build.arg("--manifest-path").arg(dir.join("Cargo.toml"));
    build.arg("--target-dir").arg(&target);
    let status = build.status().context("running cargo build")?;
    ensure!(status.success(), "the benchmark does not build");
    let program = target.join("release/moq-session-bench-peers");
    let [transport, ours, theirs] = ["transport", "moq-session", "moq-net"]
        .map(|who| measure(&program, who).with_context(|| format!("measuring {who}")));
    let (transport, ours, theirs) = (transport?, ours?, theirs?);
    let part = ours.instructions / theirs.instructions;
    let mut table =
        "| for each viewer and group | instructions | allocations |\n|---|--:|--:|\n".to_owned();
    for (who, cost) in [
        ("moq-session", ours),
        ("moq-net 0.3.18", theirs),
        ("transport and viewers alone", transport),
    ] {
        let (instructions, allocations) = (cost.instructions, cost.allocations);
        table += &format!("| {who} | {instructions:.0} | {allocations:.1} |\n");
    }
    table += &format!("\nmoq-session takes {part:.3} of the instructions of moq-net.\n");
    std::io::stdout().write_all(table.as_bytes())?;
    ensure!(part <= PART, "the goal is {PART}");
    ensure!(
        ours.allocations <= ALLOCATIONS,
        "the goal is {ALLOCATIONS} allocations"
    );
    Ok(())
}

fn measure(program: &Path, who: &str) -> anyhow::Result<Cost> {
    let mut runs = Vec::new();
    for groups in GROUPS {
        let args = [who, &VIEWERS.to_string(), &groups.to_string()];
        let allocations = output(Command::new(program).args(args))?;
        let allocations = allocations.trim().parse::<u64>();
        runs.push((
            instructions(program, args)?,
            allocations.context("a program counts")?,
        ));
    }
    let [short, long] = runs[..] else {
        anyhow::bail!("two runs are compared");
    };
    let [few, many] = GROUPS;
    #[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
    let each =
        |short: u64, long: u64| long.saturating_sub(short) as f64 / ((many - few) * VIEWERS) as f64;
    Ok(Cost {
        instructions: each(short.0, long.0),
        allocations: each(short.1, long.1),
    })
}

/// Runs a program under callgrind.
fn instructions(program: &Path, args: [&str; 3]) -> anyhow::Result<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let run = command.arg(program).args(args).output();
    let run = run
        .context("valgrind is needed, which counts the instructions: `apt-get install valgrind`")?;
    let said = String::from_utf8_lossy(&run.stderr);
    ensure!(run.status.success(), "valgrind failed: {said}");
    let count = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, count) = count.context("valgrind does not say what it collected")?;
    count
        .trim()
        .parse()
        .context("reading what valgrind collected")
}
