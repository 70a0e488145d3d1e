//! `moq replay`: a recording, as if it were live.

mod contents;
mod stage;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use moq_media::recording::{MAGIC, Record, RecordingReader};
use moq_session::{OriginProducer, Role};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::args::ReplayArgs;
use crate::client::{self, Link};
use crate::exit::{Exit, Failure};
use crate::input::Source;
use crate::progress::Console;
use crate::publish::drain;
pub(crate) use contents::Contents;
use stage::Stage;

/// Runs the command.
pub(crate) async fn run(args: ReplayArgs, console: &Console) -> anyhow::Result<Exit> {
    let contents = load(&args)?;
    if let Some(cut) = &contents.cut {
        console.note(cut);
    }
    let origin = OriginProducer::new();
    let config = client::config(&args.client)
        .with_publish(origin.clone())
        .with_role(Role::Publisher);
    let mut link = Link::connect(&args.client, config, console).await?;
    let player = Player {
        args: &args,
        contents,
        origin,
        console,
    };
    loop {
        let (mut stage, played) = player.once(&mut link).await?;
        stage.finish();
        if args.repeat && played.is_ok() {
            continue;
        }
        drain::run(&mut link, &console.meter(), args.linger).await?;
        return played.map(|()| Exit::Ok);
    }
}

fn load(args: &ReplayArgs) -> anyhow::Result<Contents> {
    let name = args.file.display();
    let failure = |what: &str| Failure::new(Exit::Failed, format!("cannot {what} {name}"));
    let mut file = File::open(&args.file).with_context(|| failure("read"))?;
    let contents = Contents::load(&mut file).with_context(|| failure("replay"))?;
    if contents.tracks.is_empty() {
        let failure = failure("replay").with_hint("it has no track");
        return Err(failure.into());
    }
    Ok(contents)
}

/// Plays a recording, as often as it is asked to.
struct Player<'a> {
    args: &'a ReplayArgs,
    contents: Contents,
    origin: OriginProducer,
    console: &'a Console,
}

impl Player<'_> {
    /// Plays all of it once; the inner result says whether it could be read to its end.
    async fn once(&self, link: &mut Link) -> anyhow::Result<(Stage, anyhow::Result<()>)> {
        let (offset, firsts) = if self.args.from.is_zero() {
            (MAGIC.len() as u64, BTreeMap::new())
        } else {
            self.contents.begin(self.args.from)
        };
        let name = self.args.broadcast.as_ref();
        let mut stage = Stage::new(&self.contents, name, firsts, &self.origin)?;
        self.hold(&stage, link).await?;
        let mut records = Records::open(self.args, offset, self.contents.end)?;
        let played = self.play(&mut records, &mut stage, link).await?;
        Ok((stage, played))
    }

    /// Waits until somebody reads and others had time to join, or for a while without anyone.
    async fn hold(&self, stage: &Stage, link: &mut Link) -> anyhow::Result<()> {
        let readers = async {
            if timeout(self.args.hold, stage.used()).await.is_ok() {
                sleep(JOIN).await;
            }
        };
        tokio::pin!(readers);
        loop {
            tokio::select! {
                () = &mut readers, if link.session().is_some() => return Ok(()),
                event = link.event() => event?,
            }
        }
    }

    async fn play(
        &self,
        records: &mut Records,
        stage: &mut Stage,
        link: &mut Link,
    ) -> anyhow::Result<anyhow::Result<()>> {
        let begin = Instant::now();
        let mut redraw = interval(REDRAW);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let record = match records.next().await {
                Ok(Some(record)) => record,
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            };
            let at = record.at().unwrap_or_default();
            let ahead = at.saturating_sub(self.args.from);
            let due = begin + ahead.div_f64(self.args.speed);
            while due > Instant::now() {
                tokio::select! {
                    () = sleep_until(due) => {}
                    // It goes on like any live broadcast.
                    event = link.event() => event?,
                    _ = redraw.tick() => self.console.show(|| self.told(at)),
                }
            }
            stage.play(record).await;
        }
    }

    fn told(&self, at: Duration) -> String {
        let (at, length) = (at.as_secs_f64(), self.contents.length.as_secs_f64());
        let percent = if length > 0.0 {
            at / length * 100.0
        } else {
            100.0
        };
        format!("{at:.1} s of {length:.1} s, {percent:.0} %")
    }
}

/// The records of a file, from one of them on up to its index.
struct Records {
    input: mpsc::Receiver<io::Result<Bytes>>,
    reader: RecordingReader,
    end: u64,
}

impl Records {
    fn open(args: &ReplayArgs, offset: u64, end: u64) -> anyhow::Result<Self> {
        let failure = || Failure::new(Exit::Failed, format!("cannot read {}", args.file.display()));
        let mut file = File::open(&args.file).with_context(failure)?;
        file.seek(SeekFrom::Start(offset)).with_context(failure)?;
        Ok(Self {
            input: Source::File(file).read(),
            reader: RecordingReader::at(offset),
            end,
        })
    }

    async fn next(&mut self) -> anyhow::Result<Option<Record>> {
        let failure = || Failure::new(Exit::Failed, "cannot read the recording to its end");
        while self.reader.offset() < self.end {
            if let Some((_, record)) = self.reader.next().with_context(failure)? {
                return Ok(Some(record));
            }
            let Some(chunk) = self.input.recv().await else {
                return Ok(None);
            };
            self.reader.push(&chunk.with_context(failure)?);
        }
        Ok(None)
    }
}

/// How long others have to join after the first reader.
const JOIN: Duration = Duration::from_millis(200);

/// How often the progress is shown.
const REDRAW: Duration = Duration::from_millis(250);
