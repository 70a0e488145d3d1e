//! The sessions of a run: those that publish, and those that subscribe.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use moq_session::{
    Abort, BroadcastPath, BroadcastProducer, Dial as _, DialError, OriginProducer, Publication,
    ReadError, Role, Session, SessionError, Start, Subscription, Track, TrackConsumer,
    TrackProducer, TrackReader,
};
use tokio::time::{Instant, sleep, sleep_until};

use super::pacer::scale;
use super::receive::Receiver;
use super::schedule;
use super::state::Run;
use crate::args::{BenchArgs, Shape};
use crate::client::{self, Dialer};
use crate::exit::{Exit, Failure};

/// Sessions that have to stay.
#[derive(Debug)]
pub(super) struct Sessions(Vec<Session>);

impl Sessions {
    /// How many have ended, and why one of them did.
    pub(super) async fn ended(&self) -> (usize, Option<SessionError>) {
        let ended = self.0.iter().filter(|session| !session.is_open());
        let ended: Vec<_> = ended.collect();
        match ended.first() {
            Some(first) => (ended.len(), Some(first.closed().await)),
            None => (0, None),
        }
    }

    /// What was negotiated.
    pub(super) fn negotiated(&self) -> Option<String> {
        let session = self.0.first()?;
        Some(format!(
            "{} over {}",
            session.version(),
            session.info().kind
        ))
    }

