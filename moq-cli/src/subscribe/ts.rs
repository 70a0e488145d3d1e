//! `moq subscribe --ts`: a transport stream instead of fragmented MP4.

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use moq_media::fmp4::{Demuxer, Event};
use moq_media::ts::Muxer;

use crate::exit::{Exit, Failure};

/// Rewrites what an export writes.
#[derive(Debug, Default)]
pub(super) struct TsWriter {
    demuxer: Demuxer,
    muxer: Option<Muxer>,
}

impl TsWriter {
    /// The packets of what was written as fragmented MP4.
    ///
    /// # Errors
    /// If a transport stream has no place for a track.
    pub(super) fn rewrite(&mut self, written: Bytes) -> anyhow::Result<Bytes> {
        let mut stream = BytesMut::new();
        self.demuxer.push(written);
        while let Some(event) = self.demuxer.next().context("cannot read the fragments")? {
            let written = match (event, &mut self.muxer) {
                (Event::Init(init), muxer) => {
                    *muxer = Some(Muxer::new(&init).with_context(cannot)?);
                    continue;
                }
                (Event::Sample(sample), Some(muxer)) => {
                    muxer.write(&sample).with_context(cannot)?
                }
                _ => continue,
            };
            stream.extend_from_slice(&written);
        }
        Ok(stream.freeze())
    }
}

fn cannot() -> Failure {
    let failure = Failure::new(Exit::Failed, "cannot write the broadcast as MPEG-TS");
    failure.with_hint("choose other tracks by --video and --audio, or --fmp4")
}
