//! First packets that are wrong in any way.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use quinn_proto::EndpointConfig;
use tokio::net::UdpSocket;
use tokio::time::sleep;

use super::mutant::{Dice, crafted, flipped};
use super::{Target, tls};
use crate::tell;

/// Sends so many: one half are a client's with bytes changed, the other half have whole
/// protection around frames that make no sense.
pub(super) async fn run(target: Target, count: u64) -> anyhow::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let socket = socket.context("opening a socket")?;
    let mut dice = Dice::new(1);
    for number in 0..count {
        let packet = match number % 2 {
            0 => flipped(genuine(&target)?, &mut dice),
            _ => crafted(&mut dice)?,
        };
        // Empty ones and too large ones are refused by the system.
        let _ = socket.send_to(&packet, target.addr).await;
        if number % AT_ONCE == 0 {
            sleep(PACE).await;
        }
    }
    tell(&format!("initials {count}"));
    Ok(())
}

/// A client's first packet.
fn genuine(target: &Target) -> anyhow::Result<Vec<u8>> {
    let config = std::sync::Arc::new(EndpointConfig::default());
    let mut endpoint = quinn_proto::Endpoint::new(config, None, true, None);
    let now = Instant::now();
    let begun = endpoint.connect(now, tls::config(target.alpn)?, target.addr, "localhost");
    let (_, mut connection) = begun.context("beginning a connection")?;
    let mut packet = Vec::new();
    let sent = connection.poll_transmit(now, 1, &mut packet);
    anyhow::ensure!(sent.is_some(), "a client that begins with nothing");
    Ok(packet)
}

/// Packets between two pauses, which a socket has room for.
const AT_ONCE: u64 = 32;
const PACE: Duration = Duration::from_millis(2);