    pub(super) fn with(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// Where broadcasts are published, of which each run has its own.
#[derive(Debug, Clone)]
pub(super) struct Place {
    prefix: BroadcastPath,
    run: u32,
}

impl Place {
    pub(super) fn new(args: &BenchArgs) -> Self {
        Self {
            prefix: args.prefix.clone(),
            run: std::process::id(),
        }
    }

    fn path(&self, broadcast: u64) -> anyhow::Result<BroadcastPath> {
        let below = BroadcastPath::new(&format!("{}/{broadcast}", self.run))?;
        Ok(self.prefix.join(&below)?)
    }
}

/// What publishes.
#[derive(Debug)]
pub(super) struct Publishers {
    pub(super) sessions: Sessions,
    pub(super) tracks: Vec<TrackProducer>,
    /// They are there for as long as these are.
    _broadcasts: Vec<(BroadcastProducer, Publication)>,
}

impl Publishers {
    /// Connects them, and publishes their broadcasts.
    pub(super) async fn connect(
        args: &BenchArgs,
        dialers: &Dialers,
        place: &Place,
    ) -> anyhow::Result<Self> {
        let shape = args.shape();
        let (mut tracks, mut broadcasts, mut origins) = (Vec::new(), Vec::new(), Vec::new());
        for publisher in 0..u64::from(shape.publishers) {
            let origin = OriginProducer::new();
            let each = u64::from(shape.broadcasts);
            for broadcast in publisher * each..(publisher + 1) * each {
                let producer = BroadcastProducer::new();
                for track in 0..shape.tracks {
                    let track = Track::new(track.to_string())
                        .with_timescale(scale())
                        .with_max_age(args.max_age);
                    tracks.push(producer.create(track).context("cannot create a track")?);
                }
                let publication = origin.publish(&place.path(broadcast)?, producer.consume());
                broadcasts.push((producer, publication));
            }
            origins.push(origin);
        }
        let sessions = stream::iter(origins.into_iter().zip(0..)).map(|(origin, index)| {
            let config = client::config(&args.client)
                .with_publish(origin)
                .with_role(Role::Publisher);
            connect(args, dialers.of(index), config)
        });
        Ok(Self {
            sessions: Sessions(sessions.buffered(AT_ONCE).try_collect().await?),
            tracks,
            _broadcasts: broadcasts,
        })
    }
}

/// Connects the subscribers over the ramp, and lets them receive.
pub(super) async fn subscribe(
    args: &BenchArgs,
    dialers: &Dialers,
    place: &Place,
    run: &Arc<Run>,
) -> anyhow::Result<Sessions> {
    let shape = args.shape();
    let start = Instant::now();
    let sessions = stream::iter(0..shape.subscribers).map(|subscriber| {
        let (dialer, shape) = (dialers.of(subscriber), &shape);
        async move {
            sleep_until(start + args.ramp * subscriber / shape.subscribers).await;
            let joining = run.now();
            let config = client::config(&args.client).with_role(Role::Subscriber);
            let session = connect(args, dialer, config).await?;
            for track in schedule::taken(shape, subscriber) {
                run.check_capacity()?;
                let reader = reader(args, &session, place, shape, track).await?;
                let receiver = Receiver::new(run.clone(), reader, track, joining);
                let run = run.clone();
                tokio::spawn(async move {
                    if receiver.receive().await == Err(ReadError::Aborted(Abort::NoCapacity)) {
                        run.refuse();
                    }
                });
            }
            anyhow::Ok(session)
        }
    });
    Ok(Sessions(sessions.buffered(AT_ONCE).try_collect().await?))
}

/// Subscribes to a track, once the relay knows it.
async fn reader(
    args: &BenchArgs,
    session: &Session,
    place: &Place,
    shape: &Shape,
    track: u64,
) -> anyhow::Result<TrackReader> {
    let deadline = Instant::now() + args.client.timeout();
    let path = place.path(track / u64::from(shape.tracks))?;
    let name = (track % u64::from(shape.tracks)).to_string();
    loop {
        let asked: TrackConsumer = session.track(path.as_str(), &name)?;
        let subscription = Subscription::default()
            .with_start(Start::Newest)
            .with_max_age(args.max_age);
        let reader = asked.subscribe(subscription);
        let refused = tokio::select! {
            info = asked.info() => match info {
                Ok(_) => return Ok(reader),
                Err(refused) => refused,
            },
            ended = session.closed() => return Err(client::ended(&args.client.url, ended)),
        };
        if refused == ReadError::Aborted(Abort::NoCapacity) {
            return Err(anyhow::Error::new(refused).context(client::no_capacity()));
        }
        if Instant::now() > deadline {
            let what = format!("cannot subscribe to `{path}`");
            return Err(anyhow::Error::new(refused).context(Failure::new(Exit::NotFound, what)));
        }
        // The relay may not have heard of it yet.
        sleep(AGAIN).await;
    }
}

async fn connect(
    args: &BenchArgs,
    dialer: Dialer,
    config: moq_session::Config,
) -> anyhow::Result<Session> {
    let failed = |error| client::failed(&args.client.url, Arc::new(error));
    let connection = dialer.dial().await;
    let connection = connection.map_err(|error| failed(DialError::Dial(error)))?;
    let session = Session::connect_with(connection, config).await;
    session.map_err(|error| failed(DialError::Connect(error)))
}

/// Dialers, each with sockets of its own: one socket's buffer is too small for all.
#[derive(Debug)]
pub(super) struct Dialers(Vec<Dialer>);

impl Dialers {
    pub(super) fn new(args: &BenchArgs) -> Self {
        let Shape {
            publishers,
            subscribers,
            ..
        } = args.shape();
        let sockets = subscribers.max(publishers).div_ceil(PER_SOCKET);
        Self(Dialer::several(&args.client, sockets.min(MOST_SOCKETS)))
    }

    fn of(&self, index: u32) -> Dialer {
        self.0[index as usize % self.0.len()].clone()
    }
}

/// Sessions that are set up at the same time.
const AT_ONCE: usize = 32;

/// Sessions on a socket.
const PER_SOCKET: u32 = 25;

/// A session's cost grows with the number of sockets, because each has less to receive at once.
const MOST_SOCKETS: u32 = 8;

/// How long to wait before asking again for what is not there yet.
const AGAIN: Duration = Duration::from_millis(50);
