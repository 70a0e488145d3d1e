//! Answers to requests that are for no session.

use super::varint;

/// An answer with a status and a line of text.
pub(crate) fn answer(status: u16) -> Vec<u8> {
    let status = status.to_string();
    // `:status` and `content-type: text/plain;charset=utf-8` of the static table.
    let fields = [&[0, 0, 0x5f, 0x09, 0x03], status.as_bytes(), &[0xf6]].concat();
    let mut answer = Vec::new();
    for (kind, payload) in [(HEADERS, &fields[..]), (DATA, TEXT)] {
        varint::put(&mut answer, kind);
        varint::put(&mut answer, payload.len() as u64);
        answer.extend_from_slice(payload);
    }
    answer
}

/// A HEADERS frame.
pub(super) const HEADERS: u64 = 0x1;

/// A DATA frame.
pub(super) const DATA: u64 = 0x0;

const TEXT: &[u8] = b"Sessions of WebTransport are served here, and nothing else.\n";

#[cfg(test)]
mod tests {
    use super::*;
    use web_transport_proto::{ConnectError, ConnectResponse};

    #[test]
    fn others_read_the_status() {
        for status in [400, 404, 405, 431, 501] {
            let answer = answer(status);
            match ConnectResponse::decode(&mut &answer[..]) {
                Err(ConnectError::WrongStatus(Some(read))) => assert_eq!(read, status),
                other => panic!("{other:?}"),
            }
            assert!(answer.ends_with(TEXT));
        }
    }
}
