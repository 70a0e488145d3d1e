//! Plain HTTP beside QUIC: the certificate's fingerprint, and a sign of life.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::server::Server;

/// Listens on a TCP address. Needs a tokio runtime.
///
/// # Errors
/// If the address is taken.
pub(super) fn listen(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        // So that the same port can be had on both families.
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Answers requests until it is dropped.
pub(super) async fn serve(listener: TcpListener, server: impl Server, connections: Arc<Semaphore>) {
    loop {
        let accepted = listener.accept().await;
        let Ok((stream, remote)) = accepted else {
            // Out of file descriptors, most likely; some may come free.
            sleep(PAUSE).await;
            continue;
        };
        let Ok(permit) = connections.clone().try_acquire_owned() else {
            tracing::debug!(%remote, "HTTP connection refused: there are too many");
            continue;
        };
        let server = server.clone();
        tokio::spawn(async move {
            if let Err(error) = answer(stream, &server).await {
                tracing::debug!(%remote, error = format!("{error:#}"), "HTTP connection failed");
            }
            drop(permit);
        });
    }
}

/// Answers the one request of a connection.
async fn answer(stream: TcpStream, server: &impl Server) -> anyhow::Result<()> {
    let service = service_fn(|request: Request<Incoming>| {
        let fingerprint = server.fingerprints().first().map(ToString::to_string);
        let response = respond(request.method(), request.uri().path(), fingerprint);
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let answered = timeout(CONNECTION_DEADLINE, connection).await;
    answered.context("it took too long")?.context("it broke")
}

fn respond(method: &Method, path: &str, fingerprint: Option<String>) -> Response<Full<Bytes>> {
    let text = |status, text: String| {
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    };
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = text(
            StatusCode::METHOD_NOT_ALLOWED,
            "only GET is answered\n".into(),
        );
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match (path, fingerprint) {
        ("/certificate.sha256", Some(fingerprint)) => text(StatusCode::OK, fingerprint),
        ("/health", _) => text(StatusCode::OK, "ok\n".into()),
        _ => text(StatusCode::NOT_FOUND, "there is no such page\n".into()),
    }
}

/// Connections that may be open at once.
pub(super) const MAX_CONNECTIONS: usize = 256;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;

/// How long to wait after a failure to accept.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a request's head may take.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);

/// How long a connection may take in all.
const CONNECTION_DEADLINE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &Method, path: &str) -> StatusCode {
        respond(method, path, Some("ab".into())).status()
    }

    #[test]
    fn only_two_pages_exist_and_only_for_reading() {
        assert_eq!(status(&Method::GET, "/health"), StatusCode::OK);
        assert_eq!(status(&Method::HEAD, "/certificate.sha256"), StatusCode::OK);
        assert_eq!(status(&Method::GET, "/"), StatusCode::NOT_FOUND);
        assert_eq!(
            status(&Method::POST, "/health"),
            StatusCode::METHOD_NOT_ALLOWED
        );
    }

    #[test]
    fn browsers_of_any_page_may_read_the_fingerprint() {
        let response = respond(&Method::GET, "/certificate.sha256", Some("ab".into()));
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(
            response.headers()[CONTENT_TYPE],
            "text/plain; charset=utf-8"
        );
    }
}
