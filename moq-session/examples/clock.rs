//! A clock: a frame each second, a group each minute. Who joins begins with the minute that runs.
//!
//! ```sh
//! cargo run -p moq-session --example clock
//! ```

use std::error::Error;
use std::time::Duration;

use moq_session::testing::{self, memory_pair};
use moq_session::{
    BroadcastProducer, Config, OriginProducer, Session, Subscription, Track, TrackProducer,
    TrackRead, Version, WriteError,
};
use tokio::time::interval;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example")]
async fn main() -> Result<(), Box<dyn Error>> {
    run(Duration::ZERO, 5, |line| println!("{line}")).await
}

/// Runs a clock, joins it after a while, and shows as many seconds.
///
/// # Errors
/// If a session or a track fails.
pub(crate) async fn run(
    join_after: Duration,
    seconds: usize,
    mut show: impl FnMut(String),
) -> Result<(), Box<dyn Error>> {
    let relay = OriginProducer::new();
    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(Track::new("seconds"))?;
    let publication = relay.publish(&"clock".parse()?, broadcast.consume());
    let clock = tokio::spawn(tick(track));

    tokio::time::sleep(join_after).await;
    let (connection, server) = memory_pair(Version::Lite06);
    let _relay = testing::serve(server, &relay);
    let session = Session::connect_with(connection, Config::default()).await?;
    let seen = session.track("clock", "seconds")?;
    let mut reader = seen.subscribe(Subscription::default()).ordered();
    let mut shown = 0;
    while shown < seconds {
        match reader.next().await? {
            Some(TrackRead::Frame { frame, .. }) => {
                show(String::from_utf8_lossy(&frame.payload).into_owned());
                shown += 1;
            }
            Some(_) => {}
            None => break,
        }
    }
    clock.abort();
    drop(publication);
    Ok(())
}

/// Publishes the time since the clock was started, for ever.
async fn tick(track: TrackProducer) -> Result<(), WriteError> {
    let mut ticks = interval(Duration::from_secs(1));
    for minute in 0_u64.. {
        let mut group = track.append()?;
        for second in 0..60 {
            ticks.tick().await;
            group.append(format!("{minute:02}:{second:02}"))?;
        }
        group.finish();
    }
    Ok(())
}
