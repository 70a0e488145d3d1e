//! `moq subscribe`: frames to stdout.

pub(crate) mod find;
mod media;
mod read;
pub(crate) mod trouble;

use moq_session::{Budget, HopId, OriginProducer, Role};

use crate::args::SubscribeArgs;
use crate::client::{self, Link};
use crate::exit::Exit;
use crate::memory;
use crate::progress::Console;
use find::Finder;
pub(crate) use read::Ended;
use read::Writer;

/// Runs the command.
pub(crate) async fn run(args: SubscribeArgs, console: &Console) -> anyhow::Result<Exit> {
    if args.fmp4.fmp4 {
        return media::run(&args, console).await;
    }
    let buffer = args
        .buffer
        .unwrap_or_else(|| memory::quarter(MOST_BUFFERED));
    let origin = OriginProducer::with(HopId::random(), Budget::without_history(buffer));
    let config = client::config(&args.client)
        .with_subscribe(origin.clone())
        .with_role(Role::Subscriber);
    let mut link = Link::connect(&args.client, config, console).await?;
    let mut finder = Finder::new(&args, origin.consume(), console);
    let mut writer = Writer::new(&args, console);
    let read = read_all(&mut finder, &mut writer, &mut link).await;
    // What was read before a failure is written all the same.
    let written = writer.finish().await;
    read.and(written).map(|()| Exit::Ok)
}

async fn read_all(finder: &mut Finder, writer: &mut Writer, link: &mut Link) -> anyhow::Result<()> {
    loop {
        let found = finder.find(link).await?;
        match writer.read(&found, link).await? {
            Ended::Finished | Ended::Closed => return Ok(()),
            Ended::NotThere => finder.not_there(),
            Ended::Lost => finder.lost(),
        }
    }
}

/// What is held of a track at most while some group before it is missing, in bytes: relays send
/// newest first, so the first group of a file may come after all others.
const MOST_BUFFERED: u64 = 1 << 30;
