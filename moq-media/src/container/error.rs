//! What can be wrong with a frame.

use crate::fmp4::BoxError;

/// Why a frame can't be wrapped or unwrapped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// The frame ends inside a field.
    #[error("frame ends inside its {field}, at byte {offset}")]
    Truncated {
        /// The field that is cut.
        field: &'static str,
        /// Where in the frame it begins.
        offset: usize,
    },
    /// A LOC frame without a timestamp.
    #[error("LOC frame without a timestamp (property 0x10)")]
    NoTimestamp,
    /// A time that does not fit into 62 bits of microseconds, or is 285 years from zero in a frame
    /// that is read.
    #[error("timestamp {0} is out of range")]
    Timestamp(u64),
    /// A LOC frame with a timescale of 0.
    #[error("LOC frame with a timescale of 0 (property 0x08)")]
    NoTimescale,
    /// A LOC frame with more properties than anyone needs.
    #[error("LOC frame with more than {0} properties")]
    TooManyProperties(usize),
    /// A `cmaf` frame whose boxes can't be used.
    #[error("cmaf frame: {0}")]
    Box(#[from] BoxError),
    /// A `cmaf` frame whose samples have more bytes than the frame, because they share some.
    #[error("cmaf frame whose samples share bytes")]
    SharedBytes,
    /// A `cmaf` frame without a sample.
    #[error("cmaf frame without a sample")]
    NoSample,
}
