//! What the server does. Streams are answered with what they carry, and datagrams, too. A bidirectional
//! stream that begins with a word and a line feed asks for something else:
//!
//! | word | does |
//! |---|---|
//! | `reset CODE` | resets the answer |
//! | `stop CODE` | stops the question |
//! | `hold` | writes until the answer is stopped, and tells `stopped CODE` on a stream of its own |
//! | `close CODE REASON` | closes the connection |
//! | `last` | answers how the last connection that is over has ended |
//!
//! A stream that is reset is told as `reset CODE`, on a stream of its own.

use std::future::poll_fn;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use moq_session::transport::{
    End, Incoming, RecvError, RecvStream, SendError, SendStream, Transport, TransportError,
};
use moq_transport_quinn::ServerConfig;
use moq_transport_quinn::tls::Identity;

/// How the last connection ended.
#[derive(Clone, Default)]
pub(crate) struct Last(Arc<Mutex<String>>);

impl Last {
    fn set(&self, end: &TransportError) {
        let told = match end {
            TransportError::Closed {
                by: End::Peer,
                code,
                reason,
            } => format!("{code} {reason}"),
            other => other.to_string(),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    fn get(&self) -> String {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }
}

/// A server on a port of its own, and its certificate's fingerprint.
///
/// # Errors
/// If no key can be made.
pub(crate) fn config() -> Result<(ServerConfig, String), Box<dyn std::error::Error>> {
    let identity = Identity::generate(&["localhost".into(), "127.0.0.1".into()])?;
    let fingerprint = identity.fingerprint().to_string();
    let config = ServerConfig::default()
        .with_listen(([127, 0, 0, 1], 0).into())
        .with_identity(identity)
        .with_protocols([PROTOCOL]);
    Ok((config, fingerprint))
}

/// Tells where the server is, and ends the process when its stdin ends.
///
/// # Errors
/// If nobody reads.
pub(crate) fn tell(addr: SocketAddr, fingerprint: &str) -> io::Result<()> {
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = io::stdin().read_to_end(&mut rest).is_ok();
        std::process::exit(0);
    });
    writeln!(io::stdout(), "listening {} {fingerprint}", addr.port())
}

/// Serves one connection until its end.
pub(crate) async fn connection(incoming: impl Incoming, last: Last) {
    let protocol = incoming.protocols().first().cloned();
    let Ok(mut connection) = incoming.accept(protocol.as_deref()).await else {
        return;
    };
    let (uni, bidi) = (connection.clone(), connection.clone());
    let datagrams = connection.clone();
    tokio::select! {
        () = accept_uni(uni) => {}
        () = accept_bi(bidi, last.clone()) => {}
        () = echo_datagrams(datagrams) => {}
    }
    let end = poll_fn(|cx| connection.poll_closed(cx)).await;
    last.set(&end);
}

async fn accept_uni<T: Transport>(mut connection: T) {
    while let Ok(mut recv) = poll_fn(|cx| connection.poll_accept_uni(cx)).await {
        let mut back = connection.clone();
        tokio::spawn(async move {
            let (bytes, end) = read(&mut recv).await;
            let told = match end {
                Ok(()) => bytes,
                Err(RecvError::Reset(code)) => format!("reset {code}").into(),
                Err(_) => return,
            };
            say(&mut back, told).await;
        });
    }
}

async fn accept_bi<T: Transport>(mut connection: T, last: Last) {
    while let Ok((send, recv)) = poll_fn(|cx| connection.poll_accept_bi(cx)).await {
        tokio::spawn(answer(connection.clone(), send, recv, last.clone()));
    }
}

async fn echo_datagrams<T: Transport>(mut connection: T) {
    while let Ok(payload) = poll_fn(|cx| connection.poll_recv_datagram(cx)).await {
        connection.send_datagram(payload);
    }
}

async fn answer<T: Transport>(mut connection: T, mut send: T::Send, mut recv: T::Recv, last: Last) {
    let mut bytes = Vec::new();
    let line = loop {
        match poll_fn(|cx| recv.poll_read_chunk(cx)).await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break String::new(),
            Err(RecvError::Reset(code)) => {
                return say(&mut connection, format!("reset {code}").into()).await;
            }
            Err(_) => return,
        }
        if bytes.ends_with(b"\n") {
            break String::from_utf8_lossy(&bytes).trim().to_owned();
        }
    };
    let mut words = line.splitn(3, ' ');
    let (word, code) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let code: u32 = code.parse().unwrap_or(0);
    match word {
        "reset" => send.reset(code),
        "stop" => {
            recv.stop(code);
            finish(send, b"stopped".as_slice().into()).await;
        }
        "close" => connection.close(code, words.next().unwrap_or("")),
        "last" => finish(send, last.get().into()).await,
        "hold" => {
            let stopped = write(&mut send, vec![0; 64 << 20].into()).await;
            send.reset(0);
            if let Err(SendError::Stopped(code)) = stopped {
                say(&mut connection, format!("stopped {code}").into()).await;
            }
        }
        _ => finish(send, bytes.into()).await,
    }
}

/// Sends these bytes on a stream of their own.
async fn say<T: Transport>(connection: &mut T, bytes: Bytes) {
    if let Ok(send) = poll_fn(|cx| connection.poll_open_uni(cx)).await {
        finish(send, bytes).await;
    }
}

async fn finish<S: SendStream>(mut send: S, bytes: Bytes) {
    // The peer may have gone, or not want it.
    let _ = write(&mut send, bytes).await.is_ok();
    send.finish();
    let _ = poll_fn(|cx| send.poll_closed(cx)).await.is_ok();
}

async fn write<S: SendStream>(send: &mut S, bytes: Bytes) -> Result<(), SendError> {
    let mut chunks = [bytes];
    while !chunks[0].is_empty() {
        poll_fn(|cx| send.poll_write_chunks(cx, &mut chunks)).await?;
    }
    Ok(())
}

async fn read<R: RecvStream>(recv: &mut R) -> (Bytes, Result<(), RecvError>) {
    let mut bytes = Vec::new();
    loop {
        match poll_fn(|cx| recv.poll_read_chunk(cx)).await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return (bytes.into(), Ok(())),
            Err(error) => return (bytes.into(), Err(error)),
        }
    }
}

/// The name that both ends know.
const PROTOCOL: &str = "moq-lite-06";
