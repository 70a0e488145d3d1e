//! Which renditions are written.

use std::cmp::Reverse;

use crate::assembler::Source;
use crate::catalog::{AudioRendition, Catalog, VideoRendition};
use crate::error::ExportError;

/// Which renditions of a kind are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Choice {
    /// The largest, and of those the one with the most bits.
    #[default]
    Best,
    /// The one with this name.
    Named(String),
    /// All of them.
    All,
    /// None.
    None,
}

/// The video renditions that are chosen, and why others that were could not be.
pub(super) fn video(catalog: &Catalog, choice: &Choice) -> Vec<Result<Source, ExportError>> {
    let area = |video: &VideoRendition| {
        let size = video
            .coded
            .map(|size| u64::from(size.width) * u64::from(size.height));
        (size, video.bitrate)
    };
    let mut all: Vec<_> = catalog.video.iter().collect();
    all.sort_by_key(|(_, video)| Reverse(area(video)));
    let sources = all
        .into_iter()
        .map(|(name, video)| (name.as_str(), Source::video(name, video)));
    pick(sources, choice)
}

/// The audio renditions that are chosen, and why others that were could not be.
pub(super) fn audio(catalog: &Catalog, choice: &Choice) -> Vec<Result<Source, ExportError>> {
    let quality = |audio: &AudioRendition| (audio.channels, audio.bitrate);
    let mut all: Vec<_> = catalog.audio.iter().collect();
    all.sort_by_key(|(_, audio)| Reverse(quality(audio)));
    let sources = all
        .into_iter()
        .map(|(name, audio)| (name.as_str(), Source::audio(name, audio)));
    pick(sources, choice)
}

fn pick<'a>(
    sources: impl Iterator<Item = (&'a str, Result<Source, ExportError>)>,
    choice: &Choice,
) -> Vec<Result<Source, ExportError>> {
    let mut picked = Vec::new();
    let mut has_one = false;
    for (name, source) in sources {
        let is_wanted = match choice {
            Choice::Best => !has_one,
            Choice::Named(wanted) => wanted == name,
            Choice::All => true,
            Choice::None => false,
        };
        if is_wanted {
            has_one |= source.is_ok();
            picked.push(source);
        }
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Size;

    fn catalog() -> Catalog {
        let mut catalog = Catalog::default();
        for (name, codec, width) in [
            ("low", "vp8", 320),
            ("high", "vp8", 640),
            ("odd", "ogg", 900),
        ] {
            let mut video = VideoRendition::new(codec);
            let height = width / 2;
            video.coded = Some(Size { width, height });
            catalog.video.insert(name.to_owned(), video);
        }
        catalog
    }

    fn names(choice: &Choice) -> Vec<String> {
        let picked = video(&catalog(), choice).into_iter();
        picked
            .filter_map(Result::ok)
            .map(|source| source.name)
            .collect()
    }

    #[test]
    fn best_is_the_largest_that_can_be_written() {
        assert_eq!(names(&Choice::Best), ["high"]);
        assert_eq!(names(&Choice::Named("low".to_owned())), ["low"]);
        assert_eq!(names(&Choice::All), ["high", "low"]);
        assert!(names(&Choice::None).is_empty());
        assert!(
            video(&catalog(), &Choice::All)[0].is_err(),
            "and says why not"
        );
    }
}
