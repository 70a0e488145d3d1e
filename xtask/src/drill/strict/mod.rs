//! A subscriber that may miss nothing, over a relay that is killed again and again.

mod options;
mod tally;
mod trial;

use anyhow::{Context as _, bail};

use self::options::Options;
use self::trial::Trial;
use super::build;
use crate::workspace::Workspace;

/// Runs the drill in each draft over each scheme.
pub(super) fn run(workspace: &Workspace, args: &[&str]) -> anyhow::Result<()> {
    let options = Options::parse(args)?;
    let program = build(workspace)?;
    eprintln!("seed {}", options.seed);
    let mut failed = 0;
    for version in &options.versions {
        for scheme in &options.schemes {
            let name = format!("moq-strict-{}-{version}-{scheme}", std::process::id());
            let dir = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&dir).context("making a directory for logs")?;
            let trial = Trial {
                program: &program,
                scheme,
                version,
                kills: options.kills,
                seed: options.seed,
                dir: &dir,
            };
            match trial.run() {
                Ok(report) => {
                    eprintln!("{version} {scheme}: {report}");
                    if options.keeps_logs {
                        eprintln!("{version} {scheme}: logs are in {}", dir.display());
                        continue;
                    }
                    std::fs::remove_dir_all(&dir).context("removing the logs")?;
                }
                Err(error) => {
                    failed += 1;
                    eprintln!("{version} {scheme}: FAILED: {error:#}");
                    eprintln!("{version} {scheme}: logs are in {}", dir.display());
                }
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of the runs failed");
    }
    Ok(())
}
