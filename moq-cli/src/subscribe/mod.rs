//! `moq subscribe`: frames to stdout.

mod find;
mod read;
mod trouble;

use moq_session::{OriginProducer, Role};

use crate::args::SubscribeArgs;
use crate::client::{self, Link};
use crate::exit::Exit;
use crate::progress::Console;
use find::Finder;
use read::{Ended, Writer};

/// Runs the command.
pub(crate) async fn run(args: SubscribeArgs, console: &Console) -> anyhow::Result<Exit> {
    let origin = OriginProducer::new();
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
