//! Files all the way: published, and written again.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::catalog::{round_trip, sources};
use crate::assembler::{Assembler, AssemblerConfig};
use crate::catalog::Catalog;
use crate::fmp4::{Demuxer, Event, Limits};
use crate::packager::{Format, Output, Packager, PackagerConfig};

/// What was published.
#[derive(Default)]
struct Published {
    catalog: Catalog,
    names: BTreeMap<usize, String>,
    /// The sequence of each track's group, and whether frames may be added to it.
    groups: BTreeMap<usize, (u64, bool)>,
    /// The track, its group, the frame.
    frames: Vec<(usize, u64, Bytes)>,
}

/// A fragmented MP4 file in the format that the first byte picks: what is published of it can be read,
/// and what is written of that is a whole file.
///
/// # Panics
/// When one of these does not hold.
pub fn media(data: &[u8]) {
    let Some((&format, input)) = data.split_first() else {
        return;
    };
    let config = PackagerConfig {
        format: [Format::Legacy, Format::Loc, Format::Cmaf][usize::from(format % 3)],
        ..PackagerConfig::default()
    };
    let published = published(Bytes::copy_from_slice(input), config);
    let file = written(&published);
    if !file.is_empty() {
        check(file);
    }
}

fn published(input: Bytes, config: PackagerConfig) -> Published {
    let limits = Limits {
        samples: 1_000,
        ..Limits::default()
    };
    let (mut demuxer, mut packager) = (Demuxer::new(limits), Packager::new(config));
    let mut published = Published::default();
    demuxer.push(input);
    demuxer.finish();
    while let Ok(Some(event)) = demuxer.next() {
        if packager.push(event, Duration::ZERO).is_err() {
            break;
        }
        while let Some(output) = packager.pop() {
            published.take(output);
        }
    }
    let _ = packager.finish();
    while let Some(output) = packager.pop() {
        published.take(output);
    }
    published
}

impl Published {
    fn take(&mut self, output: Output) {
        match output {
            Output::Open(opened) => {
                let former = self.names.insert(opened.track, opened.name);
                assert_eq!(former, None, "a track is opened once");
            }
            Output::Catalog(catalog) => {
                round_trip(&catalog);
                self.catalog = catalog;
            }
            Output::Group { track } => {
                assert!(self.names.contains_key(&track), "{track} is open");
                let group = self.groups.entry(track).or_default();
                *group = (group.0 + 1, true);
            }
            Output::Frame { track, payload, .. } => {
                let (group, is_open) = self.groups[&track];
                assert!(is_open, "{track} has a group");
                self.frames.push((track, group, payload));
            }
            Output::EndGroup { track } => self.groups.entry(track).or_default().1 = false,
            Output::Finish { track } => {
                self.groups.entry(track).or_default().1 = false;
            }
            Output::Notice(_) => {}
        }
    }
}

/// The renditions of the last catalog, as one file.
fn written(published: &Published) -> Vec<u8> {
    let sources = sources(&published.catalog);
    let place = |name: &String| sources.iter().position(|source| source.name == *name);
    let names = published.names.iter();
    let places: BTreeMap<_, _> = names.map(|(track, name)| (*track, place(name))).collect();
    let mut assembler = Assembler::new(sources.clone(), AssemblerConfig::default());
    let mut file = Vec::new();
    for (track, group, frame) in &published.frames {
        if let Some(place) = places[track] {
            let taken = assembler.frame(place, *group, frame);
            let taken = taken.expect("what was published can be written");
            taken.expect("what was published can be read");
        }
        while let Some(bytes) = assembler.pop() {
            file.extend_from_slice(&bytes);
        }
    }
    assembler
        .start()
        .expect("what was published can be written");
    while let Some(bytes) = assembler.pop() {
        file.extend_from_slice(&bytes);
    }
    file
}

/// Reads a file that was written.
fn check(file: Vec<u8>) {
    let mut demuxer = Demuxer::default();
    demuxer.push(file.into());
    demuxer.finish();
    while let Some(event) = demuxer.next().expect("what was written can be read") {
        if let Event::Broken { error, .. } = event {
            panic!("what was written is broken: {error}");
        }
    }
}
