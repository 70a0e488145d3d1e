//! The fingerprint that a development server hands out over plain HTTP.

use std::io;
use std::str::FromStr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tls::Fingerprint;

/// Fetches `/certificate.sha256`. Cancel safe: nothing is kept.
///
/// # Errors
/// The network's, or one that says what is wrong with the answer.
pub async fn fetch(host: &str, port: u16, authority: &str) -> io::Result<Fingerprint> {
    let mut stream = TcpStream::connect((host, port)).await?;
    let request = format!(
        "GET /certificate.sha256 HTTP/1.1\r\nHost: {authority}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    read(&String::from_utf8_lossy(&answer))
}

/// Reads the fingerprint out of an HTTP response.
fn read(answer: &str) -> io::Result<Fingerprint> {
    let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason);
    let mut status_line = answer.split_ascii_whitespace();
    let http = status_line
        .next()
        .is_some_and(|version| version.starts_with("HTTP/1."));
    let status = status_line
        .next()
        .and_then(|status| u16::from_str(status).ok());
    match status {
        Some(200) if http => {}
        Some(status) if http => return Err(invalid(&format!("the server answered {status}"))),
        _ => return Err(invalid("the answer is not HTTP")),
    }
    let (_, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| invalid("the answer is cut"))?;
    // Looking for the digits spares decoding a chunked body.
    body.split_ascii_whitespace()
        .find_map(|word| word.parse().ok())
        .ok_or_else(|| invalid("the answer holds no fingerprint"))
}

/// Bytes of a whole answer; what is needed of it is 64.
const MAX_ANSWER: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_found_in_plain_and_chunked_bodies() {
        let hex = "ab".repeat(32);
        for answer in [
            format!("HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n{hex}"),
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n{hex}\n\r\n0\r\n\r\n"
            ),
        ] {
            assert_eq!(read(&answer).unwrap().to_string(), hex);
        }
    }

    #[test]
    fn other_answers_say_what_is_wrong() {
        for (answer, reason) in [
            ("HTTP/1.1 404 Not Found\r\n\r\n", "404"),
            ("HTTP/1.1 200 OK\r\n", "cut"),
            ("HTTP/1.1 200 OK\r\n\r\nhello", "no fingerprint"),
            ("SSH-2.0-x 200", "not HTTP"),
        ] {
            assert!(
                read(answer).unwrap_err().to_string().contains(reason),
                "{answer}"
            );
        }
    }
}
