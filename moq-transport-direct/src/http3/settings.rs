//! SETTINGS: what a client's are checked for, and this end's own.

use bytes::{Buf, Bytes};

use super::code::{H3_FRAME_ERROR, H3_SETTINGS_ERROR};
use super::fault::Fault;
use super::varint::{self, Varint};

/// Checks the payload of a client's SETTINGS frame.
///
/// What a client can do is seen from what it asks for, so nothing of it is kept.
///
/// # Errors
/// A fault of the connection.
///
/// Draft: RFC 9114, SETTINGS.
pub(super) fn check(mut payload: Bytes) -> Result<(), Fault> {
    let mut seen = Vec::new();
    while payload.has_remaining() {
        let id = Varint::default().take(&mut payload);
        let value = Varint::default().take(&mut payload);
        let (Some(id), Some(value)) = (id, value) else {
            let reason = "a setting that is cut off";
            return Err(Fault::of_connection(H3_FRAME_ERROR, reason));
        };
        if OF_HTTP2.contains(&id) || is_switch(id) && value > 1 {
            let reason = "a setting that may not be sent, or not with its value";
            return Err(Fault::of_connection(H3_SETTINGS_ERROR, reason));
        }
        seen.push(id);
    }
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) {
        let reason = "a setting that is sent twice";
        return Err(Fault::of_connection(H3_SETTINGS_ERROR, reason));
    }
    Ok(())
}

/// What this end's control stream begins with: its type, and the SETTINGS frame.
pub(crate) fn our_settings() -> Vec<u8> {
    let mut payload = Vec::new();
    for (id, value) in OURS {
        varint::put(&mut payload, id);
        varint::put(&mut payload, value);
    }
    let mut stream = Vec::new();
    varint::put(&mut stream, CONTROL);
    varint::put(&mut stream, SETTINGS);
    varint::put(&mut stream, payload.len() as u64);
    stream.extend_from_slice(&payload);
    stream
}

fn is_switch(id: u64) -> bool {
    [ENABLE_CONNECT_PROTOCOL, H3_DATAGRAM].contains(&id)
}

/// The type of a control stream.
pub(super) const CONTROL: u64 = 0x0;

/// The type of a SETTINGS frame.
pub(super) const SETTINGS: u64 = 0x4;

/// What this end says. WebTransport has an id of its own in each group of drafts, and clients look
/// for one of them. One session at a time means that there is no flow control of sessions.
const OURS: [(u64, u64); 9] = [
    (MAX_FIELD_SECTION_SIZE, super::fields::MAX_FIELDS as u64),
    (ENABLE_CONNECT_PROTOCOL, 1),
    (H3_DATAGRAM, 1),
    (H3_DATAGRAM_04, 1),
    (ENABLE_WEBTRANSPORT_02, 1),
    (MAX_SESSIONS_02, 1),
    (MAX_SESSIONS_07, 1),
    (MAX_SESSIONS_13, 1),
    (WT_ENABLED_15, 1),
];

/// The most bytes of fields that this end reads.
const MAX_FIELD_SECTION_SIZE: u64 = 0x6;

/// Whether a CONNECT request may name a protocol.
const ENABLE_CONNECT_PROTOCOL: u64 = 0x8;

/// Whether datagrams are read.
const H3_DATAGRAM: u64 = 0x33;

/// The same, in the draft that Chromium began with.
const H3_DATAGRAM_04: u64 = 0xff_d277;

/// WebTransport in drafts 2 to 6, and how many sessions: Chromium, Firefox.
const ENABLE_WEBTRANSPORT_02: u64 = 0x2b60_3742;
const MAX_SESSIONS_02: u64 = 0x2b60_3743;

/// WebTransport in drafts 7 to 12.
const MAX_SESSIONS_07: u64 = 0xc671_706a;

/// WebTransport in drafts 13 and 14: Safari 26.4.
const MAX_SESSIONS_13: u64 = 0x14e9_cd29;

/// WebTransport from draft 15 on.
const WT_ENABLED_15: u64 = 0x2c7c_f000;

/// Settings of HTTP/2 that have no place in HTTP/3.
const OF_HTTP2: [u64; 4] = [0x2, 0x3, 0x4, 0x5];

#[cfg(test)]
mod tests {
    use super::*;
    use web_transport_proto::Settings;

    #[test]
    fn others_see_webtransport_in_this_ends_settings() {
        let settings = Settings::decode(&mut &our_settings()[..]).unwrap();
        assert_eq!(settings.supports_webtransport(), 1);
        assert_eq!(settings.len(), OURS.len());
    }

    #[test]
    fn settings_of_browsers_pass() {
        let others = [(0x1, 65_536), (0x6, 16_384), (0x7, 100), (0x1_f00d, 7)];
        let mut payload = Vec::new();
        for (id, value) in others.into_iter().chain(OURS.into_iter().skip(1)) {
            varint::put(&mut payload, id);
            varint::put(&mut payload, value);
        }
        assert_eq!(check(payload.into()), Ok(()));
        assert_eq!(check(Bytes::new()), Ok(()));
    }

    #[test]
    fn what_may_not_be_set_is_a_fault() {
        for (payload, code) in [
            (&[2, 0][..], H3_SETTINGS_ERROR),
            (&[3, 1], H3_SETTINGS_ERROR),
            (&[4, 1], H3_SETTINGS_ERROR),
            (&[5, 1], H3_SETTINGS_ERROR),
            (&[8, 2], H3_SETTINGS_ERROR),
            (&[0x33, 2], H3_SETTINGS_ERROR),
            (&[6, 1, 7, 1, 6, 1], H3_SETTINGS_ERROR),
            (&[6], H3_FRAME_ERROR),
            (&[6, 0x40], H3_FRAME_ERROR),
        ] {
            let fault = check(Bytes::from_static(payload)).unwrap_err();
            assert_eq!(fault.code, code, "{payload:?}");
            assert!(fault.is_of_connection);
        }
    }
}
