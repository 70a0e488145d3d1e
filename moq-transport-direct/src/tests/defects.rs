//! What a defect of quinn-proto costs, shown by a congestion controller that has one.

use std::any::Any;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use moq_session::transport::{RecvStream as _, SendStream as _, Transport};
use moq_transport_common::quic::{Listening, SERVER};
use quinn_proto::congestion::{Controller, ControllerFactory};
use quinn_proto::{Dir, RttEstimator, Side, StreamId};

use super::{config, pair, receive, send};
use crate::{Congestion, SendStream, Server};

/// When a controller panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Sent,
    Acknowledged,
    /// By a handle, for its window.
    Asked,
}

/// Panics at its moment, once it is armed, and from then on whatever it is asked.
#[derive(Clone)]
pub(super) struct Defective {
    moment: Moment,
    is_armed: Arc<AtomicBool>,
    has_panicked: Arc<AtomicBool>,
}

impl Defective {
    pub(super) fn new(moment: Moment, is_armed: Arc<AtomicBool>) -> Self {
        Self {
            moment,
            is_armed,
            has_panicked: Arc::default(),
        }
    }

    fn at(&self, moment: Moment) {
        if self.moment == moment && self.is_armed.load(Ordering::SeqCst) {
            self.has_panicked.store(true, Ordering::SeqCst);
        }
        self.always();
    }

    fn always(&self) {
        let has_panicked = self.has_panicked.load(Ordering::SeqCst);
        assert!(!has_panicked, "a defect, on purpose");
    }
}

impl Controller for Defective {
    fn on_sent(&mut self, _now: Instant, _bytes: u64, _last_packet: u64) {
        self.at(Moment::Sent);
    }

    fn on_ack(
        &mut self,
        _now: Instant,
        _sent: Instant,
        _bytes: u64,
        _is_app_limited: bool,
        _rtt: &RttEstimator,
    ) {
        self.at(Moment::Acknowledged);
    }

    fn on_congestion_event(&mut self, _now: Instant, _sent: Instant, _persists: bool, _lost: u64) {}

    fn on_mtu_update(&mut self, _mtu: u16) {}

