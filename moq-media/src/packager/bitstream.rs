//! What a sample's bitstream needs before it is published.

use bytes::Bytes;

use crate::codec::h264::{self, Avcc};
use crate::codec::h265::{self, Hvcc};
use crate::codec::{Access, CodecError, Family, access, nal};
use crate::fmp4::{Kind, SampleEntry, TrackInit};
use crate::payload::Payload;

/// Whether a track's samples carry their own parameter sets, so that they are published with start
/// codes and without a description.
pub(super) fn is_in_band(kind: Kind) -> bool {
    matches!(&kind.bytes(), b"avc3" | b"hev1")
}

/// A track of `cmaf`, whose parameter sets have to stand in its sample entry: many readers look for them
/// nowhere else. What a file says itself stays as it is.
pub(super) fn out_of_band(described: &TrackInit) -> TrackInit {
    let mut described = described.clone();
    let entry = &mut described.entry;
    let codec = match entry.config.codec.split_once('.') {
        Some(("avc3", rest)) if entry.is_made => format!("avc1.{rest}"),
        Some(("hev1", rest)) if entry.is_made => format!("hvc1.{rest}"),
        _ => return described,
    };
    let mut config = entry.config.clone();
    config.codec = codec;
    // A configuration that could be written under the one name can be under the other.
    if let Ok(made) = SampleEntry::of_config(config) {
        *entry = made;
    }
    described
}

/// A sample without the parameter sets that stand in its entry, of which others stay; `None` if it is
/// malformed.
pub(super) fn without_sets(entry: &SampleEntry, sample: &Payload) -> Option<Payload> {
    let sets = parameter_sets(entry);
    let mut rest = Payload::default();
    for range in nal::with_lengths(sample, entry.nal_length_size) {
        let (start, end) = range.ok()?;
        let is_equal = |set: &Bytes| {
            let unit = sample
                .slice(start, end)
                .filter(|_| set.len() == end - start);
            unit.is_some_and(|unit| unit.to_bytes() == set)
        };
        if !sets.iter().any(is_equal) {
            let unit = sample.slice(start - entry.nal_length_size, end)?;
            unit.chunks().for_each(|chunk| rest.push(chunk.clone()));
        }
    }
    Some(rest)
}

/// A sample with start codes; the parameter sets are put in front of a key frame that lacks them.
pub(super) fn with_start_codes(
    entry: &SampleEntry,
    sample: &Payload,
    is_key: bool,
) -> Result<Payload, CodecError> {
    let sets = if is_key && !has_parameter_sets(entry, sample) {
        parameter_sets(entry)
    } else {
        Vec::new()
    };
    nal::to_start_codes(sample, entry.nal_length_size, &sets)
}

fn has_parameter_sets(entry: &SampleEntry, sample: &Payload) -> bool {
    let is_h264 = entry.kind.bytes() == *b"avc3";
    nal::with_lengths(sample, entry.nal_length_size)
        .map_while(Result::ok)
        .filter_map(|(start, _)| sample.read::<1>(start))
        .any(|head| {
            if is_h264 {
                h264::unit_type(&head) == 7
            } else {
                h265::unit_type(&head) == 33
            }
        })
}

fn parameter_sets(entry: &SampleEntry) -> Vec<Bytes> {
    let record = entry.config.description.clone().unwrap_or_default();
    if matches!(&entry.kind.bytes(), b"avc1" | b"avc3") {
        Avcc::read(&record).map_or_else(|_| Vec::new(), |avcc| avcc.parameter_sets())
    } else {
        Hvcc::read(&record).map_or_else(|_| Vec::new(), |hvcc| hvcc.sets)
    }
}

/// Finds key frames. The container's marks are believed as long as they tell samples apart.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyFrames {
    was_marked: bool,
    has_begun: bool,
    /// Whether one was left out because earlier pictures of it can't be decoded.
    refused_open: bool,
}

impl KeyFrames {
    /// Whether a group begins with this sample.
    pub(super) fn next(&mut self, entry: &SampleEntry, sample: &Payload, is_marked: bool) -> bool {
        let is_doubtful = self.was_marked || !self.has_begun;
        self.was_marked = is_marked;
        if !is_marked {
            return false;
        }
        let is_key = !is_doubtful || self.look(entry, sample);
        self.has_begun |= is_key;
        is_key
    }

    /// Looks into the bitstream, because every sample is marked or nothing was decoded yet.
    fn look(&mut self, entry: &SampleEntry, sample: &Payload) -> bool {
        let family = Family::of(&entry.config.codec);
        let found = family.and_then(|family| access(family, sample, entry.nal_length_size));
        match found {
            None | Some(Access::Full) => true,
            Some(Access::None) => false,
            // The first of a broadcast should be decodable as a whole; where none ever is, the
            // second one has to do.
            Some(Access::Open) => {
                let is_accepted = self.has_begun || self.refused_open;
                self.refused_open = true;
                is_accepted
            }
        }
    }
}
