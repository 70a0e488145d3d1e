//! `moq record`: all tracks of broadcasts, in one file or several.
//!
//! Each broadcast has a session of its own ([`broadcast`]), each of its tracks a future of its own
//! ([`track`]). They make records, and one loop writes those ([`recorder`]). [`reel`] knows what the next
//! file has to begin with.

mod broadcast;
mod recorder;
mod reel;
mod shelf;
mod tape;
mod track;

use futures_util::future::join_all;
use tokio::sync::mpsc;

use crate::args::RecordArgs;
use crate::exit::Exit;
use crate::progress::Console;
use crate::signal::Signals;
use recorder::{Recorder, Stopped};
use tape::{Numbers, Tape};

/// Runs the command.
pub(crate) async fn run(
    args: RecordArgs,
    console: &Console,
    signals: &mut Signals,
) -> anyhow::Result<Exit> {
    let (sender, records) = mpsc::channel(AHEAD);
    let numbers = Numbers::default();
    let mut recorder = Recorder::new(records, &args, console)?;
    let start = recorder.start;
    let broadcasts = args.broadcasts.iter().map(|path| {
        let tape = Tape::new(numbers.clone(), sender.clone(), start);
        broadcast::record(&args, path, tape, console)
    });
    let broadcasts = join_all(broadcasts.collect::<Vec<_>>());
    // The writer ends with the last of those who have something to write.
    drop(sender);
    let ended = async {
        Ok(tokio::select! {
            ended = broadcasts => first_failure(ended),
            exit = signals.next() => Ok(exit),
        })
    };
    let ended = tokio::try_join!(ended, recorder.write());
    if let Err(Stopped::Failed(error)) = ended {
        return Err(error);
    }
    recorder.finish().await?;
    match ended {
        Ok((ended, ())) => ended,
        Err(_) => Ok(Exit::Ok),
    }
}

/// The first broadcast that did not end well decides.
fn first_failure(ended: Vec<anyhow::Result<()>>) -> anyhow::Result<Exit> {
    for ended in ended {
        ended?;
    }
    Ok(Exit::Ok)
}

/// Records that may wait to be written.
const AHEAD: usize = 1_024;
