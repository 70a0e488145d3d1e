//! `moof`: where samples are and when.

use mp4_atom::{Tfhd, Trun};

use super::boxes::{Part, parts};
use super::error::{BoxError, Problem};
use super::init::is_kind;

/// What samples are like unless their fragment says otherwise (`trex`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Defaults {
    pub(crate) description: u32,
    pub(crate) duration: u32,
    pub(crate) size: u32,
    pub(crate) flags: u32,
}

/// The samples of one track in one fragment.
#[derive(Debug)]
pub(crate) struct TrackFragment {
    pub(crate) track: u32,
    pub(crate) start: Option<Start>,
    pub(crate) samples: Vec<Slot>,
}

/// A decode time as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) ticks: u64,
    /// Whether the field had 32 bits, so that it wraps around.
    pub(crate) is_short: bool,
}

/// A sample's place and shape, with all defaults resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Where in the input its bytes begin.
    pub(crate) at: u64,
    pub(crate) size: u32,
    pub(crate) duration: u32,
    pub(crate) composition: i64,
    pub(crate) flags: u32,
}

impl Slot {
    pub(crate) fn is_key(&self) -> bool {
        self.flags & NON_SYNC == 0
    }
}

/// One entry per `traf`: its samples, or the track that it is of and why it can't be used.
pub(crate) type Trafs = Vec<Result<TrackFragment, (u32, BoxError)>>;

/// Reads the `moof` that begins at `offset` and takes `bytes`, without its head.
///
/// `defaults` knows the tracks; a `traf` of another one is in the second list, by its id.
pub(crate) fn read_fragment(
    moof: &Part<'_>,
    most_samples: usize,
    defaults: impl Fn(u32) -> Option<Defaults>,
) -> Result<(Trafs, Vec<u32>), BoxError> {
    let mut reader = Reader {
        moof_start: moof.offset,
        moof_end: moof.offset + moof.whole.len() as u64,
        left: most_samples,
        data_end: None,
    };
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for traf in parts(moof.body, moof.body_offset()).filter(is_kind(b"traf")) {
        let traf = traf?;
        let tfhd = traf.required(b"tfhd")?.decode::<Tfhd>()?;
        match defaults(tfhd.track_id) {
            None => {
                unknown.push(tfhd.track_id);
                reader.data_end = None;
            }
            Some(defaults) => {
                let samples = reader.traf(&traf, &tfhd, defaults);
                found.push(samples.map_err(|error| (tfhd.track_id, error)));
            }
        }
    }
    Ok((found, unknown))
}

struct Reader {
    moof_start: u64,
    moof_end: u64,
    /// Samples that the fragment may still have.
    left: usize,
    /// Where the data of the `traf` before ends.
    data_end: Option<u64>,
}

impl Reader {
    fn traf(
        &mut self,
        traf: &Part<'_>,
        tfhd: &Tfhd,
        defaults: Defaults,
    ) -> Result<TrackFragment, BoxError> {
        let description = tfhd
            .sample_description_index
            .unwrap_or(defaults.description);
        if description > 1 {
            return Err(traf.error(Problem::Field {
                field: "sample_description_index",
                expected: "1, the first entry of stsd",
                found: description.into(),
            }));
        }
        let defaults = Defaults {
            description,
            duration: tfhd.default_sample_duration.unwrap_or(defaults.duration),
            size: tfhd.default_sample_size.unwrap_or(defaults.size),
            flags: tfhd.default_sample_flags.unwrap_or(defaults.flags),
        };
        let base = self.base(tfhd);
        let mut next = None;
        let mut samples = Vec::new();
        for trun in traf.children(0).filter(is_kind(b"trun")) {
            next = Some(self.trun(&trun?, base, next, defaults, &mut samples)?);
        }
        self.data_end = next;
        Ok(TrackFragment {
            track: tfhd.track_id,
            start: start(traf)?,
            samples,
        })
    }

    /// What `data_offset` counts from. An explicit base that is not at this fragment was written
    /// before the file was cut or joined, so the fragment's own start is meant.
    fn base(&self, tfhd: &Tfhd) -> u64 {
        let near = self.moof_start..=self.moof_end + 16;
        match tfhd.base_data_offset.filter(|base| near.contains(base)) {
            Some(base) => base,
            None if tfhd.default_base_is_moof || tfhd.base_data_offset.is_some() => self.moof_start,
            None => self.data_end.unwrap_or(self.moof_start),
        }
    }

    /// Adds a run's samples; where their data ends.
    fn trun(
        &mut self,
        part: &Part<'_>,
        base: u64,
        next: Option<u64>,
        defaults: Defaults,
        samples: &mut Vec<Slot>,
    ) -> Result<u64, BoxError> {
        // The count stands behind version and flags, and is checked before anything is allocated.
        let count = part.body.get(4..8).and_then(|count| count.try_into().ok());
        let found = u32::from_be_bytes(count.unwrap_or_default());
        if found as usize > self.left {
            return Err(part.error(Problem::Limit {
                limit: self.left as u64,
                found: found.into(),
            }));
        }
        self.left -= found as usize;
        let trun = part.decode::<Trun>()?;
        let mut at = match (trun.data_offset, next) {
            (Some(offset), _) => base.saturating_add_signed(offset.into()),
            (None, Some(next)) => next,
            (None, None) if base == self.moof_start => self.moof_end + 8,
            (None, None) => base,
        };
        for entry in trun.samples.iter() {
            let slot = Slot {
                at,
                size: entry.size.unwrap_or(defaults.size),
                duration: entry.duration.unwrap_or(defaults.duration),
                composition: entry.cts.unwrap_or(0),
                flags: entry.flags.unwrap_or(defaults.flags),
            };
            at = at.saturating_add(slot.size.into());
            samples.push(slot);
        }
        Ok(at)
    }
}

fn start(traf: &Part<'_>) -> Result<Option<Start>, BoxError> {
    let Some(tfdt) = traf.child(b"tfdt")? else {
        return Ok(None);
    };
    let is_short = tfdt.body.first() == Some(&0);
    let ticks = tfdt.decode::<mp4_atom::Tfdt>()?.base_media_decode_time;
    if ticks >= MAX_TICKS {
        return Err(tfdt.error(Problem::Field {
            field: "baseMediaDecodeTime",
            expected: "less than 2^60",
            found: ticks,
        }));
    }
    Ok(Some(Start { ticks, is_short }))
}

/// The bit of a sample's flags that says it is no sync sample.
const NON_SYNC: u32 = 0x0001_0000;

/// Far beyond any recording, and safe to add to.
const MAX_TICKS: u64 = 1 << 60;
