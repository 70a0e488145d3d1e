//! A server of quinn that does what a transport's peer asks it to, for `cargo xtask conformance`.

mod serve;

use moq_transport_quinn::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (config, fingerprint) = serve::config()?;
    let server = Server::bind(config)?;
    serve::tell(server.local_addrs()[0], &fingerprint)?;
    let last = serve::Last::default();
    while let Some(incoming) = server.accept().await {
        tokio::spawn(serve::connection(incoming, last.clone()));
    }
    Ok(())
}
