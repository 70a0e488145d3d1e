//! The end of `cargo xtask interop` that is this project's library: does what stdin says, line by
//! line, and tells on stdout what happens.
//!
//! `xtask/interop/README.md` says which lines there are; the clients of other implementations that
//! lie there know the same ones.

mod link;
mod publish;
mod subscribe;

use std::time::Duration;

use anyhow::Context as _;
use moq_session::{Fetch, OriginProducer, Session, Version};
use tokio::sync::mpsc;

use link::Link;
use publish::Publisher;
use subscribe::Subscriber;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let events = Events::start();
    let mut endpoint = Endpoint::new(events.clone());
    let mut lines = lines_of_stdin();
    while let Some(line) = lines.recv().await {
        let words: Vec<&str> = line.split(' ').collect();
        if let Err(error) = endpoint.run(&words).await {
            events.tell(format!("failed {error:#}"));
        }
    }
    Ok(())
}

struct Endpoint {
    link: Option<Link>,
    publisher: Publisher,
    subscriber: Subscriber,
    events: Events,
}

impl Endpoint {
    fn new(events: Events) -> Self {
        Self {
            link: None,
            publisher: Publisher::new(OriginProducer::new(), events.clone()),
            subscriber: Subscriber::new(OriginProducer::new(), events.clone()),
            events,
        }
    }

    async fn run(&mut self, words: &[&str]) -> anyhow::Result<()> {
        let origins = || {
            (
                self.publisher.origin().clone(),
                self.subscriber.origin().clone(),
            )
        };
        match *words {
            ["about"] => self.about(),
            ["connect", url, fingerprint, version] => {
                let (publish, subscribe) = origins();
                let events = self.events.clone();
                let link = Link::connect(
                    url,
                    fingerprint,
                    &versions(version)?,
                    (publish, subscribe),
                    events,
                );
                self.link = Some(link?);
            }
            ["listen", version] => {
                let (publish, subscribe) = origins();
                let events = self.events.clone();
                self.link = Some(Link::listen(
                    &versions(version)?,
                    (publish, subscribe),
                    events,
                )?);
            }
            ["close"] => self.link = None,
            ["goaway", uri, millis] => {
                let uri = if uri == "-" { "" } else { uri };
                let deadline = Duration::from_millis(millis.parse()?);
                self.session()?.goaway(uri, deadline)?;
            }
            [
                "watch" | "subscribe" | "unsubscribe" | "fetch" | "probe",
                ..,
            ] => self.follow(words)?,
            _ => self.publish(words)?,
        }
        Ok(())
    }

    fn publish(&mut self, words: &[&str]) -> anyhow::Result<()> {
        match *words {
            ["track", path, name, max_age] => self.publisher.track(path, name, max_age)?,
            ["announce", path] => self.publisher.announce(path)?,
            ["unannounce", path] => self.publisher.unannounce(path)?,
            ["group", path, name] => self.publisher.group(path, name)?,
            ["frame", path, name, millis, file] => {
                let payload = read(file)?;
                self.publisher.frame(path, name, millis.parse()?, payload)?;
            }
            ["datagram", path, name, millis, file] => {
                let payload = read(file)?;
                self.publisher
                    .datagram(path, name, millis.parse()?, payload)?;
            }
            ["finish-group", path, name] => self.publisher.finish_group(path, name)?,
            ["finish", path, name] => self.publisher.finish(path, name)?,
            _ => anyhow::bail!("unknown command {}", words.join(" ")),
        }
        Ok(())
    }

    fn follow(&mut self, words: &[&str]) -> anyhow::Result<()> {
        match *words {
            ["watch", prefix] => self.subscriber.watch(prefix)?,
            ["subscribe", id, path, track, from, max_age, priority] => {
                let subscription = subscribe::subscription(from, max_age, priority)?;
                let session = self.session()?;
                self.subscriber
                    .subscribe(&session, id, (path, track), subscription)?;
            }
            ["unsubscribe", id] => self.subscriber.unsubscribe(id),
            ["fetch", id, path, track, group] => {
                let session = self.session()?;
                let fetch = Fetch::new(group.parse()?);
                self.subscriber.fetch(session, id, (path, track), fetch);
            }
            ["probe"] => self.subscriber.probe(&self.session()?),
            _ => anyhow::bail!("unknown command {}", words.join(" ")),
        }
        Ok(())
    }

    fn session(&self) -> anyhow::Result<Session> {
        let session = self.link.as_ref().and_then(Link::session);
        session.context("not connected")
    }

    /// Which drafts there are, and which commands beside those that everybody has.
    fn about(&self) {
        let versions: Vec<&str> = Version::OFFERED
            .iter()
            .map(|version| version.name())
            .collect();
        self.events.tell(format!("versions {}", versions.join(" ")));
        self.events.tell(format!("can {}", CAN.join(" ")));
    }
}

fn read(file: &str) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("reading {file}"))
}

/// The lines of stdin, until it ends.
fn lines_of_stdin() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The drafts that a word stands for; `-` for all.
fn versions(word: &str) -> anyhow::Result<Vec<Version>> {
    if word == "-" {
        return Ok(Version::OFFERED.to_vec());
    }
    let found = Version::OFFERED
        .iter()
        .find(|version| version.name() == word);
    Ok(vec![*found.with_context(|| {
        format!("this build does not speak {word}")
    })?])
}

/// Tells lines on stdout, in the order in which they come.
#[derive(Debug, Clone)]
struct Events(mpsc::UnboundedSender<String>);

impl Events {
    fn start() -> Self {
        let (sender, mut lines) = mpsc::unbounded_channel::<String>();
        std::thread::spawn(move || {
            use std::io::Write as _;
            let mut stdout = std::io::stdout().lock();
            while let Some(line) = lines.blocking_recv() {
                let line = line.replace('\n', " ");
                if writeln!(stdout, "{line}")
                    .and_then(|()| stdout.flush())
                    .is_err()
                {
                    return;
                }
            }
        });
        Self(sender)
    }

    fn tell(&self, line: impl Into<String>) {
        // Without anybody to read, there is nobody to tell.
        let _ = self.0.send(line.into());
    }
}

const CAN: &[&str] = &[
    "listen",
    "demand",
    "max-age",
    "priority",
    "blind",
    "live",
    "reconnect",
    "fetch",
    "datagram",
    "probe",
    "goaway",
    "dies",
];
