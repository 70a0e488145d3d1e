//! The messages, one file per kind of stream.

mod announce;
mod datagram;
mod fetch;
mod frame;
mod goaway;
mod group;
mod handshake;
mod probe;
mod setup;
mod subscribe;
mod track;

pub use announce::{
    AnnounceDecoder, AnnounceEncoder, AnnounceEvent, AnnounceItem, AnnounceOk, AnnounceRequest,
    Route,
};
pub use datagram::Datagram;
pub use fetch::Fetch;
pub use frame::{FrameDecoder, FrameEncoder, FrameHeader};
pub use goaway::Goaway;
pub use group::GroupHeader;
pub use handshake::{ClientSetup, Parameter, ParameterValue, ServerSetup, SessionInfo};
pub use probe::Probe;
pub use setup::{ProbeLevel, Role, Setup};
pub use subscribe::{GroupStart, Subscribe, SubscribeOk, SubscribeResponse, SubscribeUpdate};
pub use track::{Track, TrackInfo};
