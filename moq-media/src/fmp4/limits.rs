//! What an input may cost.

/// Bounds on what is held in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a `moov`.
    pub moov: u64,
    /// Bytes of a `moof`.
    pub moof: u64,
    /// Bytes of an `mdat`.
    pub mdat: u64,
    /// Samples of a fragment, all tracks together.
    pub samples: usize,
    /// Tracks of a `moov`.
    pub tracks: usize,
    /// Fragments in a row that can't be used, before the input is given up.
    pub broken: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            moov: 4 << 20,
            moof: 4 << 20,
            mdat: 64 << 20,
            samples: 100_000,
            tracks: 64,
            broken: 3,
        }
    }
}
