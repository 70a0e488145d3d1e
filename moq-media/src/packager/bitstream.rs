//! What a sample's bitstream needs before it is published.

use bytes::Bytes;

use crate::codec::h264::{self, Avcc};
use crate::codec::h265::{self, Hvcc};
use crate::codec::{Access, CodecError, Family, access, nal};
use crate::fmp4::{Kind, SampleEntry};
use crate::payload::Payload;

/// Whether a track's samples carry their own parameter sets, so that they are published with start
/// codes and without a description.
pub(super) fn is_in_band(kind: Kind) -> bool {
    matches!(&kind.bytes(), b"avc3" | b"hev1")
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
    if entry.kind.bytes() == *b"avc3" {
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
