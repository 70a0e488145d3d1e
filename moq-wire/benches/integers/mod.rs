//! The integers that all are measured with.

/// How often each benchmark does its work.
pub(crate) const TIMES: usize = 1000;

/// As many integers of each of the four sizes, mixed.
pub(crate) fn integers() -> Vec<u64> {
    let sizes = [7, 0x1111, 180_000, 1 << 40];
    let integer = |n: usize| sizes[n * 7 / 3 % 4] + n as u64 % 9;
    (0..TIMES).map(integer).collect()
}
