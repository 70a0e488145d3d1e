//! A moq-lite relay as a library: listeners, admission, limits, HTTP, certificates.
//!
//! [`Relay::builder`] says what a relay is like, and [`Builder::start`] starts it. Who may do what is
//! decided by an [`Admission`]; [`Public`] is one, and a program can bring its own. The relay listens
//! by the transports of its features, and by any other server that is a [`Listener`]. A program can
//! publish into the relay and read from it ([`Relay::origin`]), and add pages to its HTTP
//! ([`Builder::router`]). `examples/embedded.rs` does all of that.
//!
//! Everything here needs a tokio runtime with its I/O and time drivers enabled.

pub mod admission;
pub mod memory;

mod certificate;
mod state;

mod listener;
mod listening;

mod builder;
mod error;
#[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
mod own;
mod relay;

mod http;
mod places;
mod sessions;
mod siblings;

pub use admission::{Admission, Applicant, Denial, Public, WebOrigin};
pub use builder::Builder;
pub use certificate::Certificate;
pub use error::StartError;
#[cfg(any(feature = "quinn", all(unix, feature = "direct")))]
pub use listener::Engine;
pub use listener::{Arrival, Listener};
pub use moq_transport_common::tls;
pub use relay::Relay;
pub use state::{RESET_KEY, State, StateError};
