//! Datagrams: which stream they belong to.

use bytes::Bytes;

use super::code::H3_DATAGRAM_ERROR;
use super::fault::Fault;
use super::varint::Varint;

/// Takes the number of the stream that a datagram belongs to off its front.
///
/// # Errors
/// A fault of the connection where there is no such number.
///
/// Draft: RFC 9297, HTTP/3 Datagrams.
pub(crate) fn datagram_stream(datagram: &mut Bytes) -> Result<u64, Fault> {
    let quarter = Varint::default().take(datagram);
    match quarter.filter(|quarter| *quarter <= MAX_QUARTER) {
        Some(quarter) => Ok(quarter * 4),
        None => {
            let reason = "a datagram that names no stream";
            Err(Fault::of_connection(H3_DATAGRAM_ERROR, reason))
        }
    }
}

/// A quarter of the number of the last stream that a client can open.
const MAX_QUARTER: u64 = (1 << 60) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_names_its_stream_in_any_length() {
        for datagram in [&[2, 7][..], &[0x40, 2, 7], &[0x80, 0, 0, 2, 7]] {
            let mut datagram = Bytes::copy_from_slice(datagram);
            assert_eq!(datagram_stream(&mut datagram), Ok(8));
            assert_eq!(datagram, &[7][..]);
        }
        let last = [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        let beyond = [0xd0, 0, 0, 0, 0, 0, 0, 0];
        assert!(datagram_stream(&mut Bytes::copy_from_slice(&last)).is_ok());
        for datagram in [&[][..], &[0x40], &beyond] {
            let fault = datagram_stream(&mut Bytes::copy_from_slice(datagram)).unwrap_err();
            assert_eq!(fault.code, H3_DATAGRAM_ERROR);
        }
    }
}
