//! What the streams of a connection do with a peer of another make.

use crate::suite::support::{
    accept_uni, acknowledged, foreign_pair, open_uni, read, read_exactly, server, write,
};
use moq_session::transport::{RecvError, SendError, SendStream as _};

/// Newer libraries send stream codes unmapped on raw QUIC.
#[tokio::test]
async fn plain_codes_are_read_on_raw_quic() {
    let server = server();
    let (_endpoint, foreign, mut accepted) = foreign_pair(&server).await;

    let mut uni = foreign.open_uni().await.unwrap();
    uni.write_all(b"x").await.unwrap();
    let mut received = accept_uni(&mut accepted).await;
    assert_eq!(read_exactly(&mut received, 1).await, b"x");
    uni.reset(quinn::VarInt::from_u32(0x36)).unwrap();
    assert!(matches!(
        read(&mut received).await.1,
        Err(RecvError::Reset(0x36))
    ));

    let mut sent = open_uni(&mut accepted).await;
    write(&mut sent, &[b"x"]).await;
    let mut theirs = foreign.accept_uni().await.unwrap();
    theirs.stop(quinn::VarInt::from_u32(0x35)).unwrap();
    assert!(matches!(
        acknowledged(&mut sent).await,
        Err(SendError::Stopped(0x35))
    ));

    // What is sent here is mapped.
    let mut sent = open_uni(&mut accepted).await;
    write(&mut sent, &[b"x"]).await;
    let mut theirs = foreign.accept_uni().await.unwrap();
    sent.reset(0x33);
    let reset = theirs.received_reset().await.unwrap().unwrap();
    assert_eq!(reset.into_inner(), 0x52e4_a40f_a90f);
}
