//! The certificate that a relay shows, and the next one.

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use moq_transport_quinn::tls::Identity;
use tokio::time::sleep;

use super::server::Server;
use super::state::{self, State};
use crate::args::TlsArgs;
use crate::exit::{Exit, Failure};
use crate::progress::Console;

/// A certificate, and where the next one comes from.
#[derive(Debug)]
pub(super) struct Certificate {
    identity: Identity,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Files of the user, who also renews them.
    Files,
    /// Made here for these hosts, and kept if there is a place.
    Generated {
        hosts: Vec<String>,
        state: Option<State>,
    },
}

impl Certificate {
    /// Loads or generates what the arguments ask for.
    ///
    /// # Errors
    /// If that fails.
    pub(super) fn obtain(args: &TlsArgs, state: Option<State>) -> anyhow::Result<Self> {
        if let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) {
            let failure = || {
                let what = format!("cannot use the certificate {}", cert.display());
                Failure::new(Exit::Failed, what).with_hint(
                    "give PEM files of a chain and its key with --tls-cert and --tls-key",
                )
            };
            let identity = Identity::load(cert, key).with_context(failure)?;
            return Ok(Self {
                identity,
                source: Source::Files,
            });
        }
        let hosts = if args.tls_generate.is_empty() {
            LOCAL.map(String::from).to_vec()
        } else {
            args.tls_generate.clone()
        };
        let identity = generate(&hosts, state.as_ref())?;
        Ok(Self {
            identity,
            source: Source::Generated { hosts, state },
        })
    }

    /// The certificate and its key.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The hosts that it was generated for, if it was.
    pub(super) fn generated_for(&self) -> Option<&[String]> {
        match &self.source {
            Source::Files => None,
            Source::Generated { hosts, .. } => Some(hosts),
        }
    }

    /// Where it is kept for the next start, if it is.
    pub(super) fn kept_in(&self) -> Option<&State> {
        match &self.source {
            Source::Files => None,
            Source::Generated { state, .. } => state.as_ref(),
        }
    }

    /// Shows another one before this one ends, and so on for ever. The old one is shown until then.
    pub(super) async fn renew(self, server: impl Server, console: Console) {
        let Source::Generated { hosts, state } = self.source else {
            return;
        };
        let mut identity = self.identity;
        loop {
            // A machine that sleeps stops this clock, so the date is looked at often.
            sleep(LOOK).await;
            if !state::is_due(&identity, SystemTime::now()) {
                continue;
            }
            match generate(&hosts, state.as_ref()) {
                Ok(next) => {
                    console.note(format_args!(
                        "new certificate, sha256 {}",
                        next.fingerprint()
                    ));
                    server.set_certificate(next.clone());
                    identity = next;
                }
                Err(error) => tracing::warn!("{}", crate::exit::line(&error)),
            }
        }
    }
}

fn generate(hosts: &[String], state: Option<&State>) -> anyhow::Result<Identity> {
    match state {
        Some(state) => state.identity(hosts),
        None => Identity::generate(hosts).context("cannot generate a certificate"),
    }
}

/// What a certificate is generated for unless asked otherwise.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// How often to look at the date.
const LOOK: Duration = Duration::from_secs(60 * 60);
