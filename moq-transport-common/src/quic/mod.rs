//! What transports over QUIC share: codes, endings, settings and sockets.

pub mod code;

mod asked;
mod closing;

mod packet_size;
mod transport_config;

mod addresses;
mod listening;
mod reset;
mod server_config;
mod sockets;
mod stats;

pub use asked::{ANSWER_DEADLINE, Asked, H3, NO_PROTOCOL, accepted, refused};
pub use closing::{H3_NO_ERROR, MAX_REASON, SessionEnd, cut, raw_error, web_error};
pub use listening::Listening;
pub use reset::{EndpointSettings, ResetKeys};
pub use server_config::ServerConfig;
pub use sockets::open_client_socket;
pub use stats::path_stats;
pub use transport_config::{CLIENT, Congestion, Profile, SERVER, StreamLimits};
