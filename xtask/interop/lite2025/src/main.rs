//! The crates moq-lite and moq-native as they were in 2025: commands on stdin, events on stdout.

mod publish;
mod subscribe;

use std::path::Path;

use anyhow::Context as _;
use moq_lite::{Origin, OriginConsumer, OriginProducer, Session};
use moq_native::Server;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use publish::Publisher;
use subscribe::Subscriber;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut endpoint = Endpoint {
        session: None,
        published: Origin::produce().producer,
        publisher: Publisher::default(),
        subscriber: Subscriber::new(Origin::produce().producer),
    };
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split(' ').collect();
        if let Err(error) = endpoint.run(&words).await {
            tell(format!("failed {error:#}"));
        }
    }
    Ok(())
}

struct Endpoint {
    session: Option<moq_native::web_transport_quinn::Session>,
    published: OriginProducer,
    publisher: Publisher,
    subscriber: Subscriber,
}

impl Endpoint {
    async fn run(&mut self, words: &[&str]) -> anyhow::Result<()> {
        match *words {
            ["about"] => tell("can demand listen"),
            ["connect", url, _fingerprint, _version] => {
                if let Err(error) = self.connect(url).await {
                    tell(format!("refused {error:#}"));
                }
            }
            ["listen", _version] => self.listen()?,
            ["close"] => {
                let session = self.session.take().context("not connected")?;
                session.close(0, b"done");
            }
            ["track", path, name, _max_age] => self.publisher.track(path, name),
            ["announce", path] => {
                let broadcast = self.publisher.broadcast(path).consume();
                self.published.publish_broadcast(path, broadcast);
            }
            ["unannounce", path] => self.publisher.remove(path)?,
            ["group", path, name] => self.publisher.track_of(path, name)?.begin(),
            ["frame", path, name, _millis, file] => {
                let payload = std::fs::read(Path::new(file)).context("reading the frame")?;
                self.publisher.track_of(path, name)?.frame(payload)?;
            }
            ["finish-group", path, name] => self.publisher.track_of(path, name)?.finish_group()?,
            ["finish", path, name] => self.publisher.track_of(path, name)?.finish(),
            ["watch", prefix] => self
                .subscriber
                .watch(if prefix == "-" { "" } else { prefix }),
            ["subscribe", id, path, name, _start, _max_age, priority] => {
                let priority = priority.parse().context("reading the priority")?;
                self.subscriber.subscribe(id, path, name, priority)?;
            }
            ["unsubscribe", id] => self.subscriber.unsubscribe(id),
            _ => anyhow::bail!("unknown command {}", words.join(" ")),
        }
        Ok(())
    }

    async fn connect(&mut self, url: &str) -> anyhow::Result<()> {
        let mut config = moq_native::ClientConfig::default();
        // It pins no certificates.
        config.tls.disable_verify = Some(true);
        config.bind = "0.0.0.0:0".parse()?;
        let client = moq_native::Client::new(config)?;
        // Raw QUIC has an older name there.
        let url = url::Url::parse(&url.replace("moqt://", "moql://"))?;
        let transport = client.connect(url).await?;
        let origins = (self.published.consume(), self.subscriber.origin());
        Session::connect(transport.clone(), origins.0, origins.1).await?;
        tell("connected moq-lite-01");
        self.session = Some(transport.clone());
        tokio::spawn(async move { tell(format!("disconnected {}", transport.closed().await)) });
        Ok(())
    }

    fn listen(&self) -> anyhow::Result<()> {
        let mut config = moq_native::ServerConfig::default();
        config.bind = Some("127.0.0.1:0".parse()?);
        config.tls.generate = vec!["localhost".into(), "127.0.0.1".into()];
        let server = moq_native::Server::new(config)?;
        let fingerprint = server
            .fingerprints()
            .first()
            .context("there is no certificate")?;
        let port = server.local_addr()?.port();
        tell(format!("listening {port} {fingerprint}"));
        tokio::spawn(accept(
            server,
            self.published.clone(),
            self.subscriber.origin(),
        ));
        Ok(())
    }
}

async fn accept(mut server: Server, published: OriginProducer, received: OriginProducer) {
    while let Some(request) = server.accept().await {
        let origins = (published.consume(), received.clone());
        tokio::spawn(async move {
            if let Err(error) = serve(request, origins).await {
                tell(format!("disconnected {error:#}"));
            }
        });
    }
}

async fn serve(
    request: moq_native::Request,
    (publish, subscribe): (OriginConsumer, OriginProducer),
) -> anyhow::Result<()> {
    let transport = request.ok().await?;
    Session::accept(transport.clone(), publish, subscribe).await?;
    tell("connected moq-lite-01");
    anyhow::bail!(transport.closed().await)
}

/// Tells a line; one print is one line, whoever else tells.
fn tell(line: impl Into<String>) {
    println!("{}", line.into().replace('\n', " "));
}
