//! How the heap grows with what has been done.

use std::time::Instant;

use moq_session::Version;

use crate::load::Load;
use crate::stage::Stage;

/// A run is measured in so many parts, to see a growth that goes on.
const PARTS: u64 = 8;

/// Growth that is none, in bytes for each time that something was done.
const FLAT: f64 = 1.0;

/// What the heap has gained in each part of a run.
#[derive(Debug)]
struct Growth {
    bytes: Vec<i64>,
    allocations: Vec<i64>,
    count: u64,
}

impl Growth {
    /// Lets `part` do something `count` times, in equal parts.
    fn of(count: u64, mut part: impl FnMut(u64)) -> Self {
        let each = count.div_ceil(PARTS);
        let infos: Vec<_> = (0..PARTS)
            .map(|_| allocation_counter::measure(|| part(each)))
            .collect();
        Self {
            bytes: infos.iter().map(|info| info.bytes_current).collect(),
            allocations: infos.iter().map(|info| info.count_current).collect(),
            count: each * PARTS,
        }
    }

    /// Bytes gained each time.
    fn slope(&self) -> f64 {
        self.bytes.iter().sum::<i64>() as f64 / self.count as f64
    }

    fn is_flat(&self) -> bool {
        self.slope().abs() <= FLAT
    }
}

/// Checks that a leak of two bytes would be seen; says whether it was.
pub fn control() -> bool {
    let leaky = Growth::of(1_000, |count| {
        for _ in 0..count {
            std::mem::forget(std::hint::black_box(Box::new(0_u16)));
        }
    });
    let is_seen = !leaky.is_flat();
    if !is_seen {
        println!("soak: a planted leak was not seen");
    }
    is_seen
}

/// Measures a load; says whether the heap stays as it is.
pub fn measure(version: Version, load: Load, count: u64) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let start = Instant::now();
    let mut stage = runtime.block_on(Stage::new(version));
    runtime.block_on(load.run(&mut stage, load.warm_up()));
    let growth = Growth::of(count, |count| runtime.block_on(load.run(&mut stage, count)));
    let verdict = if growth.is_flat() { "flat" } else { "GROWS" };
    println!(
        "soak: {version} {}: {} times, {:+.3} B each, {:+} allocations in all, {verdict}, {:.1} s",
        load.name(),
        growth.count,
        growth.slope(),
        growth.allocations.iter().sum::<i64>(),
        start.elapsed().as_secs_f64()
    );
    if !growth.is_flat() {
        println!("  bytes by part {:?}", growth.bytes);
        println!("  allocations by part {:?}", growth.allocations);
    }
    growth.is_flat()
}
