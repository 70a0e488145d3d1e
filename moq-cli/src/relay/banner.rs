//! What a relay says when it starts.

use std::fmt::Write as _;
use std::net::SocketAddr;

use moq_relay::{Certificate, Public, Relay};

/// Addresses, certificate, and how to connect.
pub(super) fn text(relay: &Relay, certificate: &Certificate, public: &Public) -> String {
    let addrs: Vec<_> = relay.addrs().iter().map(ToString::to_string).collect();
    let mut text = format!("moq: relay listening on {}\n", addrs.join(", "));
    // Writing into a string cannot fail.
    for addr in relay.missing_addrs() {
        let family = if addr.is_ipv4() { "IPv4" } else { "IPv6" };
        let _ = writeln!(text, "  not on       {addr}: this machine has no {family}");
    }
    if let Some(fingerprint) = relay.fingerprint() {
        let origin = match (certificate.generated_for(), certificate.kept_in()) {
            (Some(hosts), Some(state)) => {
                format!(
                    ", generated for {}, kept in {}",
                    hosts.join(", "),
                    state.dir().display()
                )
            }
            (Some(hosts), None) => format!(", generated for {}", hosts.join(", ")),
            (None, _) => String::new(),
        };
        let _ = writeln!(text, "  certificate  sha256 {fingerprint}{origin}");
    }
    let _ = writeln!(text, "  open to all  {public}");
    let name = certificate.generated_for().and_then(|hosts| hosts.first());
    if let Some(authority) = authority(relay.addrs(), name.map(String::as_str)) {
        let scheme = if name.is_some() { "http" } else { "https" };
        let _ = writeln!(
            text,
            "  publish      moq publish {scheme}://{authority} demo"
        );
        let _ = writeln!(
            text,
            "  subscribe    moq subscribe {scheme}://{authority} demo"
        );
        if let (Some(_), Some(fingerprint)) = (name, relay.fingerprint()) {
            let pin = format!("--tls-fingerprint {fingerprint}");
            let _ = writeln!(
                text,
                "  raw QUIC     moq subscribe moqt://{authority} demo {pin}"
            );
        }
    }
    text
}

/// Host and port for a URL: the address itself unless it stands for all of them.
fn authority(addrs: &[SocketAddr], name: Option<&str>) -> Option<String> {
    let first = addrs.first()?;
    let is_pair = addrs
        .iter()
        .all(|addr| addr.ip().is_loopback() && addr.port() == first.port());
    if is_pair && addrs.len() > 1 {
        return Some(format!("localhost:{}", first.port()));
    }
    if first.ip().is_unspecified() {
        return Some(format!("{}:{}", name.unwrap_or("HOST"), first.port()));
    }
    Some(first.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(addrs: &[&str], name: Option<&str>) -> Option<String> {
        let addrs: Vec<_> = addrs.iter().map(|addr| addr.parse().unwrap()).collect();
        authority(&addrs, name)
    }

    #[test]
    fn the_address_to_connect_to_can_be_connected_to() {
        assert_eq!(
            shown(&["127.0.0.1:4443", "[::1]:4443"], None).unwrap(),
            "localhost:4443"
        );
        assert_eq!(shown(&["127.0.0.1:5"], None).unwrap(), "127.0.0.1:5");
        assert_eq!(
            shown(&["[::]:5"], Some("relay.example")).unwrap(),
            "relay.example:5"
        );
        assert_eq!(shown(&["0.0.0.0:5"], None).unwrap(), "HOST:5");
        assert_eq!(shown(&[], None), None);
    }
}
