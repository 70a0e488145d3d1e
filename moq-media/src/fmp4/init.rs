//! `moov`: which tracks there are.

use bytes::Bytes;
use mp4_atom::{Elst, Mdhd, Mvhd, Tkhd, Trex};

use super::boxes::{Kind, Part, parts};
use super::entry::SampleEntry;
use super::error::{BoxError, Problem};
use super::fragment::Defaults;
use super::limits::Limits;
use crate::timeline::Scale;

/// The tracks that an input has.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Init {
    /// Tracks that can be published.
    pub tracks: Vec<TrackInit>,
    /// Ids of the other tracks, and why those can't be used.
    pub skipped: Vec<(u32, String)>,
}

/// One track of an input.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TrackInit {
    /// The number by which fragments name it.
    pub id: u32,
    /// The unit of its times.
    pub scale: Scale,
    /// Its codec.
    pub entry: SampleEntry,
    /// What its edit list takes off its times, in its ticks. Samples have been moved already.
    pub edit: i64,
    /// Whether the edit list has more than one part of the media; only the first is followed.
    pub has_more_edits: bool,
    pub(crate) defaults: Defaults,
}

impl TrackInit {
    /// A track of an input without boxes.
    pub(crate) fn new(id: u32, scale: Scale, entry: SampleEntry) -> Self {
        Self {
            id,
            scale,
            entry,
            edit: 0,
            has_more_edits: false,
            defaults: Defaults::default(),
        }
    }
}

impl Init {
    /// Reads the bytes of a whole initialization segment, or of a `moov` alone.
    ///
    /// # Errors
    /// [`BoxError`] without a `moov` that can be used.
    pub fn read(segment: &Bytes) -> Result<Self, BoxError> {
        let mut boxes = parts(segment, 0);
        let moov = boxes.find(|part| part.as_ref().map_or(true, |part| part.kind.0 == *b"moov"));
        match moov {
            Some(moov) => Self::of_moov(segment, &moov?, &Limits::default()),
            None => {
                let problem = Problem::Missing(Kind(*b"moov"));
                Err(BoxError::new(Kind(*b"ftyp"), 0, problem))
            }
        }
    }

    pub(super) fn of_moov(
        bytes: &Bytes,
        moov: &Part<'_>,
        limits: &Limits,
    ) -> Result<Self, BoxError> {
        let mvhd = moov.required(b"mvhd")?.decode::<Mvhd>()?;
        let mut init = Self {
            tracks: Vec::new(),
            skipped: Vec::new(),
        };
        for (index, trak) in moov.children(0).filter(is_kind(b"trak")).enumerate() {
            let trak = trak?;
            if index >= limits.tracks {
                let (limit, found) = (limits.tracks as u64, index as u64 + 1);
                return Err(moov.error(Problem::Limit { limit, found }));
            }
            let tkhd = trak.required(b"tkhd")?.decode::<Tkhd>()?;
            let id = tkhd.track_id;
            if init.tracks.iter().any(|track| track.id == id) {
                init.skipped.push((id, "its number is taken".to_owned()));
                continue;
            }
            match track(bytes, &trak, id, mvhd.timescale) {
                Ok(track) => init.tracks.push(track),
                Err(error) => init.skipped.push((id, error.to_string())),
            }
        }
        for trex in trexes(moov)? {
            let of_track = |track: &&mut TrackInit| track.id == trex.track_id;
            if let Some(track) = init.tracks.iter_mut().find(of_track) {
                track.defaults = Defaults {
                    description: trex.default_sample_description_index,
                    duration: trex.default_sample_duration,
                    size: trex.default_sample_size,
                    flags: trex.default_sample_flags,
                };
            }
        }
        Ok(init)
    }

