//! The suite on a server whose engine is quinn-proto in one task.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod suite;

use moq_transport_quinn::Engine;

/// What moves the server's packets.
const ENGINE: Engine = Engine::Direct;
