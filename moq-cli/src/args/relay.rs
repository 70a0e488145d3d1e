//! What `relay` takes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use moq_relay::{Engine, WebOrigin};
use moq_session::{Limits, Pattern, Version};

use super::values;

/// `moq relay`
#[derive(Debug, Args)]
pub(crate) struct RelayArgs {
    /// Where to listen: QUIC and WebTransport on UDP, HTTP on TCP; may be repeated. `[::]:4443` is
    /// every address of IPv6 and IPv4
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "localhost:4443",
        value_delimiter = ','
    )]
    #[arg(env = "MOQ_LISTEN", hide_env_values = true)]
    pub(crate) listen: Vec<Listen>,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// What everybody may publish and subscribe to: `**`, `room/**` or `room`; may be repeated
    /// [default: `**` on loopback addresses]
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    #[arg(env = "MOQ_AUTH_PUBLIC", hide_env_values = true)]
    pub(crate) auth_public: Vec<Pattern>,
    /// What everybody may publish, in addition; may be repeated
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    #[arg(env = "MOQ_AUTH_PUBLIC_PUBLISH", hide_env_values = true)]
    pub(crate) auth_public_publish: Vec<Pattern>,
    /// What everybody may subscribe to, in addition; may be repeated
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    #[arg(env = "MOQ_AUTH_PUBLIC_SUBSCRIBE", hide_env_values = true)]
    pub(crate) auth_public_subscribe: Vec<Pattern>,
    /// Let pages of these origins connect: `https://page.example` or `https://*.page.example`; may
    /// be repeated [default: all]. Programs, which have no origin, are always let in
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    #[arg(env = "MOQ_WEB_ORIGIN", hide_env_values = true)]
    pub(crate) web_origin: Vec<WebOrigin>,
    /// Where the generated certificate and the reset key are kept [default: moq in the user's
    /// state directory]
    #[arg(long, value_name = "DIR", env = "MOQ_STATE", hide_env_values = true)]
    pub(crate) state: Option<PathBuf>,
    /// Accept this protocol version, such as moq-lite-06; may be repeated [default: all]
    #[arg(long = "version", value_name = "VERSION", value_delimiter = ',')]
    #[arg(env = "MOQ_VERSION", hide_env_values = true, value_parser = values::version)]
    version: Vec<Version>,
    /// The QUIC engine; `direct` takes less of the CPU for each viewer
    #[arg(
        long,
        value_name = "ENGINE",
        env = "MOQ_ENGINE",
        hide_env_values = true
    )]
    #[arg(value_enum, default_value_t)]
    pub(crate) engine: EngineArg,
    /// How many threads serve the peers, at most 256; more than there are cores are of no use
    #[arg(long, value_name = "N", env = "MOQ_WORKERS", hide_env_values = true)]
    #[arg(default_value = "1")]
    pub(crate) workers: NonZeroUsize,
    /// How many tracks one session may be subscribed to
    #[arg(
        long,
        value_name = "N",
        env = "MOQ_MAX_SUBSCRIPTIONS",
        hide_env_values = true
    )]
    #[arg(default_value = "1024")]
    pub(crate) max_subscriptions: NonZeroUsize,
    /// How many sessions one IPv4 address or IPv6 network of 64 bits may have; this machine may
    /// have any number
    #[arg(
        long,
        value_name = "N",
        env = "MOQ_MAX_SESSIONS_PER_ADDRESS",
        hide_env_values = true
    )]
    #[arg(default_value = "256")]
    pub(crate) max_sessions_per_address: NonZeroUsize,
}

/// The QUIC engine of a relay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineArg {
    /// quinn-proto with one task per socket
    #[cfg(unix)]
    #[default]
    Direct,
    /// quinn, with a task per connection and one worker
    #[cfg_attr(not(unix), default)]
    Quinn,
}

impl From<EngineArg> for Engine {
    fn from(engine: EngineArg) -> Self {
        match engine {
            #[cfg(unix)]
            EngineArg::Direct => Self::Direct,
            EngineArg::Quinn => Self::Quinn,
        }
    }
}

impl RelayArgs {
    /// What each session may take.
    pub(crate) fn limits(&self) -> Limits {
        let most = self.max_subscriptions.get();
        let mut limits = Limits::default();
        limits.subscriptions = most;
        // Each subscription comes with a request for the track's properties.
        limits.tracks = limits.tracks.max(most);
        let asked = u32::try_from(most.saturating_mul(2)).unwrap_or(u32::MAX);
        limits.track_rate.burst = limits.track_rate.burst.max(asked);
        limits
    }

    /// The versions to accept.
    pub(crate) fn versions(&self) -> &[Version] {
        if self.version.is_empty() {
            Version::OFFERED
        } else {
            &self.version
        }
    }
}

/// The relay's certificate.
#[derive(Debug, Clone, Args)]
pub(crate) struct TlsArgs {
    /// The certificate chain to show, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    #[arg(env = "MOQ_TLS_CERT", hide_env_values = true)]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    #[arg(env = "MOQ_TLS_KEY", hide_env_values = true)]
    pub(crate) tls_key: Option<PathBuf>,
    /// Generate a certificate for these hosts, to be pinned by its fingerprint [default:
    /// localhost]
    #[arg(
        long,
        value_name = "HOST",
        value_delimiter = ',',
        conflicts_with = "tls_cert"
    )]
    #[arg(env = "MOQ_TLS_GENERATE", hide_env_values = true)]
    pub(crate) tls_generate: Vec<String>,
}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listen {
    /// Both loopback families.
    Localhost(u16),
    /// This one.
    Addr(SocketAddr),
}

impl Listen {
    /// The addresses it stands for.
    pub(crate) fn addrs(&self) -> Vec<SocketAddr> {
        match *self {
            Self::Localhost(port) => vec![
                (IpAddr::V4(Ipv4Addr::LOCALHOST), port).into(),
                (IpAddr::V6(Ipv6Addr::LOCALHOST), port).into(),
            ],
            Self::Addr(addr) => vec![addr],
        }
    }

    /// Whether only this machine can reach it.
    pub(crate) fn is_loopback(&self) -> bool {
        self.addrs().iter().all(|addr| addr.ip().is_loopback())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Localhost(port) => write!(f, "localhost:{port}"),
            Self::Addr(addr) => addr.fmt(f),
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(port) = text.strip_prefix("localhost:") {
            let port = port.parse().map_err(|_| ADVICE)?;
            return Ok(Self::Localhost(port));
        }
        let addr = text.parse::<SocketAddr>().map_err(|_| ADVICE)?;
        Ok(Self::Addr(addr))
    }
}

const ADVICE: &str = "write it like localhost:4443, 127.0.0.1:4443 or [::]:4443";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_both_families() {
        let listen: Listen = "localhost:4443".parse().unwrap();
        let addrs: Vec<_> = listen.addrs().iter().map(ToString::to_string).collect();
        assert_eq!(addrs, ["127.0.0.1:4443", "[::1]:4443"]);
        assert!(listen.is_loopback());
    }

    #[test]
    fn other_addresses_are_numeric() {
        assert!("127.0.0.1:0".parse::<Listen>().unwrap().is_loopback());
        assert!(!"[::]:4443".parse::<Listen>().unwrap().is_loopback());
        for text in ["", "4443", "localhost", "localhost:x", "relay.example:1"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}
