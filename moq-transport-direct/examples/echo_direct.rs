//! A server of this crate that does what a transport's peer asks it to, for `cargo xtask conformance`.

#![cfg(unix)]

#[path = "../../moq-transport-quinn/examples/echo_quinn/serve.rs"]
mod serve;

use std::num::NonZeroUsize;

use moq_transport_direct::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (config, fingerprint) = serve::config()?;
    let server = Server::bind(config, NonZeroUsize::MIN)?;
    serve::tell(server.local_addrs()[0], &fingerprint)?;
    let last = serve::Last::default();
    while let Some(incoming) = server.accept().await {
        tokio::spawn(serve::connection(incoming, last.clone()));
    }
    Ok(())
}
