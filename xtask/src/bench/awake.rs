//! Cores that never halt, so that having one back costs the same every time.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

/// Keeps cores from halting until it is dropped.
///
/// A virtual machine's core with nothing to do goes back to the host, and what it costs to have it
/// again, for each packet, changes from second to second.
pub(super) struct Awake(Vec<Child>);

impl Awake {
    /// Starts a loop on each core that runs only while nothing else wants to.
    ///
    /// # Errors
    ///
    /// A loop did not begin.
    pub(super) fn keep(this: &Path, cores: [usize; 2]) -> anyhow::Result<Self> {
        let mut awake = Self(Vec::new());
        for core in cores {
            // Nice besides, so that `/proc/stat` counts it apart.
            let mut child = Command::new("taskset")
                .args(["-c", &core.to_string(), "chrt", "--idle", "0"])
                .args(["nice", "-n", "19"])
                .arg(this)
                .arg("bench-awake")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .context("running taskset")?;
            let said = child.stdout.take();
            awake.0.push(child);
            said.context("the loop has a stdout")?
                .read_exact(&mut [0])
                .context("no loop at idle priority began: it takes taskset, chrt and nice")?;
        }
        Ok(awake)
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended already, which is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Loops for as long as the program that started this one is there.
pub(crate) fn stay_awake() -> anyhow::Result<()> {
    std::thread::spawn(|| {
        loop {
            std::hint::spin_loop();
        }
    });
    std::io::stdout().write_all(b"\n").context("saying so")?;
    let mut nothing = Vec::new();
    std::io::stdin()
        .read_to_end(&mut nothing)
        .context("waiting for the bench to end")?;
    Ok(())
}