    fn window(&self) -> u64 {
        if self.moment == Moment::Asked && self.is_armed.load(Ordering::SeqCst) {
            self.has_panicked.store(true, Ordering::SeqCst);
        }
        self.always();
        1 << 20
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        1 << 20
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Gives the first connection the defect, and the others one that is never armed.
struct Factory(std::sync::Mutex<Option<Defective>>);

impl ControllerFactory for Factory {
    fn build(self: Arc<Self>, _now: Instant, _mtu: u16) -> Box<dyn Controller> {
        let first = self.0.lock().unwrap().take();
        Box::new(first.unwrap_or_else(|| Defective::new(Moment::Sent, Arc::default())))
    }
}

fn server(first: Defective) -> Server {
    let config = config([SocketAddr::from(([127, 0, 0, 1], 0))]);
    let mut listening = Listening::open(&config, NonZeroUsize::MIN).unwrap();
    with_defect(&mut listening, first);
    Server::start(listening, NonZeroUsize::MIN).unwrap()
}

/// Gives the first connection a defect.
pub(super) fn with_defect(listening: &mut Listening, first: Defective) {
    let mut transport = SERVER.transport(Congestion::default());
    transport.congestion_controller_factory(Arc::new(Factory(Some(first).into())));
    listening.quic.transport_config(Arc::new(transport));
}

async fn a_defect_costs_one_connection(moment: Moment) {
    let is_armed = Arc::new(AtomicBool::new(false));
    let server = server(Defective::new(moment, is_armed.clone()));
    let (mut client, mut accepted) = pair(&server).await;
    let (mut other_client, mut other_accepted) = pair(&server).await;

    is_armed.store(true, Ordering::SeqCst);
    match moment {
        Moment::Asked => assert_eq!(accepted.stats().rtt, None),
        Moment::Sent | Moment::Acknowledged => send(&mut accepted).await,
    }
    let end = poll_fn(|cx| accepted.poll_closed(cx)).await;
    assert!(end.to_string().contains("defect"), "{end}");

    // Its peer learns of it as soon as it sends anything.
    send(&mut client).await;
    let end = poll_fn(|cx| client.poll_closed(cx)).await;
    assert!(end.to_string().contains("reset"), "{end}");

    send(&mut other_client).await;
    assert!(receive(&mut other_accepted).await.is_some());
    send(&mut other_accepted).await;
    assert!(receive(&mut other_client).await.is_some());
    server.close(0, "");
    server.wait_idle().await;
}

#[tokio::test]
async fn nothing_is_asked_of_a_broken_connection() {
    let is_armed = Arc::new(AtomicBool::new(false));
    let server = server(Defective::new(Moment::Sent, is_armed.clone()));
    let (mut client, mut accepted) = pair(&server).await;
    client.send_datagram(Bytes::from_static(b"never read"));
    for _ in 0..3 {
        send(&mut client).await;
    }
    assert!(receive(&mut accepted).await.is_some());
    let mut sending = poll_fn(|cx| accepted.poll_open_uni(cx)).await.unwrap();
    let mut receiving = poll_fn(|cx| accepted.poll_accept_uni(cx)).await.unwrap();
    assert!(accepted.max_datagram_size() > 0 && accepted.stats().rtt.is_some());

    is_armed.store(true, Ordering::SeqCst);
    send(&mut accepted).await;
    poll_fn(|cx| accepted.poll_closed(cx)).await;
    let stream = poll_fn(|cx| accepted.poll_accept_uni(cx)).await;
    assert!(stream.unwrap_err().to_string().contains("defect"));
    let datagram = poll_fn(|cx| accepted.poll_recv_datagram(cx)).await;
    assert!(datagram.unwrap_err().to_string().contains("defect"));
    assert_eq!(accepted.max_datagram_size(), 0);
    assert_eq!(accepted.stats().rtt, None);
    accepted.send_datagram(Bytes::from_static(b"lost"));
    accepted.set_paused_streams(1);
    accepted.close(1, "nothing is left to close");
    let mut chunks = [Bytes::from_static(b"too late")];
    let written = poll_fn(|cx| sending.poll_write_chunks(cx, &mut chunks)).await;
    assert!(written.is_err());
    sending.finish();
    let read = poll_fn(|cx| receiving.poll_read_chunk(cx)).await;
    assert!(read.is_err());
    receiving.stop(1);
    drop((sending, receiving));
    drop(client);
    server.close(0, "");
    server.wait_idle().await;
}

#[tokio::test]
async fn a_panic_while_sending_costs_one_connection() {
    a_defect_costs_one_connection(Moment::Sent).await;
}

#[tokio::test]
async fn a_panic_while_receiving_costs_one_connection() {
    a_defect_costs_one_connection(Moment::Acknowledged).await;
}

#[tokio::test]
async fn a_panic_in_a_handles_call_costs_one_connection() {
    a_defect_costs_one_connection(Moment::Asked).await;
}

/// quinn-proto panics when this end is to send on a stream that only the peer sends on.
#[tokio::test]
async fn a_panic_while_a_task_unwinds_does_not_end_the_process() {
    let server = server(Defective::new(Moment::Sent, Arc::default()));
    let (mut client, mut accepted) = pair(&server).await;
    send(&mut client).await;
    assert!(receive(&mut accepted).await.is_some());
    let of_the_peer = StreamId::new(Side::Client, Dir::Uni, 0);
    let stream = SendStream::new(&accepted.inner, of_the_peer, Bytes::new());
    let task = tokio::spawn(async move {
        let _stream = stream;
        panic!("of a program's own");
    });
    assert!(task.await.unwrap_err().is_panic());
    let end = poll_fn(|cx| accepted.poll_closed(cx)).await;
    assert!(end.to_string().contains("defect"), "{end}");
}
