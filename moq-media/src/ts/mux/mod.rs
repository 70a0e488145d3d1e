//! Samples → a transport stream.

mod elementary;
mod packet;
mod tables;

#[cfg(test)]
mod tests;

use bytes::Bytes;

use self::elementary::Written;
use self::packet::{Clock, Packetizer};
use crate::codec::CodecError;
use crate::es::TICKS;
use crate::fmp4::{Init, Sample};
use crate::timeline::Scale;

/// Why a track can't be written into a transport stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TsError {
    /// Its codec has no place there.
    #[error("MPEG-TS takes H.264, H.265, AAC and Opus, found {0}")]
    Unsupported(String),
    /// Its configuration, or a sample of it, can't be read.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// Writes an MPEG transport stream of one program.
///
/// Tables come in front of key frames and ten times a second. A clock reference comes with each
/// sample of the first video track, or else of the first track.
///
/// ```
/// # let init_and_fragments = moq_media::doc::audio();
/// use moq_media::fmp4::{Demuxer, Event};
/// use moq_media::ts::Muxer;
///
/// let mut demuxer = Demuxer::default();
/// demuxer.push(init_and_fragments);
/// let (mut muxer, mut stream) = (None, Vec::new());
/// while let Some(event) = demuxer.next()? {
///     match event {
///         Event::Init(init) => muxer = Some(Muxer::new(&init)?),
///         Event::Sample(sample) => {
///             let written = muxer.as_mut().map(|muxer| muxer.write(&sample)).transpose()?;
///             stream.extend(written.unwrap_or_default());
///         }
///         _ => {}
///     }
/// }
/// assert_eq!((stream[0], stream.len() % 188), (0x47, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Muxer {
    tracks: Vec<Track>,
    tables: tables::Tables,
    /// The track whose samples carry the clock.
    clock: usize,
    /// When tables were written last, in ticks of 90 kHz.
    told_at: Option<i64>,
}

#[derive(Debug)]
struct Track {
    id: u32,
    scale: Scale,
    written: Written,
    packets: Packetizer,
}

impl Muxer {
    /// A muxer for all tracks of `init`.
    ///
    /// # Errors
    /// [`TsError`] when a track can't be written.
    pub fn new(init: &Init) -> Result<Self, TsError> {
        let mut tracks = Vec::new();
        for (track, pid) in init.tracks.iter().zip(FIRST_PID..) {
            tracks.push(Track {
                id: track.id,
                scale: track.scale,
                written: Written::of(&track.entry)?,
                packets: Packetizer::new(pid),
            });
        }
        let is_video = |track: &Track| track.written.is_video();
        let clock = tracks.iter().position(is_video).unwrap_or(0);
        let streams = tracks.iter().zip(FIRST_PID..);
        let streams = streams.map(|(track, pid)| track.written.describe(pid));
        let clock_pid = tracks.get(clock).map_or(NO_PID, |track| track.packets.pid);
        let tables = tables::Tables::new(clock_pid, &streams.collect::<Vec<_>>().concat());
        Ok(Self {
            tracks,
            tables,
            clock,
            told_at: None,
        })
    }

    /// Writes a sample: whole packets of 188 bytes. One of a track that is not known gives none.
    ///
    /// # Errors
    /// [`TsError::Codec`] when its bitstream can't be read.
    pub fn write(&mut self, sample: &Sample) -> Result<Bytes, TsError> {
        let Some(at) = self
            .tracks
            .iter()
            .position(|track| track.id == sample.track)
        else {
            return Ok(Bytes::new());
        };
        let ticks = Scale::new(TICKS).unwrap_or(Scale::MICROS);
        let track = &mut self.tracks[at];
        let place = |time| {
            ticks
                .from_micros(track.scale.micros(time))
                .saturating_add(LEAD)
        };
        let (dts, pts) = (place(sample.dts), place(sample.pts));
        let payload = track.written.payload(&sample.payload, sample.is_key)?;
        let mut stream = Vec::with_capacity(payload.len() + payload.len() / 32 + 4 * 188);
        let is_due = self
            .told_at
            .is_none_or(|told| dts - told >= TABLES || dts < told);
        let begins = track.written.is_video() && sample.is_key;
        if is_due || begins {
            self.told_at = Some(dts);
            self.tables.write(&mut stream);
        }
        let clock = Clock {
            pts,
            dts,
            reference: (at == self.clock).then_some(dts - DELAY),
            is_key: begins,
        };
        let kind = track.written.stream_id();
        track.packets.write(&clock, kind, &payload, &mut stream);
        Ok(stream.into())
    }
}

/// The first track's; the others follow.
const FIRST_PID: u16 = 0x100;

const NO_PID: u16 = 0x1fff;

/// Times begin at so many ticks, so that the clock is not negative, even where pictures are shown before
/// they were decoded.
const LEAD: i64 = 126_000;

/// How long before it is decoded a sample comes.
const DELAY: i64 = 63_000;

/// From tables to tables: a tenth of a second.
const TABLES: i64 = 9_000;
