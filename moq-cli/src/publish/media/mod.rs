//! `moq publish --fmp4`, `--ts`, `--avc3` and `--test-pattern`: media from stdin, a file or nowhere.

mod pacer;
mod pump;

use anyhow::Context as _;
use moq_media::{Import, ImportConfig, ImportError};
use moq_session::{BroadcastProducer, OriginProducer, Role};

use super::{drain, told};
use crate::args::{MediaInput, PublishArgs};
use crate::client::{self, Link};
use crate::exit::{Exit, Failure};
use crate::input::Source;
use crate::media::{Stats, TrackLine};
use crate::progress::Console;
use pump::Pump;

/// Runs the command.
pub(super) async fn run(
    args: &PublishArgs,
    input: MediaInput,
    console: &Console,
) -> anyhow::Result<Exit> {
    let source = match input {
        MediaInput::TestPattern => Source::Pattern(args.fmp4.duration),
        MediaInput::Stream(_) => Source::open(args.file.as_deref())?,
    };
    let stats = Stats::open(args.fmp4.stats_json.as_ref(), console)?;
    let broadcast = BroadcastProducer::new();
    let import = Import::new(broadcast.clone(), config(args, input)).context("cannot publish")?;
    let origin = OriginProducer::new();
    let mut publication = origin.publish(&args.broadcast, broadcast.consume());
    let config = client::config(&args.client)
        .with_publish(origin.clone())
        .with_role(Role::Publisher);
    let mut link = Link::connect(&args.client, config, console).await?;
    console.note(format_args!(
        "publishing `{}` to {}",
        args.broadcast,
        link.shown_url()
    ));
    told::warn_hidden(&args.broadcast, console);
    let patience = args.client.timeout();
    told::wait(&mut publication, &mut link, import.used(), patience).await?;
    let mut pump = Pump::new(import, source, args, console, stats);
    let pumped = pump.run(&mut link).await;
    let (mut import, mut stats) = pump.into_parts();
    let told = stats.end(|| lines(&import));
    // What came before an error is delivered all the same.
    let finished = import.finish().map_err(|error| bad_input(error, args));
    while let Some(notice) = import.next_notice() {
        console.note(pump::text(&notice));
    }
    drain::run(&mut link, &console.meter(), args.linger).await?;
    drop(publication);
    pumped.and(finished).and(told).map(|()| Exit::Ok)
}

fn config(args: &PublishArgs, input: MediaInput) -> ImportConfig {
    let mut config = ImportConfig::default();
    if let MediaInput::Stream(format) = input {
        config.input = format;
    }
    config.packager.format = args.fmp4.container.into();
    config.packager.audio_group = args.fmp4.audio_group;
    config.max_age = args.media.max_age;
    config
}

/// What there is to tell of each track.
fn lines(import: &Import) -> impl Iterator<Item = TrackLine> {
    import.stats().map(|stats| TrackLine::published(&stats))
}

fn bad_input(error: ImportError, args: &PublishArgs) -> anyhow::Error {
    let name = match (args.fmp4.input(), &args.file) {
        (Some(MediaInput::TestPattern), _) => "the test pattern".to_owned(),
        (_, Some(file)) => file.display().to_string(),
        (_, None) => "stdin".to_owned(),
    };
    let what = format!("cannot publish all of {name}");
    anyhow::Error::new(error).context(Failure::new(Exit::Failed, what))
}
