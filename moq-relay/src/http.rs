//! Plain HTTP beside QUIC: the certificate's fingerprint, and a sign of life.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::relay::Shared;

/// Answers requests until it is dropped.
pub(crate) async fn serve(listener: TcpListener, router: Router, connections: Arc<Semaphore>) {
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
        let router = router.clone();
        tokio::spawn(async move {
            answer(stream, remote, router).await;
            drop(permit);
        });
    }
}

/// Answers the one request of a connection.
async fn answer(stream: TcpStream, remote: SocketAddr, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(CONNECTION_DEADLINE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%remote, %error, "HTTP connection broke"),
        Err(_) => tracing::debug!(%remote, "HTTP connection took too long"),
    }
}

/// The pages of a relay. What is none of them goes to the embedder's pages, if there are any.
pub(crate) fn router(shared: &Arc<Shared>, embedders: Option<Router>) -> Router {
    let (health, certificate) = (shared.clone(), shared.clone());
    let own = Router::new()
        .route(
            "/health",
            get(async move || health_page(health.is_draining())),
        )
        .route("/live", get(async || text(StatusCode::OK, "ok\n")))
        .route(
            "/certificate.sha256",
            get(async move || certificate_page(certificate.fingerprint())),
        )
        .method_not_allowed_fallback(async || {
            text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered\n")
        });
    match embedders {
        Some(router) => own.fallback_service(router),
        None => own.fallback(no_page),
    }
}

/// What a load balancer asks for: whether new sessions are welcome.
fn health_page(is_draining: bool) -> Response {
    if is_draining {
        return text(StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    text(StatusCode::OK, "ok\n")
}

fn certificate_page(fingerprint: Option<crate::tls::Fingerprint>) -> Response {
    match fingerprint {
        Some(fingerprint) => text(StatusCode::OK, fingerprint.to_string()),
        None => text(StatusCode::NOT_FOUND, "no certificate\n"),
    }
}

async fn no_page(request: Request) -> Response {
    // Only reading is answered, whatever it is of.
    if request.method().is_safe() {
        return text(StatusCode::NOT_FOUND, "there is no such page\n");
    }
    let allow = [(axum::http::header::ALLOW, "GET, HEAD")];
    let refusal = text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered\n");
    (allow, refusal).into_response()
}

/// A page of text, which the scripts of any page may read.
fn text(status: StatusCode, body: impl Into<String>) -> Response {
    (status, HeaderMap::from_iter(HEADERS), body.into()).into_response()
}

const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    ),
    (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Connections that may be open at once.
pub(crate) const MAX_CONNECTIONS: usize = 256;

/// How long to wait after a failure to accept.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a request's head may take.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);

/// How long a connection may take in all.
const CONNECTION_DEADLINE: Duration = Duration::from_secs(20);
