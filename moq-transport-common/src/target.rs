//! What a URL asks for.

use std::net::IpAddr;

use rustls::pki_types::ServerName;
use url::Url;

use crate::error::ConnectError;

/// A URL, taken apart.
#[derive(Debug)]
#[non_exhaustive]
pub struct Target {
    /// How to connect.
    pub binding: Binding,
    /// A name or an address, without brackets.
    pub host: String,
    /// The UDP port.
    pub port: u16,
    /// What the certificate has to be valid for.
    pub name: ServerName<'static>,
    /// The same place as an `https` URL.
    pub https: Url,
    /// Path and query for the SETUP; `None` if there is nothing in them.
    pub setup_path: Option<String>,
}

/// How to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a client has to know each")]
pub enum Binding {
    /// WebTransport.
    Web,
    /// WebTransport, pinned to a fingerprint that is fetched first.
    FetchedWeb,
    /// Raw QUIC.
    Quic,
}

impl Target {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`ConnectError::UnsupportedScheme`] or [`ConnectError::BadUrl`].
    pub fn new(url: &Url) -> Result<Self, ConnectError> {
        let binding = match url.scheme() {
            "https" => Binding::Web,
            "http" => Binding::FetchedWeb,
            "moqt" | "moql" => Binding::Quic,
            other => return Err(ConnectError::UnsupportedScheme(other.to_owned())),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(ConnectError::BadUrl("it names no host"))?;
        // An IPv6 address stands in brackets, and only there may brackets stand. The host of a
        // scheme that the standard does not know keeps its case.
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let port = url.port().unwrap_or(DEFAULT_PORT);
        if port == 0 {
            return Err(ConnectError::BadUrl("its port is 0"));
        }
        let name = ServerName::try_from(host.clone())
            .map_err(|_| ConnectError::BadUrl("its host is neither a name nor an address"))?;
        let request = path_and_query(url);
        let https = Url::parse(&format!("https://{}{request}", authority(&host, port)))
            .map_err(|_| ConnectError::BadUrl("its host or path is malformed"))?;
        let setup_path = Some(request).filter(|path| path != "/");
        Ok(Self {
            binding,
            host,
            port,
            name,
            https,
            setup_path,
        })
    }

    /// Host and port as a URL has them.
    #[must_use]
    pub fn authority(&self) -> String {
        authority(&self.host, self.port)
    }
}

fn authority(host: &str, port: u16) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => format!("[{host}]:{port}"),
        _ => format!("{host}:{port}"),
    }
}

/// Path and query, beginning with a slash.
fn path_and_query(url: &Url) -> String {
    let path = if url.path().starts_with('/') {
        url.path()
    } else {
        "/"
    };
    match url.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

/// The port of a URL that names none.
const DEFAULT_PORT: u16 = 443;

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::new(&Url::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn schemes_choose_the_binding() {
        assert_eq!(target("https://relay.example/a").binding, Binding::Web);
        assert_eq!(target("http://localhost:4443").binding, Binding::FetchedWeb);
        assert_eq!(target("moqt://relay.example").binding, Binding::Quic);
        assert_eq!(target("moql://relay.example").binding, Binding::Quic);
        let other = Target::new(&Url::parse("wss://relay.example").unwrap());
        assert!(matches!(other, Err(ConnectError::UnsupportedScheme(scheme)) if scheme == "wss"));
    }

    #[test]
    fn hosts_may_be_names_or_addresses() {
        for (url, host, authority) in [
            ("moqt://[::1]:4443/x", "::1", "[::1]:4443"),
            ("https://[::1]", "::1", "[::1]:443"),
            ("moqt://127.0.0.1", "127.0.0.1", "127.0.0.1:443"),
            ("moqt://Relay.Example:1", "relay.example", "relay.example:1"),
            ("http://localhost:4443/", "localhost", "localhost:4443"),
        ] {
            let target = target(url);
            assert_eq!(
                (target.host.as_str(), target.authority().as_str()),
                (host, authority)
            );
        }
    }

    #[test]
    fn only_a_telling_path_goes_into_the_setup() {
        assert_eq!(target("moqt://relay.example").setup_path, None);
        assert_eq!(target("moqt://relay.example/").setup_path, None);
        assert_eq!(
            target("moqt://h/room?jwt=T").setup_path.as_deref(),
            Some("/room?jwt=T")
        );
        assert_eq!(
            target("moqt://h?jwt=T").setup_path.as_deref(),
            Some("/?jwt=T")
        );
        assert_eq!(
            target("https://h:1/room?jwt=T").https.as_str(),
            "https://h:1/room?jwt=T"
        );
    }

    #[test]
    fn urls_without_a_usable_host_are_refused() {
        for url in [
            "moqt:relay",
            "moqt:///room",
            "moqt://relay.example:0",
            "moqt://a%20b",
        ] {
            let bad = Target::new(&Url::parse(url).unwrap());
            assert!(
                matches!(bad, Err(ConnectError::BadUrl(_))),
                "{url}: {bad:?}"
            );
        }
    }
}
