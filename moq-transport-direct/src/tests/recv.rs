//! What the peer is told of streams that are not read to their ends.

use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;

use bytes::Bytes;
use moq_session::transport::{SendStream as _, Transport as _};
use moq_transport_common::quic::StreamLimits;

use super::{config, pair};
use crate::Server;
use crate::connection::now;

#[tokio::test]
async fn stopping_what_has_come_to_its_end_tells_the_peer_of_credit_at_once() {
    let limits = StreamLimits { bidi: 4, uni: 4 };
    let config = config([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
    let server = Server::bind(config.with_stream_limits(limits), NonZeroUsize::MIN).unwrap();
    let (mut client, mut accepted) = pair(&server).await;
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = poll_fn(|cx| client.poll_open_uni(cx)).await.unwrap();
        let mut chunks = [Bytes::from_static(b"never read")];
        let write = poll_fn(|cx| stream.poll_write_chunks(cx, &mut chunks));
        write.await.unwrap();
        stream.finish();
        // Acknowledged, so that all of it is there.
        poll_fn(|cx| stream.poll_closed(cx)).await.unwrap();
        streams.push(poll_fn(|cx| accepted.poll_accept_uni(cx)).await.unwrap());
    }

    drop(streams);
    {
        let mut state = accepted.inner.lock();
        let _ = state.poll_transmit(now(), 1, &mut Vec::new());
        let told = state.quic.stats().frame_tx;
        assert_eq!((told.max_streams_uni, told.stop_sending), (1, 0));
    }
    // The packet above was lost; what comes in its place gives the same credit.
    poll_fn(|cx| client.poll_open_uni(cx)).await.unwrap();
}
