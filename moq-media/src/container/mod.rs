//! How a sample is wrapped into a frame: `legacy`, `loc` and `cmaf`.
//!
//! ```
//! use bytes::Bytes;
//! use moq_media::Payload;
//! use moq_media::container::legacy;
//!
//! let frame = legacy::encode(40_000, &Payload::from(Bytes::from_static(b"picture")))?;
//! let (timestamp, payload) = legacy::decode(frame)?;
//! assert_eq!((timestamp, &payload[..]), (40_000, &b"picture"[..]));
//! # Ok::<(), moq_media::container::ContainerError>(())
//! ```

pub mod cmaf;
pub mod legacy;
pub mod loc;

mod error;
mod varint;

pub use error::ContainerError;
