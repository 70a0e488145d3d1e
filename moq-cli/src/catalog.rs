//! `moq catalog`: what media a broadcast has.

use std::fmt::Write as _;

use anyhow::Context as _;
use moq_media::catalog::{AudioRendition, Catalog, Container, Reading, TRACK, VideoRendition};
use moq_media::{CatalogTrack, ExportError};
use moq_session::{Budget, FoundTrack, ReadError};

use crate::args::CatalogArgs;
use crate::client::{self, Link};
use crate::exit::{Exit, Failure};
use crate::media;
use crate::output::{self, harmless};
use crate::progress::Console;
use crate::subscribe::{Ended, Finder, trouble};

/// Runs the command.
pub(crate) async fn run(args: CatalogArgs, console: &Console) -> anyhow::Result<Exit> {
    let (mut link, origin) = client::reader(&args.client, Budget::default(), console).await?;
    let (path, timeout) = (&args.broadcast, args.client.timeout);
    let mut finder = Finder::new((path, TRACK), timeout, origin, &link, console);
    loop {
        let found = finder.find(&mut link).await?;
        match follow(&args, &found, &mut link, console).await? {
            Ended::Finished | Ended::Closed => return Ok(Exit::Ok),
            Ended::NotThere => finder.not_there(),
            Ended::Lost => finder.lost(),
        }
    }
}

/// Prints the catalog and, if that is asked for, its changes.
async fn follow(
    args: &CatalogArgs,
    found: &FoundTrack,
    link: &mut Link,
    console: &Console,
) -> anyhow::Result<Ended> {
    let mut track = match CatalogTrack::open(&found.broadcast) {
        Ok(track) => track,
        Err(ExportError::NoCatalog { .. }) => return Ok(Ended::NotThere),
        Err(error) => return Err(error.into()),
    };
    loop {
        let next = tokio::select! {
            biased;
            next = track.next() => next,
            event = link.event() => {
                event?;
                return Ok(Ended::Lost);
            }
        };
        let reading = match next {
            Ok(Some(reading)) => reading,
            Ok(None) => return Ok(Ended::Finished),
            Err(error) => return gone(error, found, link).await,
        };
        let failure = || Failure::new(Exit::Failed, "cannot read the catalog");
        let reading = match reading {
            Ok(reading) => reading,
            Err(error) if args.watch => {
                console.note(media::chain(&error));
                continue;
            }
            Err(error) => return Err(error).with_context(failure),
        };
        let document = track.document().map(ToString::to_string);
        if !show(args, &reading, document, console)? || !args.watch {
            return Ok(Ended::Closed);
        }
    }
}

/// Prints a catalog; says whether anybody reads it.
fn show(
    args: &CatalogArgs,
    reading: &Reading,
    document: Option<String>,
    console: &Console,
) -> anyhow::Result<bool> {
    for fault in &reading.faults {
        console.note(fault);
    }
    if args.json {
        return output::print(&format!("{}\n", document.unwrap_or_default()));
    }
    let text = text(&reading.catalog);
    if text.is_empty() {
        console.note("the catalog names no media");
    }
    output::print(&text)
}

async fn gone(error: ReadError, found: &FoundTrack, link: &mut Link) -> anyhow::Result<Ended> {
    match trouble::absent(error, found)? {
        Some(ended) => Ok(ended),
        None if link.session().is_some_and(|session| session.is_open()) => {
            Err(trouble::vanished(error))
        }
        None => {
            link.event().await?;
            Ok(Ended::Lost)
        }
    }
}

/// A line per rendition.
fn text(catalog: &Catalog) -> String {
    let video = catalog.video.iter().map(|(name, of)| video(name, of));
    let audio = catalog.audio.iter().map(|(name, of)| audio(name, of));
    video.chain(audio).collect()
}

fn video(name: &str, video: &VideoRendition) -> String {
    let mut line = format!("{}  video  {}", harmless(name), harmless(&video.codec));
    // Writing into a string cannot fail.
    if let Some(size) = video.coded {
        let _ = write!(line, "  {}×{}", size.width, size.height);
    }
    if let Some(rate) = video.framerate {
        let _ = write!(line, "  {} fps", (rate * 100.0).round() / 100.0);
    }
    end(line, video.bitrate, &video.container)
}

fn audio(name: &str, audio: &AudioRendition) -> String {
    let (rate, channels) = (audio.sample_rate, audio.channels);
    let (name, codec) = (harmless(name), harmless(&audio.codec));
    let plural = if channels == 1 { "" } else { "s" };
    let line = format!("{name}  audio  {codec}  {rate} Hz  {channels} channel{plural}");
    end(line, audio.bitrate, &audio.container)
}

fn end(mut line: String, bitrate: Option<u64>, container: &Container) -> String {
    if let Some(bitrate) = bitrate {
        let _ = write!(line, "  {} kbit/s", bitrate / 1_000);
    }
    let kind = match container {
        Container::Legacy => "legacy",
        Container::Loc => "loc",
        Container::Cmaf { .. } => "cmaf",
        _ => "another container",
    };
    let _ = writeln!(line, "  {kind}");
    line
}

#[cfg(test)]
mod tests {
    use moq_media::catalog::CatalogReader;

    use super::*;

    #[test]
    fn each_rendition_has_a_line_that_moves_no_cursor() {
        let json = br#"{"video":{"renditions":{"v\u001b0":{"codec":"avc1.64001e","codedWidth":640,
            "codedHeight":360,"framerate":29.97002997,"bitrate":800000}}},"audio":{"renditions":{
            "a":{"codec":"opus","sampleRate":48000,"numberOfChannels":2,"container":{"kind":"loc"}}}}}"#;
        let reading = CatalogReader::default().snapshot(json).unwrap();
        assert_eq!(
            text(&reading.catalog),
            "v\\u{1b}0  video  avc1.64001e  640×360  29.97 fps  800 kbit/s  legacy\n\
             a  audio  opus  48000 Hz  2 channels  loc\n"
        );
    }
}
