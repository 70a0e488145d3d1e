//! What can only be shown from inside of a server.

mod resets;
mod sizes;
