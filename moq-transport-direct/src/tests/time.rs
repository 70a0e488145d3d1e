//! What quinn-proto is told of the time, and what comes of timers that are late.

use std::any::Any;
use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use moq_session::transport::{RecvStream as _, SendStream as _, Transport};
use moq_transport_common::quic::{Listening, SERVER};
use quinn_proto::RttEstimator;
use quinn_proto::congestion::{Controller, ControllerFactory};

use super::network::{Network, ONE_WAY};
use super::{config, pair};
use crate::{Congestion, Server};

/// Timers that are up to 5 ms late.
fn late() -> impl FnMut() -> Duration {
    let mut seed = 1_u64;
    move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Duration::from_micros((seed >> 33) % 5_000)
    }
}

/// Sends bursts that pacing holds back, and gives how long each was on its way.
fn bursts(network: &mut Network) -> Vec<Duration> {
    let sent = (0..BURSTS).map(|_| {
        let sent = network.now;
        network.send(BURST);
        network.run(sent + Duration::from_millis(200));
        *network.finished.last().unwrap() - sent
    });
    let mut sent: Vec<_> = sent.collect();
    assert_eq!(network.finished.len(), BURSTS);
    sent.sort();
    sent
}

#[test]
fn round_trips_are_right_though_timers_are_late() {
    let mut network = Network::connect(late());
    for _ in 0..BURSTS {
        network.send(BURST);
        for _ in 0..20 {
            network.run(network.now + Duration::from_millis(10));
            let rtt = network.state(|state| state.quic.rtt());
            let error = rtt.abs_diff(2 * ONE_WAY);
            assert!(error <= ONE_WAY / 10, "{rtt:?}");
        }
    }
}

#[test]
fn late_timers_cost_a_paced_burst_little_more_than_they_are_late() {
    let p99 = |sent: Vec<Duration>| sent[BURSTS * 99 / 100];
    let on_time = p99(bursts(&mut Network::connect(|| Duration::ZERO)));
    let late = p99(bursts(&mut Network::connect(late())));
    assert!(on_time > 3 * ONE_WAY / 2, "they are paced: {on_time:?}");
    let most = on_time * 11 / 10 + Duration::from_millis(5);
    assert!(late <= most, "{late:?} instead of {on_time:?}");
}

/// Takes note of whether the time goes back.
#[derive(Clone)]
struct Watch {
    last: Arc<Mutex<Instant>>,
    goes_back: Arc<AtomicBool>,
}

impl Watch {
    fn see(&self, now: Instant) {
        let mut last = self.last.lock().unwrap();
        if now < *last {
            self.goes_back.store(true, Ordering::SeqCst);
        }
        *last = now;
    }
}

impl Controller for Watch {
    fn on_sent(&mut self, now: Instant, _bytes: u64, _last_packet: u64) {
        self.see(now);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        _sent: Instant,
        _bytes: u64,
        _is_app_limited: bool,
        _rtt: &RttEstimator,
    ) {
        self.see(now);
    }

    fn on_congestion_event(&mut self, now: Instant, _sent: Instant, _persists: bool, _lost: u64) {
        self.see(now);
    }

    fn on_mtu_update(&mut self, _mtu: u16) {}

    fn window(&self) -> u64 {
        // Few enough for pacing to hold packets back.
        20_000
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Builds controllers that share what they see.
struct Factory(Arc<AtomicBool>);

impl ControllerFactory for Factory {
    fn build(self: Arc<Self>, now: Instant, _mtu: u16) -> Box<dyn Controller> {
        Box::new(Watch {
            last: Arc::new(now.into()),
            goes_back: self.0.clone(),
        })
    }
}

#[tokio::test]
async fn the_time_never_goes_back() {
    let config = config([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
    let goes_back = Arc::<AtomicBool>::default();
    let mut transport = SERVER.transport(Congestion::default());
    transport.congestion_controller_factory(Arc::new(Factory(goes_back.clone())));
    let mut listening = Listening::open(&config, NonZeroUsize::MIN).unwrap();
    listening.quic.transport_config(Arc::new(transport));
    let server = Server::start(listening, NonZeroUsize::MIN).unwrap();

    let (mut client, mut accepted) = pair(&server).await;
    for _ in 0..50 {
        let sending = async {
            let mut stream = poll_fn(|cx| accepted.poll_open_uni(cx)).await.unwrap();
            let mut chunks = [Bytes::from_static(&[7; BURST])];
            while !chunks[0].is_empty() {
                let write = poll_fn(|cx| stream.poll_write_chunks(cx, &mut chunks));
                write.await.unwrap();
            }
            stream.finish();
        };
        let receiving = async {
            let mut stream = poll_fn(|cx| client.poll_accept_uni(cx)).await.unwrap();
            let mut left = BURST;
            while let Some(chunk) = poll_fn(|cx| stream.poll_read_chunk(cx)).await.unwrap() {
                left -= chunk.len();
            }
            assert_eq!(left, 0);
        };
        tokio::join!(sending, receiving);
    }
    assert!(!goes_back.load(Ordering::SeqCst));
}

/// How many bursts are sent.
const BURSTS: usize = 100;

/// Bytes of a burst: nearly all that may be on its way at once.
const BURST: usize = 40_000;
