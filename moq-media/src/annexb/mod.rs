//! H.264 with start codes, as encoders write it without a container: bytes in any pieces → samples.
//!
//! Such a stream has no times. A picture is decoded when its place among the pictures says so, at the rate
//! that the stream, the caller, or else a default gives; it is shown when its order number says so.

mod demux;
mod order;
mod units;

pub use demux::Demuxer;
