//! A subscriber that loses its session in the middle of a track, and goes on where it was.
//!
//! ```sh
//! cargo run -p moq-session --example resume
//! ```

use std::convert::Infallible;
use std::error::Error;

use moq_session::testing::{self, MemoryConnection, memory_pair};
use moq_session::{
    BroadcastProducer, Config, Continuity, Dial, OriginProducer, Reconnect, ResumeEvent, Start,
    Subscription, Track, TrackRead, Version,
};
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example")]
async fn main() -> Result<(), Box<dyn Error>> {
    for line in run().await? {
        println!("{line}");
    }
    Ok(())
}

/// Makes connections to the relay of this process; a transport crate's client takes its place.
struct Dialer(mpsc::UnboundedSender<MemoryConnection>);

impl Dial for Dialer {
    type Transport = MemoryConnection;
    type Error = Infallible;

    async fn dial(&self) -> Result<MemoryConnection, Infallible> {
        let (client, server) = memory_pair(Version::Lite06);
        // A connection that nobody takes in ends at once.
        let _ = self.0.send(server);
        Ok(client)
    }

    fn is_terminal(error: &Infallible) -> bool {
        match *error {}
    }
}

/// Reads a track across two sessions; returns what happened.
///
/// # Errors
/// If a session or a track fails.
pub(crate) async fn run() -> Result<Vec<String>, Box<dyn Error>> {
    let relay = OriginProducer::new();
    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(Track::new("data"))?;
    let publication = relay.publish(&"room".parse()?, broadcast.consume());
    let mut group = track.append()?;
    group.append("one")?;

    let (dialled, mut connections) = mpsc::unbounded_channel();
    let config = Config::default().with_subscribe(OriginProducer::new());
    let reconnect = Reconnect::new(Dialer(dialled), config);
    let connection = connections.recv().await.ok_or("nobody dials")?;
    let first = testing::accept(connection, &relay).await?;

    let oldest = Subscription::default().with_start(Start::OLDEST);
    let mut reader = reconnect
        .subscribe("room", "data")?
        .with_subscription(oldest);
    let mut happened = Vec::new();
    let mut group = Some(group);
    let mut second = None;
    loop {
        let event = tokio::select! {
            event = reader.next() => event?,
            Some(connection) = connections.recv() => {
                second = Some(testing::accept(connection, &relay).await?);
                continue;
            }
        };
        let Some(event) = event else { break };
        happened.push(tell(&event));
        // The relay breaks off after the first frame; the publisher goes on meanwhile.
        if matches!(event, ResumeEvent::Read(_))
            && let Some(mut group) = group.take()
        {
            first.close(1, "broken");
            group.append("two")?;
            group.finish();
            let mut last = track.append()?;
            last.append("three")?;
            last.finish();
            track.clone().finish();
        }
    }
    happened.push("the end".to_owned());
    drop((second, publication));
    Ok(happened)
}

fn tell(event: &ResumeEvent) -> String {
    match event {
        ResumeEvent::Waiting => "nobody publishes it yet".to_owned(),
        ResumeEvent::Reading { continuity, .. } => match continuity {
            Continuity::Resumed { group, frame } => {
                format!("reading on at group {group}, frame {frame}")
            }
            _ => "reading".to_owned(),
        },
        ResumeEvent::Read(TrackRead::Frame { frame, .. }) => {
            format!("read {}", String::from_utf8_lossy(&frame.payload))
        }
        ResumeEvent::Read(TrackRead::Skipped { groups, cause }) => {
            format!("groups {groups:?} are missing: {cause}")
        }
        ResumeEvent::Lost { loss, .. } => format!("lost {loss}"),
        _ => "something else".to_owned(),
    }
}
