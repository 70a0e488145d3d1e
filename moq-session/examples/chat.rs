//! Two people chat over a relay: each publishes what it says, and reads what the other one says.
//!
//! The relay is in the same process here. With a transport crate only the first lines of
//! `Person::join` differ.
//!
//! ```sh
//! cargo run -p moq-session --example chat
//! ```

use std::error::Error;

use moq_session::testing::{self, ServeGuard, memory_pair};
use moq_session::{
    AnnouncedEvent, BroadcastProducer, OriginProducer, Publication, ReadError, Session, Start,
    Subscription, Track, TrackProducer, TrackRead, Version, WriteError,
};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example")]
async fn main() -> Result<(), Box<dyn Error>> {
    for line in run().await? {
        println!("{line}");
    }
    Ok(())
}

/// Lets two people chat; returns what each has read of the other.
///
/// # Errors
/// If a session or a track fails.
pub(crate) async fn run() -> Result<Vec<String>, Box<dyn Error>> {
    let relay = OriginProducer::new();
    let alice = Person::join("alice", &relay).await?;
    let bob = Person::join("bob", &relay).await?;

    let mut from_bob = alice.listen_to("bob").await?;
    let mut from_alice = bob.listen_to("alice").await?;
    bob.say("Hello, Alice")?;
    let mut read = vec![format!("alice reads: {}", from_bob.next().await?)];
    alice.say("Hello, Bob. How are you?")?;
    read.push(format!("bob reads: {}", from_alice.next().await?));
    bob.say("Fine, thank you")?;
    read.push(format!("alice reads: {}", from_bob.next().await?));
    Ok(read)
}

/// Somebody who takes part.
struct Person {
    session: Session,
    /// What it says, a group for each line.
    lines: TrackProducer,
    _broadcast: BroadcastProducer,
    _publication: Publication,
    _relay: ServeGuard,
}

impl Person {
    /// Connects to the relay, and publishes an empty track as `chat/NAME`.
    async fn join(name: &str, relay: &OriginProducer) -> Result<Self, Box<dyn Error>> {
        let (connection, server) = memory_pair(Version::Lite06);
        let relay = testing::serve(server, relay);
        let session = Session::connect(connection).await?;

        let broadcast = BroadcastProducer::new();
        let lines = broadcast.create(Track::new("lines"))?;
        let publication = session.publish(&format!("chat/{name}"), broadcast.consume())?;
        Ok(Self {
            session,
            lines,
            _broadcast: broadcast,
            _publication: publication,
            _relay: relay,
        })
    }

    fn say(&self, line: &str) -> Result<(), WriteError> {
        let mut group = self.lines.append()?;
        group.append(line.to_owned())?;
        group.finish();
        Ok(())
    }

    /// Waits for somebody, and reads what they say, from the first line on.
    async fn listen_to(&self, name: &str) -> Result<Listener, Box<dyn Error>> {
        let path = format!("chat/{name}");
        let mut announced = self.session.announced(&path)?;
        while !matches!(announced.next().await, AnnouncedEvent::Start(..)) {}
        let track = self.session.track(&path, "lines")?;
        let all = Subscription::default().with_start(Start::OLDEST);
        Ok(Listener(track.subscribe(all).ordered()))
    }
}

/// Reads what one person says.
struct Listener(moq_session::OrderedReader);

impl Listener {
    /// The next line.
    async fn next(&mut self) -> Result<String, ReadError> {
        loop {
            match self.0.next().await? {
                Some(TrackRead::Frame { frame, .. }) => {
                    return Ok(String::from_utf8_lossy(&frame.payload).into_owned());
                }
                Some(_) => {}
                None => return Ok("(has left)".to_owned()),
            }
        }
    }
}
