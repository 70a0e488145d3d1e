//! Clients below sessions: QUIC and HTTP/3 as no transport sends them.

mod dials;
mod grease;
mod initials;
mod mutant;
mod silent;
mod tls;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use anyhow::Context as _;
use bytes::Bytes;
use tokio::sync::mpsc;

use dials::Dials;
use silent::Silence;

/// What one process does without sessions.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    /// By the address that they come from.
    dials: HashMap<IpAddr, Dials>,
    /// Takes how many packets to send.
    grease: Option<mpsc::UnboundedSender<u64>>,
}

/// What is dialled, and how.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    /// The draft, by its name in TLS.
    pub(crate) alpn: &'static str,
    /// The stream that a session begins with.
    pub(crate) setup: Bytes,
}

impl Raw {
    pub(crate) fn run(&mut self, target: Target, words: &[&str]) -> anyhow::Result<()> {
        match *words {
            ["dials", from] => {
                let from = from.parse().context("reading an address")?;
                self.dials.insert(from, Dials::start(&target, from)?);
            }
            ["report", from] => {
                let from = from.parse().context("reading an address")?;
                let dials = self.dials.remove(&from).context("nothing is measured")?;
                tokio::spawn(dials.report());
            }
            ["grease", kind, filled] => {
                let filled = filled
                    .parse()
                    .context("reading how much is sent at first")?;
                self.grease = Some(grease::start(target, kind.parse()?, filled)?);
            }
            ["bytes", packets] => {
                let packets = packets.parse().context("reading a number of packets")?;
                let grease = self.grease.as_ref().context("nothing has begun")?;
                grease.send(packets).context("it is over")?;
            }
            ["silent", after, count] => {
                let count = count.parse().context("reading a number of clients")?;
                let after: Silence = after.parse()?;
                tokio::spawn(crate::told(silent::run(target, after, count)));
            }
            ["initials", count] => {
                let count = count.parse().context("reading a number of packets")?;
                tokio::spawn(crate::told(initials::run(target, count)));
            }
            _ => anyhow::bail!("unknown command raw {}", words.join(" ")),
        }
        Ok(())
    }
}
