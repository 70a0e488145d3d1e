//! Many runs, and what is printed of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use moq_session::Version;

use crate::net::{FaultKind, Mode, Planned};
use crate::options::{Nth, Options};
use crate::plan::Plan;
use crate::rng;
use crate::rules::Rule;
use crate::run::{How, Outcome, run};
use crate::tally::Tally;

/// One seed in so many is run twice, to see whether it gives the same.
const TWICE: u64 = 10;

/// Violations of one run that are printed, and seeds with the same one that only counts.
const SHOWN: usize = 4;

/// What came of many runs.
#[derive(Debug, Default)]
struct Report {
    failed: BTreeMap<u64, Vec<String>>,
    runs: u64,
    events: u64,
    repeated: u64,
    hash: u64,
    acted: BTreeMap<FaultKind, u64>,
    tally: Tally,
    /// The first seeds that do not keep a rule which only counts.
    unmet: BTreeMap<Rule, BTreeSet<u64>>,
}

/// Does what is asked; says whether all is well.
pub fn main(options: &Options) -> bool {
    let mut is_well = options.seeds == 0 || seeds(options);
    if let Some(nth) = &options.nth {
        for version in &nth.versions {
            is_well &= nth_failures(*version, nth, options.is_strict);
        }
    }
    is_well
}

