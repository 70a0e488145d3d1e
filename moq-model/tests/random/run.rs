//! One run, and what is left of it when all that does not matter is left out.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::script::Script;
use crate::world::{Log, World};

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// How the model and its reference differ.
    pub difference: Option<String>,
    /// Operations that were done.
    pub done: usize,
    pub log: Vec<String>,
    pub counts: BTreeMap<&'static str, u64>,
}

impl Report {
    /// How they differ, whatever the numbers.
    fn kind(&self) -> Option<String> {
        let difference = self.difference.as_ref()?;
        Some(difference.replace(|letter: char| letter.is_ascii_digit(), ""))
    }
}

pub fn run(script: &Script) -> Report {
    let mut report = Report::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let log = Log::default();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let mut world = World::new(script.setting, log.clone());
            let mut result = world.pass(1).await;
            for &op in &script.ops {
                report.done += 1;
                result = world.run(op).await;
                if result.is_err() {
                    break;
                }
            }
            report.counts = std::mem::take(&mut world.counts);
            report.counts.insert("wakes for nothing", world.vain());
            result = result.and_then(|()| world.check_vain(report.done));
            let is_compared = result.and_then(|()| world.close())?;
            report
                .counts
                .insert("heaps compared", u64::from(is_compared));
            Ok(())
        })
    }));
    report.log = log.take();
    report.difference = match caught {
        Ok(result) => result.err(),
        Err(_) => Some("it panics".to_owned()),
    };
    report
}

/// Leaves out operations for as long as it still differs in the same way.
pub fn shrink(script: &Script, report: Report) -> (Script, Report) {
    let kind = report.kind();
    let mut script = script.clone();
    script.ops.truncate(report.done);
    let mut report = report;
    let mut size = script.ops.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < script.ops.len() {
            let mut fewer = script.clone();
            let end = (at + size).min(fewer.ops.len());
            fewer.ops.drain(at..end);
            let again = run(&fewer);
            if again.difference.is_some() && again.kind() == kind {
                fewer.ops.truncate(again.done);
                (script, report) = (fewer, again);
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    (script, report)
}
