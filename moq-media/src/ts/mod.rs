//! MPEG transport streams: bytes in any pieces → samples, and samples → bytes.
//!
//! [`Demuxer`] reads the first program of a transport stream: H.264, H.265, AAC with ADTS headers, and
//! Opus. It tells the same [`Event`](crate::fmp4::Event)s as the one of fragmented MP4. Times have 33 bits
//! and wrap around; they are unwrapped for all streams of the program together.
//!
//! [`Muxer`] is the way back.
//!
//! Packets, tables and PES headers are read by mpeg2ts-reader.

mod demux;
mod line;
mod mux;
mod packets;
mod pes;
mod sections;
mod streams;

pub use demux::Demuxer;
pub use mux::{Muxer, TsError};
