//! The only place that draws random numbers.
//!
//! They tell sessions and origins apart and spread attempts over time; none of them is a secret.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

thread_local! {
    /// What this thread's numbers follow from, once it was seeded.
    static STATE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// A random number.
#[must_use]
pub fn number() -> u64 {
    let Some(state) = STATE.get() else {
        return RandomState::new().hash_one(0u8);
    };
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(Some(state));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Makes the numbers of this thread follow from `seed`, for simulations that are to be repeated.
pub fn seed(seed: u64) {
    STATE.set(Some(seed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_run_of_numbers() {
        let run = |from| {
            seed(from);
            [number(), number(), number()]
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        assert_ne!(run(7)[0], run(7)[1]);
    }
}
