//! What every transport has to keep, as tests that any backend can call.
//!
//! Each documented sentence of [`Transport`] and of its streams is a case. A backend makes connected
//! pairs by [`Pairs`], and [`transport_conformance!`](crate::transport_conformance) turns all cases into
//! tests of its own, each by both ends: in `from_client` the client is the near end, which does what the
//! case is about, in `from_server` the server is. No case sleeps, and every wait has a deadline.
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

pub mod alive;
pub mod close;
pub mod credit;
pub mod datagrams;
pub mod ends;
pub mod order;
pub mod resets;
pub mod stops;
pub mod streams;
pub mod wakes;
pub mod writes;

pub use abilities::{Abilities, Deviation, Role};
pub use run::{Ends, Pair, Pairs, from_client, from_server};
