//! What this end follows.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use moq_session::{
    AnnouncedEvent, BroadcastPath, Fetch, GroupConsumer, GroupEnd, GroupRead, OriginProducer,
    ReadError, Session, Start, Subscription, TrackReader,
};
use ring::digest;
use tokio::task::{JoinHandle, JoinSet};

use crate::Events;

/// Announcements and tracks that are followed.
#[derive(Debug)]
pub(crate) struct Subscriber {
    origin: OriginProducer,
    subscriptions: HashMap<String, JoinHandle<()>>,
    events: Events,
}

impl Subscriber {
    pub(crate) fn new(origin: OriginProducer, events: Events) -> Self {
        Self {
            origin,
            subscriptions: HashMap::new(),
            events,
        }
    }

    pub(crate) fn origin(&self) -> &OriginProducer {
        &self.origin
    }

    /// Tells what is announced at and below `prefix`, from now on.
    pub(crate) fn watch(&self, prefix: &str) -> anyhow::Result<()> {
        let prefix = BroadcastPath::new(if prefix == "-" { "" } else { prefix })?;
        let mut announced = self.origin.consume().announced(&prefix);
        let events = self.events.clone();
        tokio::spawn(async move {
            loop {
                match announced.next().await {
                    AnnouncedEvent::Start(path, _) => events.tell(format!("+ {path}")),
                    AnnouncedEvent::End(path) => events.tell(format!("- {path}")),
                    AnnouncedEvent::Live => events.tell("live"),
                    _ => {}
                }
            }
        });
        Ok(())
    }

    pub(crate) fn subscribe(
        &mut self,
        session: &Session,
        id: &str,
        (path, track): (&str, &str),
        subscription: Subscription,
    ) -> anyhow::Result<()> {
        let track = session.track(path, track)?;
        let reader = track.subscribe(subscription);
        let told = Told {
            id: id.to_owned(),
            events: self.events.clone(),
        };
        let task = tokio::spawn(read_track(reader, told));
        self.subscriptions.insert(id.to_owned(), task);
        Ok(())
    }

    /// Reads one group, without subscribing.
    pub(crate) fn fetch(
        &self,
        session: Session,
        id: &str,
        (path, track): (&str, &str),
        fetch: Fetch,
    ) {
        let told = Told {
            id: id.to_owned(),
            events: self.events.clone(),
        };
        let (path, track) = (path.to_owned(), track.to_owned());
        tokio::spawn(async move {
            match session.fetch(&path, &track, fetch).await {
                Ok(group) => read_group(group, told).await,
                Err(error) => told.tell("error", format_args!("{error}")),
            }
        });
    }

    /// Tells what the peer measures, from now on.
    pub(crate) fn probe(&self, session: &Session) {
        let mut bandwidth = session.bandwidth();
        let events = self.events.clone();
        tokio::spawn(async move {
            while bandwidth.changed().await.is_ok() {
                let measured = *bandwidth.borrow_and_update();
                let or_dash = |value: Option<u64>| {
                    value.map_or_else(|| "-".into(), |value| value.to_string())
                };
                let rtt = measured.rtt.map(|rtt| rtt.as_millis() as u64);
                events.tell(format!(
                    "bandwidth {} {}",
                    or_dash(measured.bits_per_second),
                    or_dash(rtt)
                ));
            }
        });
    }

    pub(crate) fn unsubscribe(&mut self, id: &str) {
        if let Some(task) = self.subscriptions.remove(id) {
            task.abort();
        }
    }
}

/// What to ask for: `newest`, `oldest` or a group, a max age in milliseconds, a priority.
pub(crate) fn subscription(
    from: &str,
    max_age: &str,
    priority: &str,
) -> anyhow::Result<Subscription> {
    let start = match from {
        "newest" => Start::Newest,
        "oldest" => Start::OLDEST,
        group => Start::Floor(group.parse().context("reading where to start")?),
    };
    let max_age = Duration::from_millis(max_age.parse().context("reading the max age")?);
    Ok(Subscription::default()
        .with_start(start)
        .with_max_age(max_age)
        .with_priority(priority.parse().context("reading the priority")?))
}

/// Tells what comes on one subscription.
#[derive(Debug, Clone)]
struct Told {
    id: String,
    events: Events,
}

impl Told {
    fn tell(&self, what: &str, rest: std::fmt::Arguments<'_>) {
        self.events.tell(format!("{what} {} {rest}", self.id));
    }
}

async fn read_track(mut reader: TrackReader, told: Told) {
    // Groups are read side by side, as they come.
    let mut groups = JoinSet::new();
    let end = loop {
        match reader.next_group().await {
            Ok(Some(group)) => groups.spawn(read_group(group, told.clone())),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
    };
    while groups.join_next().await.is_some() {}
    match end {
        Ok(()) => told.tell("end", format_args!("finished")),
        Err(ReadError::Aborted(why)) => told.tell("error", format_args!("{why}")),
        Err(error) => told.tell("error", format_args!("{error}")),
    }
}

async fn read_group(mut group: GroupConsumer, told: Told) {
    let sequence = group.sequence();
    let is_datagram = group.is_datagram();
    if !is_datagram {
        told.tell("group", format_args!("{sequence}"));
    }
    for index in 0_usize.. {
        match group.next().await {
            GroupRead::Frame(frame) => {
                let (length, hash) = (frame.payload.len(), hash(&frame.payload));
                let millis = frame.timestamp;
                if is_datagram {
                    return told.tell(
                        "datagram",
                        format_args!("{sequence} {length} {hash} {millis}"),
                    );
                }
                told.tell(
                    "frame",
                    format_args!("{sequence} {index} {length} {hash} {millis}"),
                );
            }
            GroupRead::End(GroupEnd::Finished) => {
                return told.tell("end-group", format_args!("{sequence}"));
            }
            GroupRead::End(end) => return told.tell("lost", format_args!("{sequence} {end:?}")),
        }
    }
}

/// SHA-256 in hexadecimal digits.
fn hash(payload: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, payload);
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
