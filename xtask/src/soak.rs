//! The soak of moq-session: what a relay still holds of its past.

use anyhow::ensure;

use crate::workspace::Workspace;

/// What `cargo xtask soak --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask soak [OPTIONS]

Lets a relay in one process see 10^6 groups, 10^5 subscriptions, 10^5 refusals, 10^5 announcements and
10^4 sessions, in each draft and in virtual time, and counts what the heap has gained: at most 1 byte each.

  --quick        thousands, without optimisation, as `cargo test` does
  --version V    one draft alone, such as moq-lite-06
  --load NAME    groups, subscriptions, refusals, announcements or sessions alone
";

/// Runs the soak with the options of its own.
pub(crate) fn run(workspace: &Workspace, options: &[&str]) -> anyhow::Result<()> {
    let (quick, options): (Vec<_>, Vec<_>) = options
        .iter()
        .copied()
        .partition(|option| *option == "--quick");
    let mut command = workspace.cargo(&["test", "--quiet", "-p", "moq-session", "--test", "soak"]);
    if quick.is_empty() {
        command.args(["--release", "--", "--full"]);
    } else {
        command.arg("--");
    }
    let status = command.args(options).status()?;
    ensure!(status.success(), "the heap grows");
    Ok(())
}
