//! The example `embedded`, with clients of both bindings.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

#[path = "../examples/embedded.rs"]
#[expect(dead_code, reason = "its main is for people")]
mod embedded;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use moq_relay::Relay;
use moq_session::{Session, Subscription, TrackRead};
use moq_transport_quinn::{Client, ClientConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

/// Nothing takes this long, unless it hangs.
const DEADLINE: Duration = Duration::from_secs(20);

fn start() -> Relay {
    embedded::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap()
}

async fn connect(relay: &Relay, scheme: &str, query: &str) -> Result<Session, String> {
    let url = format!("{scheme}://{}/?{query}", relay.addrs()[0]);
    let config = ClientConfig::default().with_fingerprint(relay.fingerprint().unwrap());
    let client = Client::new(config);
    let connection = client.connect(Url::parse(&url).unwrap()).await;
    let connection = connection.map_err(|error| error.to_string())?;
    let session = Session::connect(connection).await;
    session.map_err(|error| error.to_string())
}

/// The relay's answer to a request of this path, head and body.
async fn page(relay: &Relay, path: &str) -> String {
    let mut stream = TcpStream::connect(relay.http_addrs()[0]).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_clock_comes_to_those_who_know_the_password() {
    let relay = start();
    let clock = embedded::Clock::publish(&relay).unwrap();
    for scheme in ["https", "moqt"] {
        let session = connect(&relay, scheme, "password=tick").await.unwrap();
        let seconds = session.track("clock", "seconds").unwrap();
        let mut reader = seconds.subscribe(Subscription::default()).ordered();
        let told = async {
            clock.seconds.used().await;
            clock.tick().unwrap();
        };
        let read = async {
            loop {
                if let Some(TrackRead::Frame { frame, .. }) = reader.next().await.unwrap() {
                    return frame.payload;
                }
            }
        };
        let both = timeout(DEADLINE, async { tokio::join!(told, read) });
        let ((), payload) = both.await.expect(scheme);
        let text = String::from_utf8(payload.to_vec()).unwrap();
        assert!(text.parse::<u64>().unwrap() > 1_700_000_000, "{text}");
    }
    timeout(DEADLINE, relay.close()).await.unwrap();
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let relay = start();
    let refused = connect(&relay, "https", "password=tock").await;
    assert!(refused.is_err());
    // Raw QUIC knows the query only when the connection is there.
    if let Ok(session) = connect(&relay, "moqt", "password=tock").await {
        timeout(DEADLINE, session.closed()).await.unwrap();
    }
}

#[tokio::test]
async fn pages_of_the_program_and_of_the_relay_are_served() {
    let relay = start();
    assert!(page(&relay, "/hello").await.ends_with("Hello\n"));
    assert!(page(&relay, "/health").await.starts_with("HTTP/1.1 200"));
    let fingerprint = relay.fingerprint().unwrap().to_string();
    let certificate = page(&relay, "/certificate.sha256").await;
    assert!(certificate.ends_with(&fingerprint), "{certificate}");
    assert!(certificate.contains("access-control-allow-origin: *"));
    assert!(page(&relay, "/nothing").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_relay_that_drains_asks_its_peers_to_leave() {
    let relay = start();
    let session = connect(&relay, "https", "password=tick").await.unwrap();
    session.set_up().await;
    let http = relay.http_addrs()[0];
    let mut leave = session.going_away();
    let drained = tokio::spawn(relay.drain(DEADLINE));
    let asked = timeout(DEADLINE, leave.wait_for(Option::is_some)).await;
    assert_eq!(asked.unwrap().unwrap().as_deref(), Some(""));
    let mut stream = TcpStream::connect(http).await.unwrap();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    // The session may be over by now, and with it the relay.
    if stream.read_to_string(&mut answer).await.is_ok() && !answer.is_empty() {
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    }
    drop(session);
    timeout(DEADLINE, drained).await.unwrap().unwrap();
}
