//! Asking the peer what it could send.

use std::time::Duration;

use moq_wire::{BiStream, Probe, ProbeLevel};
use tokio::sync::{Notify, watch};

use super::request::open;
use crate::context::Context;
use crate::error::{SessionError, StreamError};
use crate::transport::{Transport, TransportStats};

/// What the peer could send to this end, as far as it says. Draft: PROBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Bandwidth {
    /// What its congestion controller would send, in bits per second.
    pub bits_per_second: Option<u64>,
    /// The round-trip time as it measures it.
    pub rtt: Option<Duration>,
}

/// What a session knows and tells of bandwidth.
#[derive(Debug)]
pub(crate) struct Probing {
    /// This end's transport measures something, which is announced.
    pub(crate) measures: bool,
    pub(crate) bandwidth: watch::Sender<Bandwidth>,
    /// Somebody wants to know the bandwidth.
    pub(crate) wanted: Notify,
    /// What this end has measured, for the peer's Probe streams.
    pub(crate) reports: watch::Sender<Option<Probe>>,
    /// The peer wants to know that.
    pub(crate) asked: Notify,
}

impl Probing {
    pub(crate) fn new(stats: TransportStats) -> Self {
        Self {
            measures: stats.rtt.is_some() || stats.send_rate.is_some(),
            bandwidth: watch::Sender::new(Bandwidth::default()),
            wanted: Notify::new(),
            reports: watch::Sender::new(None),
            asked: Notify::new(),
        }
    }
}

/// Asks whenever somebody wants to know, for as long as anybody does.
pub(super) async fn follow<T: Transport>(context: Context<T>) -> Result<(), SessionError> {
    let Probing {
        bandwidth, wanted, ..
    } = &context.probing;
    loop {
        wanted.notified().await;
        let ended = tokio::select! {
            biased;
            () = bandwidth.closed() => Ok(()),
            ended = listen(&context) => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "the peer reports no estimates any more");
        }
        bandwidth.send_replace(Bandwidth::default());
    }
}

/// Takes in the peer's reports, if it makes any.
async fn listen<T: Transport>(context: &Context<T>) -> Result<(), StreamError> {
    let has_setup = context.version.features().setup_stream;
    if has_setup && context.peer_setup().await.probe == ProbeLevel::None {
        return Ok(());
    }
    let (mut writer, mut reader) = open(context, BiStream::Probe)
        .await
        .map_err(|_| StreamError::Timeout)?;
    writer.flush().await?;
    while let Some(report) = reader.message::<Probe>("PROBE").await? {
        let heard = Bandwidth {
            bits_per_second: report.bitrate,
            rtt: report.rtt,
        };
        context.probing.bandwidth.send_if_modified(|known| {
            let is_new = *known != heard;
            *known = heard;
            is_new
        });
    }
    Ok(())
}
