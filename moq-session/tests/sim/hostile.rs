//! A peer that asks for more than its share, takes nothing, and breaks off in the middle.

use std::future::{Future, poll_fn};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use moq_session::Version;
use moq_session::transport::{SendStream as _, Transport as _};
use moq_wire::{
    AnnounceEncoder, AnnounceEvent, AnnounceOk, AnnounceRequest, BiStream, Encode, GroupStart,
    HopId, Path, Route, Setup, Subscribe, SubscribeId, Track, UniStream, code, put_message, varint,
};
use tokio::time::{sleep, timeout};

use crate::net::{SimConnection, SimRecv, SimSend};
use crate::publisher;
use crate::rng::{Rng, hash};
use crate::tally::Count;
use crate::world::{PATH, Phase, World};

/// How long it waits for anything.
const PATIENCE: Duration = Duration::from_millis(50);
/// Requests of a kind in a row.
const FLOOD: u64 = 60;

/// Floods whoever is at the other end of a link, until the tracks end.
pub async fn run(world: World, link: usize) {
    let mut rng = Rng::new(hash(&[world.plan.seed, link as u64, 0x4057]));
    let mut phase = world.phase.subscribe();
    let flood = async {
        loop {
            if let Some(connection) = world.connect(link) {
                world.judge.count(Count::Hostile);
                let version = world.plan.links[link].version;
                let mut hostile = Hostile::new(connection, version);
                while hostile.flood(&mut rng).await.is_some() {
                    sleep(Duration::from_millis(rng.range(1..=100))).await;
                }
            }
            sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::select! {
        () = flood => {}
        _ = phase.wait_for(|phase| *phase >= Phase::Closing) => {}
    }
}

struct Hostile {
    connection: SimConnection,
    version: Version,
    has_setup: bool,
    next_id: u64,
    /// Streams that stay as they are.
    kept: Vec<(SimSend, Option<SimRecv>)>,
}

impl Hostile {
    fn new(connection: SimConnection, version: Version) -> Self {
        Self {
            connection,
            version,
            has_setup: !version.features().setup_stream,
            next_id: 0,
            kept: Vec::new(),
        }
    }

    /// One flood of some kind; `None` once the session is over, or nothing goes on.
    async fn flood(&mut self, rng: &mut Rng) -> Option<()> {
        if !std::mem::replace(&mut self.has_setup, true) {
            self.set_up().await?;
        }
        let kind = rng.below(7);
        for n in 0..rng.range(1..=FLOOD) {
            match kind {
                0 => self.ask(BiStream::Announce, &announces(), rng).await?,
                1 => {
                    let wish = self.subscribe(PATH);
                    self.ask(BiStream::Subscribe, &wish, rng).await?;
                }
                2 => {
                    let wish = self.subscribe("nowhere");
                    self.ask(BiStream::Subscribe, &wish, rng).await?;
                }
                3 if self.version.features().track_stream => {
                    self.ask(BiStream::Track, &track(), rng).await?;
                }
                4 if self.version.features().probe.exists() => {
                    let streams = self.open(BiStream::Probe).await?;
                    self.kept.push(streams);
                }
                5 => self.half().await?,
                _ => return self.announce(n).await,
            }
        }
        if rng.once_in(3) {
            self.kept.clear();
        }
        Some(())
    }

    async fn set_up(&mut self) -> Option<()> {
        let connection = &mut self.connection;
        let mut send = soon(poll_fn(|cx| connection.poll_open_uni(cx))).await?;
        let mut buf = BytesMut::new();
        varint::put(UniStream::Setup.code(), &mut buf, self.version).unwrap();
        put_message(&Setup::default(), &mut buf, self.version).unwrap();
        write(&mut send, buf).await?;
        send.finish();
        Some(())
    }

    async fn open(&mut self, kind: BiStream) -> Option<(SimSend, Option<SimRecv>)> {
        let connection = &mut self.connection;
        let (mut send, recv) = soon(poll_fn(|cx| connection.poll_open_bi(cx))).await?;
        let mut buf = BytesMut::new();
        kind.put(&mut buf, self.version).unwrap();
        write(&mut send, buf).await?;
        Some((send, Some(recv)))
    }

    /// Asks, and ends that, or takes it back, or leaves it without reading the answer.
    async fn ask(&mut self, kind: BiStream, message: &impl Encode, rng: &mut Rng) -> Option<()> {
        let (mut send, recv) = self.open(kind).await?;
        let mut buf = BytesMut::new();
        put_message(message, &mut buf, self.version).unwrap();
        write(&mut send, buf).await?;
        if rng.once_in(2) {
            sleep(Duration::from_millis(rng.below(30))).await;
        }
        match rng.below(3) {
            0 => send.finish(),
            1 => send.reset(code::stream::CANCELLED),
            _ => self.kept.push((send, recv)),
        }
        Some(())
    }

    /// Sends half of a message.
    async fn half(&mut self) -> Option<()> {
        let (mut send, recv) = self.open(BiStream::Subscribe).await?;
        let mut buf = BytesMut::new();
        varint::put(60_000, &mut buf, self.version).unwrap();
        buf.resize(20_000, 0);
        // As much as is taken.
        let _ = write(&mut send, buf).await;
        self.kept.push((send, recv));
        Some(())
    }

    /// Announces and retracts, where it was asked what it has.
    async fn announce(&mut self, n: u64) -> Option<()> {
        let connection = &mut self.connection;
        let Some((mut send, recv)) = soon(poll_fn(|cx| connection.poll_accept_bi(cx))).await else {
            return Some(());
        };
        let features = self.version.features();
        let mut buf = BytesMut::new();
        if features.announce_ok {
            let (hop, active) = (HopId(0xbad), 0);
            put_message(&AnnounceOk { hop, active }, &mut buf, self.version).unwrap();
        }
        let mut encoder = AnnounceEncoder::with_initial(self.version, &[], &mut buf).unwrap();
        for round in 0..FLOOD {
            let suffix = Path::new(&format!("noise/{n}/{}", round % 7)).unwrap();
            let mut route = Route::default();
            if features.sender_in_chain {
                route.hops.push(HopId(0xbad));
            }
            let start = AnnounceEvent::Start {
                suffix: suffix.clone(),
                route,
            };
            encoder.encode(&start, &mut buf).unwrap();
            if round < 7 * (FLOOD / 7) {
                let end = AnnounceEvent::End { suffix };
                encoder.encode(&end, &mut buf).unwrap();
            }
        }
        let _ = write(&mut send, buf).await;
        self.kept.push((send, Some(recv)));
        Some(())
    }

    fn subscribe(&mut self, path: &str) -> Subscribe {
        self.next_id += 1;
        let has_range = self.version.features().subscribe_range;
        Subscribe {
            id: SubscribeId(self.next_id),
            broadcast: Path::new(path).unwrap(),
            track: publisher::name(0),
            priority: 255,
            // What a relay asks for is what all its readers want, and groups that are too old for that are
            // lost to readers that come back later.
            max_age: Duration::from_secs(3_600 * u64::from(has_range)),
            start: match has_range {
                true => GroupStart::Floor(moq_wire::GroupSequence(0)),
                false => GroupStart::Latest,
            },
            last: None,
            frame_start: 0,
            frame_last: None,
        }
    }
}

fn announces() -> AnnounceRequest {
    AnnounceRequest {
        prefix: Path::default(),
        exclude_hop: HopId(0),
        include_hidden: false,
    }
}

fn track() -> Track {
    Track {
        broadcast: Path::new(PATH).unwrap(),
        track: publisher::name(0),
    }
}

/// Waits for something, not for long.
async fn soon<R, E>(future: impl Future<Output = Result<R, E>>) -> Option<R> {
    timeout(PATIENCE, future).await.ok()?.ok()
}

/// Writes everything, if that is taken soon.
async fn write(send: &mut SimSend, buf: BytesMut) -> Option<()> {
    let mut chunks: [Bytes; 1] = [buf.freeze()];
    while !chunks[0].is_empty() {
        soon(poll_fn(|cx| send.poll_write_chunks(cx, &mut chunks))).await?;
    }
    Some(())
}
