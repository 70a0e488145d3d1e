//! A relay in a few lines: two sessions on one origin. One peer may publish, the other one may not.
//!
//! ```sh
//! cargo run -p moq-session --example origin
//! ```

use std::error::Error;
use std::time::Duration;

use moq_session::testing::{MemoryConnection, memory_pair};
use moq_session::{
    AnnouncedEvent, BroadcastPath, BroadcastProducer, Config, Established, Grant, OriginProducer,
    Pattern, Refusal, Session, Start, Subscription, Track, TrackRead, Version,
};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example")]
async fn main() -> Result<(), Box<dyn Error>> {
    for line in run().await? {
        println!("{line}");
    }
    Ok(())
}

/// Lets a peer in, by the token in its query; it is served from the origin and publishes into it.
async fn admit(
    connection: MemoryConnection,
    origin: &OriginProducer,
) -> Result<Option<Session>, Box<dyn Error>> {
    let config = Config::default()
        .with_publish(origin.clone())
        .with_subscribe(origin.clone());
    let request = Session::accept(Established::new(connection), config).await?;
    let grant = Grant::new(BroadcastPath::new(request.path())?);
    let grant = match request.query() {
        Some("token=writer") => grant.publish([Pattern::everything()]),
        Some("token=reader") => grant.subscribe([Pattern::everything()]),
        _ => {
            request.refuse(Refusal::Unauthorized).await;
            return Ok(None);
        }
    };
    Ok(Some(request.accept(grant).await?))
}

/// A client of the relay that asks for `/room` with this token, and the relay's side of it.
async fn connect(
    token: &str,
    origin: &OriginProducer,
) -> Result<(Session, Option<Session>), Box<dyn Error>> {
    let (client, server) = memory_pair(Version::Lite06);
    // On a binding with URLs, the URL has it.
    let client = client.with_setup_path(&format!("/room?token={token}"));
    let (session, served) = tokio::join!(
        Session::connect_with(client, Config::default()),
        admit(server, origin),
    );
    Ok((session?, served?))
}

/// Passes a track on from one session to another; returns what is seen of it.
///
/// # Errors
/// If a session or a track fails.
pub(crate) async fn run() -> Result<Vec<String>, Box<dyn Error>> {
    let origin = OriginProducer::new();
    let (writer, writing) = connect("writer", &origin).await?;
    let (reader, reading) = connect("reader", &origin).await?;
    let (stranger, refused) = connect("stranger", &origin).await?;

    let broadcast = BroadcastProducer::new();
    let track = broadcast.create(Track::new("data"))?;
    let mut group = track.append()?;
    group.append("Hello")?;
    group.finish();
    track.finish();
    let mut publication = writer.publish("news", broadcast.consume())?;
    publication.told(Duration::from_secs(1)).await?;

    let mut seen = Vec::new();
    let mut announced = origin.consume().announced(&BroadcastPath::root());
    if let AnnouncedEvent::Start(path, _) = announced.next().await {
        seen.push(format!("the origin has {path}"));
    }
    let wanted = reader.track("news", "data")?;
    let oldest = Subscription::default().with_start(Start::OLDEST);
    let mut frames = wanted.subscribe(oldest).ordered();
    while let Some(read) = frames.next().await? {
        if let TrackRead::Frame { frame, .. } = read {
            let text = String::from_utf8_lossy(&frame.payload);
            seen.push(format!("the reader has {text}"));
        }
    }
    drop(frames);
    writer.delivered().await?;
    seen.push("the writer owes nothing".to_owned());
    if refused.is_none() {
        seen.push(format!("the stranger: {}", stranger.closed().await));
    }
    drop((writing, reading));
    Ok(seen)
}
