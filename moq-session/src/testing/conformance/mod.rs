//! What every transport has to keep, as tests that any backend can call.
//!
//! Each documented sentence of [`Transport`](crate::transport::Transport) and of its streams is a case.
//! A backend makes connected pairs by [`Pairs`], and [`transport_conformance!`](crate::transport_conformance) turns all cases into
//! tests of its own, each by both ends: in `from_client` the client is the near end, which does what the
//! case is about, in `from_server` the server is. No case sleeps, and every wait has a deadline. The macro
//! names the cases; nobody calls them by hand.
//!
//! ```
//! mod pairs {
//!     use moq_session::Version;
//!     use moq_session::testing::conformance::{Abilities, Pair, Pairs};
//!     use moq_session::testing::{MemoryConnection, memory_pair};
//!
//!     pub struct Memory;
//!
//!     impl Pairs for Memory {
//!         type Client = MemoryConnection;
//!         type Server = MemoryConnection;
//!
//!         fn begin() -> Self {
//!             Self
//!         }
//!
//!         async fn pair(&self) -> Pair<MemoryConnection, MemoryConnection> {
//!             let (client, server) = memory_pair(Version::Lite06);
//!             let can = Abilities::default().with_datagrams().with_ping();
//!             Pair { client, client_can: can, server, server_can: can }
//!         }
//!     }
//! }
//!
//! moq_session::transport_conformance!(memory: crate::pairs::Memory);
//! # fn main() {}
//! ```

mod abilities;
mod cases;
mod hands;
mod run;
mod waits;
mod waker;

#[doc(hidden)]
pub mod alive;
#[doc(hidden)]
pub mod close;
#[doc(hidden)]
pub mod credit;
#[doc(hidden)]
pub mod datagrams;
#[doc(hidden)]
pub mod ends;
#[doc(hidden)]
pub mod order;
#[doc(hidden)]
pub mod resets;
#[doc(hidden)]
pub mod stops;
#[doc(hidden)]
pub mod streams;
#[doc(hidden)]
pub mod wakes;
#[doc(hidden)]
pub mod writes;

pub use abilities::{Abilities, Deviation, Role};
pub use run::{Ends, Pair, Pairs, from_client, from_server};