    /// Whether a `moov` has an index of samples, as files that are not fragmented do.
    pub(super) fn has_index(moov: &Part<'_>) -> Result<bool, BoxError> {
        if moov.child(b"mvex")?.is_some() {
            return Ok(false);
        }
        for trak in moov.children(0).filter(is_kind(b"trak")) {
            let Some(stsz) = descend(&trak?, &[b"mdia", b"minf", b"stbl", b"stsz"])? else {
                continue;
            };
            if stsz.body.get(8..12).is_some_and(|count| count != [0; 4]) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn track(bytes: &Bytes, trak: &Part<'_>, id: u32, movie_scale: u32) -> Result<TrackInit, BoxError> {
    let mdia = trak.required(b"mdia")?;
    // Only the handler counts: its name has one spelling in MP4 and another in QuickTime.
    let hdlr = mdia.required(b"hdlr")?;
    let handler = hdlr.body.get(8..12).and_then(|kind| kind.try_into().ok());
    let handler: [u8; 4] = handler.unwrap_or_default();
    if !matches!(&handler, b"vide" | b"soun") {
        let text = format!("a track of {} is not published", Kind(handler));
        return Err(trak.error(Problem::Unsupported(text)));
    }
    let mdhd = mdia.required(b"mdhd")?;
    let timescale = mdhd.decode::<Mdhd>()?.timescale;
    let scale = Scale::new(timescale).ok_or_else(|| {
        mdhd.error(Problem::Field {
            field: "timescale",
            expected: "more than 0",
            found: 0,
        })
    })?;
    let stbl = mdia.required(b"minf")?.required(b"stbl")?;
    let stsd = stbl.required(b"stsd")?;
    let entry = stsd.children(8).next().transpose()?;
    let entry = entry.ok_or_else(|| stsd.error(Problem::Missing(Kind(*b"avc1"))))?;
    let (edit, has_more_edits) = edit(trak, scale, movie_scale)?;
    Ok(TrackInit {
        id,
        scale,
        entry: SampleEntry::read(bytes, &entry)?,
        edit,
        has_more_edits,
        defaults: Defaults::default(),
    })
}

/// What the edit list takes off the track's times: the start of the first edit that has media, less
/// what empty edits before it put in front. And whether there are later edits, which are not followed.
fn edit(trak: &Part<'_>, scale: Scale, movie_scale: u32) -> Result<(i64, bool), BoxError> {
    let Some(elst) = descend(trak, &[b"edts", b"elst"])? else {
        return Ok((0, false));
    };
    let entries = elst.decode::<Elst>()?.entries;
    let first = entries.iter().position(|entry| entry.media_time.is_some());
    let Some((first, start)) = first.and_then(|at| Some((at, entries[at].media_time?))) else {
        return Ok((0, false));
    };
    let empty = entries[..first]
        .iter()
        .map(|entry| i128::from(entry.segment_duration));
    let wait = empty.sum::<i128>() * i128::from(scale.ticks()) / i128::from(movie_scale.max(1));
    let edit = i64::try_from(i128::from(start) - wait).ok();
    let edit = edit.filter(|edit| edit.unsigned_abs() < MAX_EDIT);
    let edit = edit.ok_or_else(|| {
        elst.error(Problem::Field {
            field: "media_time",
            expected: "less than 2^60 ticks",
            found: start,
        })
    })?;
    Ok((edit, entries.len() > first + 1))
}

fn trexes(moov: &Part<'_>) -> Result<Vec<Trex>, BoxError> {
    let Some(mvex) = moov.child(b"mvex")? else {
        return Ok(Vec::new());
    };
    let trexes = mvex.children(0).filter(is_kind(b"trex"));
    trexes.map(|trex| trex?.decode::<Trex>()).collect()
}

fn descend<'a>(from: &Part<'a>, path: &[&[u8; 4]]) -> Result<Option<Part<'a>>, BoxError> {
    let mut at = *from;
    for kind in path {
        let Some(child) = at.child(kind)? else {
            return Ok(None);
        };
        at = child;
    }
    Ok(Some(at))
}

/// Keeps boxes of a kind, and errors.
pub(super) fn is_kind<'a>(
    kind: &'static [u8; 4],
) -> impl FnMut(&Result<Part<'a>, BoxError>) -> bool {
    move |part| part.as_ref().map_or(true, |part| part.kind.0 == *kind)
}

const MAX_EDIT: u64 = 1 << 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Media;
    use crate::fmp4::{InitTrack, write_init};

    /// An initialization segment of Opus whose edit list has these entries: how long in thousandths
    /// of a second, and from where in the media, or nothing.
    fn with_edits(edits: &[(u32, i32)]) -> Bytes {
        let config = crate::codec::Config::new(
            "opus".to_owned(),
            None,
            Media::Audio {
                sample_rate: 48_000,
                channels: 2,
            },
        );
        let entry = crate::fmp4::write_entry(&config).unwrap();
        let scale = Scale::new(48_000).unwrap();
        let segment = write_init(&[InitTrack::new(1, scale, config.media, entry)]).unwrap();
        let mut list = vec![0; 4];
        list.extend((edits.len() as u32).to_be_bytes());
        for (duration, start) in edits {
            list.extend(duration.to_be_bytes());
            list.extend(start.to_be_bytes());
            list.extend([0, 1, 0, 0]);
        }
        let elst = [&(list.len() as u32 + 8).to_be_bytes(), &b"elst"[..], &list].concat();
        let edts = [&(elst.len() as u32 + 8).to_be_bytes(), &b"edts"[..], &elst].concat();
        // Behind the head of trak, which is the third box to grow.
        let mut segment = segment.to_vec();
        for kind in [b"moov", b"trak"] {
            let at = segment.windows(4).position(|found| found == kind).unwrap();
            let size = u32::from_be_bytes(segment[at - 4..at].try_into().unwrap());
            segment[at - 4..at].copy_from_slice(&(size + edts.len() as u32).to_be_bytes());
        }
        let at = segment
            .windows(4)
            .position(|found| found == b"trak")
            .unwrap()
            + 4;
        segment.splice(at..at, edts);
        segment.into()
    }

    fn edit(edits: &[(u32, i32)]) -> (i64, bool) {
        let init = Init::read(&with_edits(edits)).unwrap();
        assert_eq!(init.skipped, []);
        (init.tracks[0].edit, init.tracks[0].has_more_edits)
    }

    #[test]
    fn edit_list_moves_times() {
        assert_eq!(edit(&[(0, 312)]), (312, false));
        assert_eq!(
            edit(&[(500, -1), (0, 0)]),
            (-24_000, false),
            "half a second later"
        );
        assert_eq!(edit(&[(500, -1), (0, 312)]), (312 - 24_000, false));
        assert_eq!(edit(&[(9, 0), (9, 48_000)]), (0, true));
        assert_eq!(edit(&[]), (0, false));
        assert_eq!(edit(&[(500, -1)]), (0, false));
    }

    #[test]
    fn encrypted_and_other_tracks_are_named() {
        let plain = with_edits(&[]);
        for (from, to, reason) in [
            (b"soun", b"tmcd", "a track of tmcd is not published"),
            (b"Opus", b"enca", "encrypted media can't be published"),
            (b"Opus", b"ac-4", "codec ac-4 is not supported"),
        ] {
            let mut segment = plain.to_vec();
            let at = segment.windows(4).position(|found| found == from).unwrap();
            segment[at..at + 4].copy_from_slice(to);
            let init = Init::read(&segment.into()).unwrap();
            assert!(init.tracks.is_empty());
            assert!(init.skipped[0].1.ends_with(reason), "{}", init.skipped[0].1);
        }
    }
}
