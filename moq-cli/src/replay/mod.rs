//! `moq replay`: a recording, as if it were live.

mod contents;
mod stage;
mod volume;

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
use crate::media::{Stats, Tally};
use crate::progress::Console;
use crate::publish::drain;
use stage::Stage;
use volume::{Part, Volume};

/// Runs the command.
pub(crate) async fn run(args: ReplayArgs, console: &Console) -> anyhow::Result<Exit> {
    let volume = Volume::load(&args, console)?;
    let stats = Stats::open(args.stats_json.as_ref(), console)?;
    let origin = OriginProducer::new();
    let config = client::config(&args.client)
        .with_publish(origin.clone())
        .with_role(Role::Publisher);
    let mut link = Link::connect(&args.client, config, console).await?;
    let mut player = Player {
        args: &args,
        volume,
        origin,
        console,
        tally: Tally::default(),
        stats,
    };
    loop {
        let (mut stage, played) = player.once(&mut link).await?;
        stage.finish();
        if args.repeat && played.is_ok() {
            continue;
        }
        let tally = &player.tally;
        player.stats.end(|| tally.lines())?;
        drain::run(&mut link, &console.meter(), args.linger).await?;
        return played.map(|()| Exit::Ok);
    }
}

/// Plays a recording, as often as it is asked to.
struct Player<'a> {
    args: &'a ReplayArgs,
    volume: Volume,
    origin: OriginProducer,
    console: &'a Console,
    tally: Tally,
    stats: Stats<'a>,
}

impl Player<'_> {
    /// Plays all of it once; the inner result says whether it could be read to its end.
    async fn once(&mut self, link: &mut Link) -> anyhow::Result<(Stage, anyhow::Result<()>)> {
        let begin = self.volume.begin(self.args.from);
        let name = self.args.broadcast.as_ref();
        let mut stage = Stage::new(&self.volume, name, begin.firsts, &self.origin)?;
        self.hold(&stage, link).await?;
        let (start, mut offset) = (Instant::now(), Some(begin.offset));
        for number in begin.part..self.volume.parts.len() {
            let part = &self.volume.parts[number];
            let mut records = Records::open(part, offset.take())?;
            let played = self.play(&mut records, &mut stage, start, link).await?;
            if played.is_err() {
                return Ok((stage, played));
            }
        }
        Ok((stage, Ok(())))
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

    /// Plays the records of a file; `begin` is when the first file began to be played.
    async fn play(
        &mut self,
        records: &mut Records,
        stage: &mut Stage,
        begin: Instant,
        link: &mut Link,
    ) -> anyhow::Result<anyhow::Result<()>> {
        let from = self.volume.start.saturating_add(self.args.from);
        let mut redraw = interval(REDRAW);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let record = match records.next().await {
                Ok(Some(record)) => record,
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            };
            let at = record.at().unwrap_or_default();
            let ahead = at.saturating_sub(from);
            let due = begin + ahead.div_f64(self.args.speed);
            while due > Instant::now() {
                tokio::select! {
                    () = sleep_until(due) => {}
                    // It goes on like any live broadcast.
                    event = link.event() => event?,
                    _ = redraw.tick() => self.show(at)?,
                }
            }
            self.tally.note(&record);
            stage.play(record).await;
        }
    }

    fn show(&mut self, at: Duration) -> anyhow::Result<()> {
        self.console.show(|| self.told(at));
        let tally = &self.tally;
        self.stats.tell(|| tally.lines())
    }

    fn told(&self, at: Duration) -> String {
        let since = |at: Duration| at.saturating_sub(self.volume.start).as_secs_f64();
        let (at, length) = (since(at), since(self.volume.end));
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
    /// The records of a file, from the one at `offset` on if that is not the first.
    fn open(part: &Part, offset: Option<u64>) -> anyhow::Result<Self> {
        let failure = || Failure::new(Exit::Failed, format!("cannot read {}", part.path.display()));
        let mut file = File::open(&part.path).with_context(failure)?;
        let offset = offset.unwrap_or(MAGIC.len() as u64);
        file.seek(SeekFrom::Start(offset)).with_context(failure)?;
        Ok(Self {
            input: Source::File(file).read(),
            reader: RecordingReader::at(offset),
            end: part.end,
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
