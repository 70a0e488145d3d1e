//! Time, and what follows from it: scales, anchors, groups, jitter.
//!
//! Everything here is a plain struct that is told times and never asks for one.
//!
//! ```
//! use moq_media::timeline::Scale;
//!
//! // One frame of 30000/1001 pictures per second, rounded once from the absolute tick.
//! let scale = Scale::new(30_000).expect("not zero");
//! assert_eq!(scale.micros(1_001), 33_367);
//! assert_eq!(scale.micros(1_001 * 30_000), 1_001_000_000);
//! ```

mod anchor;
mod decode_order;
mod groups;
mod jitter;
mod scale;

pub use anchor::Anchor;
pub use decode_order::DecodeOrder;
pub use groups::{AudioGroups, Step, VideoGroups};
pub use jitter::Jitter;
pub use scale::Scale;
