//! A recording in one file or several.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use moq_media::recording::{Entry, MAGIC};

use super::contents::{Contents, TrackOf};
use crate::args::ReplayArgs;
use crate::exit::{Exit, Failure};
use crate::progress::Console;
use crate::series;

/// What all files of a recording hold.
#[derive(Debug, Default)]
pub(super) struct Volume {
    pub(super) parts: Vec<Part>,
    /// Paths by number.
    pub(super) broadcasts: BTreeMap<u32, String>,
    /// Tracks by number.
    pub(super) tracks: BTreeMap<u32, TrackOf>,
    /// Where groups begin, with the places of their files in `parts`.
    groups: Vec<(usize, Entry)>,
    /// When it begins and ends. It begins at zero, unless its first files are left out.
    pub(super) start: Duration,
    pub(super) end: Duration,
    /// When the recording began, since 1970.
    unix: Duration,
}

/// A file.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    number: Option<u32>,
    /// Where the last record of its tracks ends, in bytes.
    pub(super) end: u64,
}

/// Where to begin.
#[derive(Debug)]
pub(super) struct Beginning {
    /// The place of the file in [`Volume::parts`].
    pub(super) part: usize,
    /// Where in it to read, in bytes.
    pub(super) offset: u64,
    /// The groups with which tracks begin.
    pub(super) firsts: BTreeMap<u32, Entry>,
}

impl Volume {
    /// Reads what the files hold, and says what is wrong with them.
    ///
    /// # Errors
    /// If one can't be read, is no recording, or is one of another recording.
    pub(super) fn load(args: &ReplayArgs, console: &Console) -> anyhow::Result<Self> {
        let mut paths = Vec::new();
        for path in std::iter::once(&args.file).chain(&args.then) {
            paths.extend(series::find(path).with_context(|| cannot("read", path))?);
        }
        let mut volume = Self::default();
        for (at, path) in paths.iter().enumerate() {
            let is_last_of_several = at > 0 && at + 1 == paths.len();
            volume.add(path, is_last_of_several, console)?;
        }
        if volume.tracks.is_empty() {
            let failure = cannot("replay", &args.file).with_hint("it has no track");
            return Err(failure.into());
        }
        Ok(volume)
    }

    fn add(&mut self, path: &Path, may_be_empty: bool, console: &Console) -> anyhow::Result<()> {
        let mut file = File::open(path).with_context(|| cannot("read", path))?;
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        let name = path.display();
        if may_be_empty && size < MAGIC.len() as u64 {
            console.note(format_args!("{name} was cut off: it has nothing yet"));
            return Ok(());
        }
        let contents = Contents::load(&mut file);
        let contents = contents.with_context(|| cannot("replay", path))?;
        if let Some(cut) = &contents.cut {
            console.note(format_args!("{name}: {cut}"));
        }
        let number = contents.part.map(|(number, _)| number);
        if let Some(former) = self.parts.last() {
            let rises = former.number < number && self.unix == contents.unix;
            if !rises {
                let first = former.path.display();
                let what = format!("{name} does not go on where {first} ends");
                let hint = "give the files of one recording in their order";
                return Err(Failure::new(Exit::Failed, what).with_hint(hint).into());
            }
            let next = former.number.map(|number| number.saturating_add(1));
            if next != number {
                console.note(format_args!(
                    "there is no file between {} and {name}",
                    former.path.display()
                ));
            }
        } else {
            self.unix = contents.unix;
            self.start = contents.part.map(|(_, at)| at).unwrap_or_default();
        }
        let part = self.parts.len();
        let groups = contents.groups.into_iter();
        self.groups.extend(groups.map(|group| (part, group)));
        self.broadcasts.extend(contents.broadcasts);
        self.tracks.extend(contents.tracks);
        self.end = self.end.max(contents.length);
        let (path, end) = (path.to_owned(), contents.end);
        self.parts.push(Part { path, number, end });
        Ok(())
    }

    /// Where to read, and from which of its groups on to publish each track, to begin so long after the
    /// start: with the groups that are the newest then.
    pub(super) fn begin(&self, after: Duration) -> Beginning {
        if after.is_zero() {
            let (part, offset, firsts) = (0, MAGIC.len() as u64, BTreeMap::new());
            return Beginning {
                part,
                offset,
                firsts,
            };
        }
        let from = self.start.saturating_add(after);
        let mut firsts: BTreeMap<u32, (usize, Entry)> = BTreeMap::new();
        for (part, group) in &self.groups {
            let first = firsts.entry(group.track).or_insert((*part, *group));
            if group.at <= from {
                *first = (*part, *group);
            }
        }
        let places = firsts.values().map(|(part, group)| (*part, group.offset));
        let last = self.parts.len().saturating_sub(1);
        let end = || (last, self.parts.last().map_or(0, |part| part.end));
        let (part, offset) = places.min().unwrap_or_else(end);
        let firsts = firsts.into_iter();
        Beginning {
            part,
            offset,
            firsts: firsts.map(|(track, (_, group))| (track, group)).collect(),
        }
    }
}

fn cannot(what: &str, path: &Path) -> Failure {
    Failure::new(Exit::Failed, format!("cannot {what} {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_track_begins_with_the_group_that_is_the_newest_then() {
        let second = Duration::from_secs;
        let mut volume = Volume {
            start: second(100),
            ..Volume::default()
        };
        for (part, track, sequence, at, offset) in [
            (0, 0, 0, second(100), 900),
            (0, 1, 5, second(101), 950),
            (1, 0, 0, second(102), 100),
            (1, 1, 6, second(102), 300),
            (1, 1, 7, second(103), 400),
            (1, 2, 9, second(104), 500),
        ] {
            let group = Entry::new(track, sequence, at, offset);
            volume.groups.push((part, group));
        }
        let begin = |after| {
            let begin = volume.begin(after);
            let firsts = begin.firsts.values().map(|group| group.sequence);
            (begin.part, begin.offset, firsts.collect::<Vec<_>>())
        };
        assert_eq!(begin(second(2)), (1, 100, vec![0, 6, 9]));
        assert_eq!(begin(second(1)), (0, 900, vec![0, 5, 9]));
        assert_eq!(begin(second(0)), (0, 8, vec![]));
    }
}
