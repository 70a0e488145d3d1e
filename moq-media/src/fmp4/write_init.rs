//! Tracks → an initialization segment.

use bytes::Bytes;
use mp4_atom::{Encode, FourCC, Hdlr, Mdhd, Mvhd, Smhd, Tkhd, Trex, Vmhd};

use super::mux::MuxError;
use crate::codec::Media;
use crate::timeline::Scale;

/// A track as an initialization segment has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitTrack {
    /// The number by which fragments name it.
    pub id: u32,
    /// The unit of its times.
    pub scale: Scale,
    /// Its shape.
    pub media: Media,
    /// The box of its sample entry.
    pub entry: Bytes,
}

impl InitTrack {
    /// A track of these parts.
    #[must_use]
    pub fn new(id: u32, scale: Scale, media: Media, entry: Bytes) -> Self {
        Self {
            id,
            scale,
            media,
            entry,
        }
    }
}

/// Writes `ftyp` and `moov` of tracks. There are no edit lists: times are as the fragments say.
///
/// # Errors
/// [`MuxError::Boxes`] when a box can't be written.
pub fn write_init(tracks: &[InitTrack]) -> Result<Bytes, MuxError> {
    let mut segment = Writer(Vec::new());
    segment.nest(b"ftyp", |ftyp| {
        // Brands: read by what knows version 6 of the format, and by CMAF players.
        ftyp.0.extend_from_slice(b"iso6\0\0\x02\0iso6cmfciso5mp41");
        Ok(())
    })?;
    segment.nest(b"moov", |moov| {
        let next = tracks.iter().map(|track| track.id).max().unwrap_or(0);
        moov.put(&movie_header(next.saturating_add(1)))?;
        for track in tracks {
            moov.nest(b"trak", |trak| write_track(trak, track))?;
        }
        moov.nest(b"mvex", |mvex| {
            for track in tracks {
                mvex.put(&Trex {
                    track_id: track.id,
                    default_sample_description_index: 1,
                    ..Trex::default()
                })?;
            }
            Ok(())
        })
    })?;
    Ok(segment.0.into())
}

fn movie_header(next_track: u32) -> Mvhd {
    Mvhd {
        creation_time: 0,
        modification_time: 0,
        timescale: 1_000,
        duration: 0,
        rate: 1.into(),
        volume: 1.into(),
        matrix: mp4_atom::Matrix::default(),
        next_track_id: next_track,
    }
}

fn write_track(trak: &mut Writer, track: &InitTrack) -> Result<(), MuxError> {
    let media = track.media;
    let (width, height) = match media {
        Media::Video { width, height } => (width, height),
        Media::Audio { .. } => (0, 0),
    };
    let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
    trak.put(&Tkhd {
        track_id: track.id,
        enabled: true,
        in_movie: true,
        volume: u8::from(!media.is_video()).into(),
        width: side(width).into(),
        height: side(height).into(),
        ..Tkhd::default()
    })?;
    trak.nest(b"mdia", |mdia| {
        mdia.put(&Mdhd {
            timescale: track.scale.ticks(),
            language: "und".to_owned(),
            ..Mdhd::default()
        })?;
        let (handler, name) = if media.is_video() {
            (b"vide", "video")
        } else {
            (b"soun", "audio")
        };
        mdia.put(&Hdlr {
            handler: FourCC::new(handler),
            name: name.to_owned(),
        })?;
        mdia.nest(b"minf", |minf| {
            if media.is_video() {
                minf.put(&Vmhd::default())?;
            } else {
                minf.put(&Smhd::default())?;
            }
            minf.nest(b"dinf", |dinf| {
                // One reference: the media is in this file.
                dinf.0
                    .extend_from_slice(b"\0\0\0\x1cdref\0\0\0\0\0\0\0\x01\0\0\0\x0curl \0\0\0\x01");
                Ok(())
            })?;
            minf.nest(b"stbl", |stbl| write_table(stbl, &track.entry))
        })
    })
}

/// The sample entry, and an empty index.
fn write_table(stbl: &mut Writer, entry: &[u8]) -> Result<(), MuxError> {
    stbl.nest(b"stsd", |stsd| {
        stsd.0.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]);
        stsd.0.extend_from_slice(entry);
        Ok(())
    })?;
    stbl.0.extend_from_slice(b"\0\0\0\x10stts\0\0\0\0\0\0\0\0");
    stbl.0.extend_from_slice(b"\0\0\0\x10stsc\0\0\0\0\0\0\0\0");
    stbl.0
        .extend_from_slice(b"\0\0\0\x14stsz\0\0\0\0\0\0\0\0\0\0\0\0");
    stbl.0.extend_from_slice(b"\0\0\0\x10stco\0\0\0\0\0\0\0\0");
    Ok(())
}

/// Boxes in the making.
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    /// Writes a box around what `body` writes.
    pub(super) fn nest(
        &mut self,
        kind: &[u8; 4],
        body: impl FnOnce(&mut Self) -> Result<(), MuxError>,
    ) -> Result<(), MuxError> {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        self.0.extend_from_slice(kind);
        body(self)?;
        let len = self.0.len() - start;
        let size = u32::try_from(len).map_err(|_| MuxError::TooLarge(len))?;
        self.0[start..start + 4].copy_from_slice(&size.to_be_bytes());
        Ok(())
    }

    fn put(&mut self, atom: &impl Encode) -> Result<(), MuxError> {
        let written = atom.encode(&mut self.0);
        written.map_err(|error| MuxError::Boxes(error.into()))
    }
}
