//! Who delivers.

use std::rc::Rc;
use std::str::FromStr;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use moq_session::testing::{MemoryConnection, memory_pair};
use moq_session::transport::{SendStream as _, Transport as _};
use moq_session::{
    BroadcastPath, BroadcastProducer, Config, Established, Grant, OriginProducer, Publication,
    Session, Track, TrackProducer, Version,
};

use crate::adapter::Adapter;
use crate::viewer::{Seen, watch};
use crate::{FRAME, FRAMES, Failure};

const VERSION: Version = Version::Lite06;

/// Whose publisher it is.
#[derive(Clone, Copy)]
pub(crate) enum Who {
    Session,
    Net,
    Transport,
}

impl FromStr for Who {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        match name {
            "moq-session" => Ok(Self::Session),
            "moq-net" => Ok(Self::Net),
            "transport" => Ok(Self::Transport),
            _ => Err(format!("nobody is called {name}").into()),
        }
    }
}

/// A track with viewers.
pub(crate) enum Publisher {
    Session {
        track: TrackProducer,
        _broadcast: BroadcastProducer,
        _publication: Publication,
        _sessions: Vec<Session>,
    },
    Net {
        track: moq_net::track::Producer,
        _broadcast: moq_net::broadcast::Producer,
        _origin: moq_net::origin::Producer,
        _sessions: Vec<moq_net::Session>,
    },
    Transport(Vec<MemoryConnection>),
}

impl Publisher {
    pub(crate) async fn start(who: Who, viewers: u64, seen: &Rc<Seen>) -> Result<Self, Failure> {
        let mut ends = Vec::new();
        for _ in 0..viewers {
            let (client, server) = memory_pair(VERSION);
            let seen = seen.clone();
            tokio::task::spawn_local(async move {
                let ended = watch(client, VERSION, &seen).await;
                let error = ended.err().unwrap_or_else(|| "the session is over".into());
                seen.failure.replace(Some(error));
            });
            ends.push(server);
        }
        match who {
            Who::Session => Self::session(ends).await,
            Who::Net => Self::net(ends).await,
            Who::Transport => Ok(Self::Transport(ends)),
        }
    }

    async fn session(ends: Vec<MemoryConnection>) -> Result<Self, Failure> {
        let origin = OriginProducer::new();
        let broadcast = BroadcastProducer::new();
        let track = broadcast.create(Track::new("data"))?;
        let publication = origin.publish(&"room".parse()?, broadcast.consume());
        let config = Config::default()
            .with_versions([VERSION])
            .with_publish(origin.clone());
        let mut sessions = Vec::new();
        for end in ends {
            let request = Session::accept(Established::new(end), config.clone()).await?;
            let grant = Grant::everything(BroadcastPath::root());
            sessions.push(request.accept(grant).await?);
        }
        Ok(Self::Session {
            track,
            _broadcast: broadcast,
            _publication: publication,
            _sessions: sessions,
        })
    }

    async fn net(ends: Vec<MemoryConnection>) -> Result<Self, Failure> {
        let hop = moq_net::Hop::new(7)?;
        let (origin, driver) = moq_net::origin::Producer::new(moq_net::origin::Config::new(hop));
        tokio::task::spawn_local(moq_net::time::run(driver));
        let broadcast = origin.create_broadcast("room")?;
        let track = broadcast.create_track("data", None)?;
        broadcast.announce(moq_net::origin::Route::default())?;
        let version: moq_net::Version = VERSION.to_string().parse()?;
        let server = moq_net::Server::new()
            .with_versions(version.into())
            .with_publisher(&origin);
        let mut sessions = Vec::new();
        for end in ends {
            let now = tokio::time::Instant::now().into_std();
            let (session, driver) = server.accept(now, Adapter(end)).await?;
            tokio::task::spawn_local(moq_net::time::run(driver));
            sessions.push(session);
        }
        Ok(Self::Net {
            track,
            _broadcast: broadcast,
            _origin: origin,
            _sessions: sessions,
        })
    }

    /// Writes one group, whole.
    pub(crate) fn write(&mut self) -> Result<(), Failure> {
        let payload = || Bytes::from(vec![7; FRAME]);
        match self {
            Self::Session { track, .. } => {
                let mut group = track.append()?;
                for _ in 0..FRAMES {
                    group.append(payload())?;
                }
                group.finish();
            }
            Self::Net { track, .. } => {
                let mut group = track.append_group()?;
                for _ in 0..FRAMES {
                    group.write_frame(moq_net::Timestamp::ZERO, payload())?;
                }
                group.finish()?;
            }
            Self::Transport(ends) => {
                let payloads: Vec<Bytes> = (0..FRAMES).map(|_| payload()).collect();
                for end in ends {
                    bare(end, &payloads)?;
                }
            }
        }
        Ok(())
    }
}

/// Puts a group's payloads on a stream of its own.
fn bare(end: &mut MemoryConnection, payloads: &[Bytes]) -> Result<(), Failure> {
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(stream) = end.poll_open_uni(&mut cx) else {
        return Err("there is no credit for a stream".into());
    };
    let mut stream = stream?;
    let mut chunks = vec![Bytes::from_static(&[0; 3])];
    chunks.extend_from_slice(payloads);
    let Poll::Ready(written) = stream.poll_write_chunks(&mut cx, &mut chunks) else {
        return Err("a stream has no room".into());
    };
    written?;
    stream.finish();
    Ok(())
}