/// Runs `each` for every number below `count` until it returns false: on all processors, or one
/// after the other if what they print `is_read`.
fn spread(count: u64, is_read: bool, each: impl Fn(u64) -> bool + Sync) {
    let next = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    let available = std::thread::available_parallelism().map_or(1, |count| count.get());
    let workers = if is_read { 1 } else { available };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    if !each(number) {
                        is_over.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

fn seeds(options: &Options) -> bool {
    let start = Instant::now();
    let report = Mutex::new(Report::default());
    spread(options.seeds, options.is_verbose, |number| {
        let seed = options.seed + number;
        let plan = Plan::new(seed);
        if options.is_verbose {
            println!("{plan:#?}");
        }
        let how = How {
            is_verbose: options.is_verbose,
            is_strict: options.is_strict,
            ..How::default()
        };
        let silent = How {
            is_verbose: false,
            ..how
        };
        let outcome = run(&plan, how);
        let calm = run(&plan.calm(), silent);
        let again =
            (cfg!(tokio_unstable) && seed.is_multiple_of(TWICE)).then(|| run(&plan, silent));
        let mut report = report.lock().unwrap();
        report.add(seed, &outcome, &calm, again.as_ref());
        !options.is_hunt || report.failed.is_empty()
    });
    report.into_inner().unwrap().print(options, start)
}

impl Report {
    fn add(&mut self, seed: u64, outcome: &Outcome, calm: &Outcome, again: Option<&Outcome>) {
        let mut violations = outcome.violations.clone();
        violations.extend(
            calm.violations
                .iter()
                .map(|text| format!("without faults: {text}")),
        );
        violations.extend(differences(outcome, calm));
        if let Some(again) = again {
            self.repeated += 1;
            if again.hash != outcome.hash {
                violations.push("another run of the seed went another way".to_owned());
            }
        }
        if !violations.is_empty() {
            self.failed.insert(seed, violations);
        }
        self.runs += 1;
        self.events += outcome.events;
        // The order in which seeds come does not matter.
        self.hash = self.hash.wrapping_add(rng::hash(&[seed, outcome.hash]));
        for (kind, count) in &outcome.acted {
            *self.acted.entry(*kind).or_default() += count;
        }
        for of in [&outcome.tally, &calm.tally] {
            self.tally.add(of);
            for (rule, _) in of.rules() {
                let seeds = self.unmet.entry(rule).or_default();
                seeds.insert(seed);
                if seeds.len() > SHOWN {
                    seeds.pop_last();
                }
            }
        }
    }

    /// Says whether all is well.
    fn print(&self, options: &Options, start: Instant) -> bool {
        for (seed, violations) in &self.failed {
            println!("seed {seed}:");
            print_some(violations);
            println!("  replay: cargo xtask sim --seed {seed}");
        }
        println!(
            "sim: {} seeds from {}, {} with violations, {} events, hash {:016x}, {} run twice, {:.1} s",
            self.runs,
            options.seed,
            self.failed.len(),
            self.events,
            self.hash,
            self.repeated,
            start.elapsed().as_secs_f64()
        );
        println!("sim: {}", self.tally);
        for (rule, times) in self.tally.rules() {
            let seeds: Vec<_> = self.unmet.get(&rule).into_iter().flatten().collect();
            println!("sim: not enforced: {rule}: {times} times, as with seeds {seeds:?}");
        }
        let counts =
            FaultKind::ALL.map(|kind| (kind, self.acted.get(&kind).copied().unwrap_or_default()));
        let listed: Vec<_> = counts
            .iter()
            .map(|(kind, count)| format!("{kind:?} {count}"))
            .collect();
        println!("sim: faults that acted: {}", listed.join(", "));
        let idle = counts.iter().filter(|(_, count)| *count == 0);
        let mut missing: Vec<_> = idle.map(|(kind, _)| format!("{kind:?}")).collect();
        missing.extend(self.tally.missing().map(str::to_owned));
        let is_complete = missing.is_empty();
        if options.is_complete && !is_complete {
            println!("sim: never happened: {}", missing.join(", "));
        }
        self.failed.is_empty() && (is_complete || !options.is_complete)
    }
}

/// What is in use at the end of a run, but was not at the end of one without faults.
fn differences(outcome: &Outcome, calm: &Outcome) -> Vec<String> {
    let pairs = outcome.gauges.iter().zip(&calm.gauges);
    let different = pairs.filter(|(now, then)| now != then);
    different
        .map(|((name, now), (_, then))| format!("{name}: {now} at rest, {then} without faults"))
        .collect()
}

/// One violation tends to bring others.
fn print_some(violations: &[String]) {
    for violation in violations.iter().take(SHOWN) {
        println!("  {violation}");
    }
    if violations.len() > SHOWN {
        println!("  and {} more", violations.len() - SHOWN);
    }
}

/// Lets each call fail in turn, in each way, until a run has fewer calls.
fn nth_failures(version: Version, nth: &Nth, is_strict: bool) -> bool {
    let start = Instant::now();
    let plan = Plan::standard(version);
    let silent = How {
        is_strict,
        ..How::default()
    };
    let calm = run(&plan, silent);
    let failed = Mutex::new(BTreeMap::new());
    let tally = Mutex::new(Tally::default());
    if !calm.violations.is_empty() {
        let none = (0, "without a failure".to_owned());
        failed.lock().unwrap().insert(none, calm.violations.clone());
    }
    let count = nth.call.map_or(calm.calls / nth.step, |_| 1);
    let modes = Mode::ALL.len() as u64;
    spread(count * modes, nth.call.is_some(), |number| {
        let mode = Mode::ALL[usize::try_from(number % modes).unwrap()];
        let call = nth.call.unwrap_or(1 + number / modes * nth.step);
        let planned = Planned { call, mode };
        let how = How {
            planned: Some(planned),
            is_verbose: nth.call.is_some(),
            is_strict,
        };
        let outcome = run(&plan, how);
        tally.lock().unwrap().add(&outcome.tally);
        let mut violations = outcome.violations.clone();
        violations.extend(differences(&outcome, &calm));
        if !violations.is_empty() {
            let place = (call, format!("{mode:?}"));
            failed.lock().unwrap().insert(place, violations);
        }
        true
    });
    let failed = failed.into_inner().unwrap();
    for ((call, mode), violations) in &failed {
        println!("{version}, call {call}, {mode}:");
        print_some(violations);
        println!("  replay: cargo xtask sim --nth {version} --call {call}");
    }
    println!(
        "sim: {version}: {count} calls of {} failed in {modes} ways, {} runs with violations, {:.1} s",
        calm.calls,
        failed.len(),
        start.elapsed().as_secs_f64()
    );
    for (rule, times) in tally.into_inner().unwrap().rules() {
        println!("sim: {version}: not enforced: {rule}: {times} times");
    }
    failed.is_empty()
}
