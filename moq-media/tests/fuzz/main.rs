//! Every fuzz target, on its corpus and on damaged copies of it.
//!
//! `MOQ_FUZZ_RUNS` says how many inputs each target gets; `MOQ_FUZZ_SEED` makes them others.

#[path = "../random/mod.rs"]
mod random;

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use moq_media::fuzz;
use random::Random;

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name), fuzz::$name);
            }
        )*

        #[test]
        fn no_target_is_left_out() {
            let names = fuzz::TARGETS.iter().map(|(name, _)| *name);
            assert_eq!(names.collect::<Vec<_>>(), [$(stringify!($name)),*]);
        }
    };
}

targets!(demux, media, catalog, frame, recording, ts, annexb);

fn run(name: &str, target: fuzz::Target) {
    fuzz::measure_with(|run| allocation_counter::measure(run).bytes_max);
    let corpus = corpus(name);
    assert!(!corpus.is_empty());
    let mut reproduce = Reproduce(Vec::new());
    for input in &corpus {
        reproduce.0.clone_from(input);
        target(&reproduce.0);
    }
    let seed: u64 = setting("MOQ_FUZZ_SEED").unwrap_or(1);
    let mut random = Random(seed);
    let runs: u64 = setting("MOQ_FUZZ_RUNS").unwrap_or(1_000);
    for _ in 0..runs {
        reproduce.0 = random.input(&corpus);
        target(&reproduce.0);
    }
}

/// Shows the input that a target did not survive.
struct Reproduce(Vec<u8>);

impl Drop for Reproduce {
    #[expect(clippy::print_stderr, reason = "says how to see the panic again")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex = self.0.iter().map(|byte| format!("{byte:02x}"));
            eprintln!("input: {}", hex.collect::<String>());
        }
    }
}

/// The inputs that are part of the repository, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus"));
    let files = fs::read_dir(folder.join(target)).expect("each target has a corpus");
    let mut paths = files
        .map(|file| file.expect("readable").path())
        .collect::<Vec<_>>();
    paths.sort();
    let inputs = paths
        .into_iter()
        .map(|path| fs::read(path).expect("readable"));
    inputs.collect()
}

fn setting<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}
