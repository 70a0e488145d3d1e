//! From addresses to the first connection that works.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use moq_transport_common::ConnectError;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use crate::endpoint::local_for;

/// Orders addresses for a race: the families in turn, IPv6 first.
pub(crate) fn interleave(addrs: impl IntoIterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let (mut v6, mut v4): (VecDeque<_>, VecDeque<_>) =
        addrs.into_iter().partition(SocketAddr::is_ipv6);
    let mut order = VecDeque::with_capacity(v6.len() + v4.len());
    while !(v6.is_empty() && v4.is_empty()) {
        order.extend(v6.pop_front());
        order.extend(v4.pop_front());
    }
    order
}

/// Tries one address after the other, the next when one fails or 250 ms have passed, and returns
/// the first success. The other attempts are dropped, as are all if this future is.
///
/// # Errors
/// The most telling error, when all have failed.
pub(crate) async fn race<T, F>(
    mut addrs: VecDeque<SocketAddr>,
    attempt: impl Fn(SocketAddr) -> F,
) -> Result<T, ConnectError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, ConnectError>> + Send + 'static,
{
    let mut attempts = JoinSet::new();
    let mut failure: Option<ConnectError> = None;
    loop {
        if let Some(addr) = addrs.pop_front() {
            attempts.spawn(attempt(addr));
        }
        let ended = match addrs.is_empty() {
            true => attempts.join_next().await,
            false => match tokio::time::timeout(STAGGER, attempts.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            },
        };
        match ended {
            Some(Ok(Ok(connection))) => return Ok(connection),
            Some(Ok(Err(error))) => {
                if failure
                    .as_ref()
                    .is_none_or(|known| weight(&error) > weight(known))
                {
                    failure = Some(error);
                }
            }
            // An attempt that panicked has failed, too.
            Some(Err(_)) => {}
            None => return Err(failure.unwrap_or(ConnectError::BadUrl("its host has no address"))),
        }
    }
}

/// How much an attempt's error says about the server, as opposed to one way to it.
fn weight(error: &ConnectError) -> u8 {
    match error {
        ConnectError::Certificate { .. } | ConnectError::NoCommonVersion => 4,
        ConnectError::Unreachable { .. } | ConnectError::Socket(_) => 1,
        ConnectError::Refused { .. } => 2,
        _ => 3,
    }
}

/// Runs a handshake, but ends early when the system learns that nothing listens at `addr`.
///
/// quinn's socket talks to many peers, so ICMP errors are lost on it. A socket connected to `addr`
/// gets them: it sends one empty datagram, which a QUIC server ignores.
pub(crate) async fn unless_refused<T>(
    handshake: impl Future<Output = Result<T, ConnectError>>,
    addr: SocketAddr,
    bind: Option<std::net::IpAddr>,
) -> Result<T, ConnectError> {
    let mut handshake = pin!(handshake);
    let mut probe = pin!(probe(addr, bind));
    let mut probing = true;
    poll_fn(|cx| {
        if let Poll::Ready(result) = handshake.as_mut().poll(cx) {
            return Poll::Ready(result);
        }
        if probing && let Poll::Ready(verdict) = probe.as_mut().poll(cx) {
            probing = false;
            if let Some(error) = verdict {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Pending
    })
    .await
}

/// Waits for an ICMP error from `addr`; `None` if the probe itself does not work.
async fn probe(addr: SocketAddr, bind: Option<std::net::IpAddr>) -> Option<ConnectError> {
    let socket = UdpSocket::bind(local_for(addr, bind)).await.ok()?;
    let sent = async {
        socket.connect(addr).await?;
        socket.send(&[]).await?;
        // Whatever a peer answers is no error, and no reason to go on reading.
        socket.recv(&mut [0; 1]).await
    };
    match sent.await.err()?.kind() {
        io::ErrorKind::ConnectionRefused => Some(ConnectError::Refused { addr }),
        kind @ (io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            Some(ConnectError::Unreachable {
                addr,
                source: kind.into(),
            })
        }
        _ => None,
    }
}

/// How long an attempt is alone before the next begins.
const STAGGER: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn families_take_turns() {
        let mixed = ["1.1.1.1:1", "1.1.1.2:1", "1.1.1.3:1", "[::1]:1", "[::2]:1"].map(addr);
        let expected = ["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "1.1.1.3:1"].map(addr);
        assert_eq!(interleave(mixed), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_delays_the_next_one_a_little() {
        let addrs = [addr("[::1]:1"), addr("127.0.0.1:1")];
        let begin = tokio::time::Instant::now();
        let won = race(interleave(addrs), |addr| async move {
            if addr.is_ipv6() {
                std::future::pending::<()>().await;
            }
            Ok(addr)
        });
        assert_eq!(won.await.unwrap(), addrs[1]);
        assert_eq!(begin.elapsed(), STAGGER);
    }

    #[tokio::test(start_paused = true)]
    async fn the_most_telling_failure_is_reported() {
        let addrs = [addr("[::1]:1"), addr("127.0.0.1:1")];
        let begin = tokio::time::Instant::now();
        let failed = race::<(), _>(interleave(addrs), |addr| async move {
            Err(match addr {
                SocketAddr::V6(_) => ConnectError::NoCommonVersion,
                SocketAddr::V4(_) => ConnectError::Refused { addr },
            })
        });
        assert!(matches!(failed.await, Err(ConnectError::NoCommonVersion)));
        assert!(
            begin.elapsed().is_zero(),
            "a failure starts the next attempt at once"
        );
    }
}
