//! A `moof` and an `mdat` of one track.

use bytes::Bytes;

use super::ContainerError;
use crate::fmp4::{
    FragmentSample, Init, Kind, MuxError, Part, Problem, Sample, parts, read_fragment,
    write_fragment,
};

/// Wraps samples of one track. The first is decoded at `start`, in ticks of the track.
///
/// # Errors
/// [`MuxError`] when they do not fit into a box.
pub fn encode(sequence: u32, start: u64, samples: &[FragmentSample]) -> Result<Bytes, MuxError> {
    write_fragment(sequence, TRACK, start, samples)
}

/// The samples of a frame, in ticks of the track that `init` has, as slices of the frame.
///
/// # Errors
/// [`ContainerError`] when there is no sample, or one that is not in the frame; or when samples share
/// bytes, so that they have more than the frame.
pub fn decode(frame: &Bytes, init: &Init) -> Result<Vec<Sample>, ContainerError> {
    let track = init.tracks.first().ok_or(ContainerError::NoSample)?;
    let mut samples = Vec::new();
    for part in parts(frame, 0) {
        let part = part?;
        if part.kind.0 == *b"moof" {
            fragment(frame, &part, |_| Some(track.defaults), &mut samples)?;
        }
        let bytes = samples.iter().map(|sample| sample.payload.len());
        if bytes.sum::<usize>() > frame.len() {
            return Err(ContainerError::SharedBytes);
        }
    }
    if samples.is_empty() {
        return Err(ContainerError::NoSample);
    }
    Ok(samples)
}

fn fragment(
    frame: &Bytes,
    moof: &Part<'_>,
    defaults: impl Fn(u32) -> Option<crate::fmp4::Defaults>,
    samples: &mut Vec<Sample>,
) -> Result<(), ContainerError> {
    let (trafs, _) = read_fragment(moof, MAX_SAMPLES, defaults)?;
    for traf in trafs {
        let traf = traf.map_err(|(_, error)| error)?;
        let start = traf
            .start
            .ok_or_else(|| moof.error(Problem::Missing(Kind(*b"tfdt"))))?;
        let mut dts = i64::try_from(start.ticks).unwrap_or(i64::MAX);
        for slot in traf.samples {
            let range = usize::try_from(slot.at).ok().and_then(|at| {
                let end = at.checked_add(usize::try_from(slot.size).ok()?)?;
                (end <= frame.len()).then_some(at..end)
            });
            let range = range.ok_or_else(|| moof.error(Problem::Samples { missing: 1 }))?;
            samples.push(Sample {
                track: traf.track,
                dts,
                pts: dts.saturating_add(slot.composition),
                duration: slot.duration,
                is_key: slot.is_key(),
                payload: frame.slice(range).into(),
            });
            dts = dts.saturating_add(slot.duration.into());
        }
    }
    Ok(())
}

/// The track's number in frames and in their initialization segment.
pub const TRACK: u32 = 1;

/// A frame has at most this many samples.
const MAX_SAMPLES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Media;
    use crate::fmp4::{InitTrack, write_init};
    use crate::timeline::Scale;

    fn init() -> Init {
        let mut opus = b"\0\0\0\x37Opus".to_vec();
        opus.extend([0; 28]);
        opus.extend(b"\0\0\0\x13dOps\0\x02\x01\x38\0\0\xbb\x80\0\0\0");
        let media = Media::Audio {
            sample_rate: 48_000,
            channels: 2,
        };
        let scale = Scale::new(48_000).unwrap();
        let segment = write_init(&[InitTrack::new(TRACK, scale, media, opus.into())]).unwrap();
        Init::read(&segment).unwrap()
    }

    fn frame() -> Bytes {
        let sample = |text: &'static str, composition| {
            let payload = Bytes::from_static(text.as_bytes()).into();
            FragmentSample::new(960, composition, composition == 0, payload)
        };
        encode(7, 48_000, &[sample("one", 0), sample("three", -5)]).unwrap()
    }

    #[test]
    fn samples_come_back_with_their_times() {
        let frame = frame();
        let samples = decode(&frame, &init()).unwrap();
        let seen = samples
            .iter()
            .map(|sample| (sample.dts, sample.pts, sample.is_key));
        let expected = [(48_000, 48_000, true), (48_960, 48_955, false)];
        assert_eq!(seen.collect::<Vec<_>>(), expected);
        assert_eq!(samples[1].payload.to_bytes(), "three");
        assert_eq!(
            samples[1].payload.to_bytes().as_ptr(),
            frame[frame.len() - 5..].as_ptr()
        );
    }

    #[test]
    fn samples_that_share_bytes_are_refused() {
        let payload = Bytes::from_static(&[7; 200]);
        let sample = FragmentSample::new(960, 0, true, payload.into());
        let frame = encode(7, 0, &[sample.clone(), sample]).unwrap();
        assert_eq!(decode(&frame, &init()).unwrap().len(), 2);
        let moof = &frame[..frame.len() - 408];
        let twice = [moof, moof, &frame[frame.len() - 408..]].concat();
        assert!(matches!(
            decode(&twice.into(), &init()),
            Err(ContainerError::SharedBytes)
        ));
    }

    #[test]
    fn frame_cut_anywhere_is_an_error() {
        let (frame, init) = (frame(), init());
        for len in 0..frame.len() {
            assert!(decode(&frame.slice(..len), &init).is_err(), "{len}");
        }
    }
}
