//! Requests, well and malformed.

use super::*;

/// A field section without compression.
pub(in crate::http3) fn section(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    let string = |bytes: &mut Vec<u8>, mark: u8, bits: u32, text: &str| {
        let most = (1 << bits) - 1;
        match text.len() {
            short if short < most => bytes.push(mark | u8::try_from(short).unwrap()),
            long => {
                bytes.push(mark | u8::try_from(most).unwrap());
                bytes.push(u8::try_from(long - most).unwrap());
            }
        }
        bytes.extend_from_slice(text.as_bytes());
    };
    for (name, value) in fields {
        string(&mut bytes, 0x20, 3, name);
        string(&mut bytes, 0, 7, value);
    }
    bytes
}

const SESSION: [(&str, &str); 5] = [
    (":method", "CONNECT"),
    (":scheme", "https"),
    (":authority", "relay.example"),
    (":path", "/room?x=1"),
    (":protocol", "webtransport"),
];

fn with(change: impl FnOnce(&mut Vec<(&'static str, &'static str)>)) -> Result<Asking, Fault> {
    let mut fields = SESSION.to_vec();
    change(&mut fields);
    read(&section(&fields))
}

fn request(asking: Result<Asking, Fault>) -> ConnectRequest {
    match asking {
        Ok(Asking::Session(request)) => *request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_is_asked_for_by_either_name() {
    for name in ["webtransport", "webtransport-h3"] {
        let request = request(with(|fields| {
            fields[4].1 = name;
            fields.push(("origin", "https://page.example"));
            fields.push(("wt-available-protocols", "\"moq-lite-06\", \"a\";q=1"));
            fields.push(("wt-available-protocols", "\"b\""));
        }));
        assert_eq!(request.url.as_str(), "https://relay.example/room?x=1");
        assert_eq!(request.protocols, ["moq-lite-06", "a", "b"]);
        assert_eq!(request.headers["origin"], "https://page.example");
    }
    let none = request(with(|fields| {
        fields.push(("wt-available-protocols", "1, ("))
    }));
    assert!(none.protocols.is_empty());
}

#[test]
fn what_is_no_webtransport_request_has_a_status() {
    let other = |fields: &[(&str, &str)]| match read(&section(fields)) {
        Ok(Asking::Other(status)) => status,
        other => panic!("{other:?}"),
    };
    let plain = |method| {
        [
            (":method", method),
            (":scheme", "https"),
            (":path", "/"),
            ("host", "h"),
        ]
    };
    assert_eq!(other(&plain("GET")), 404);
    assert_eq!(other(&plain("HEAD")), 404);
    assert_eq!(other(&plain("POST")), 405);
    assert_eq!(other(&[(":method", "CONNECT"), (":authority", "h:1")]), 405);
    for (place, value, status) in [
        (1, "http", 400),
        (2, "a b", 400),
        (3, "room", 400),
        (4, "websocket", 501),
    ] {
        let mut fields = SESSION.to_vec();
        fields[place].1 = value;
        assert_eq!(other(&fields), status, "{value}");
    }
    let large = "x".repeat(300);
    let many: Vec<_> = (0..60).map(|_| ("x", large.as_str())).collect();
    assert_eq!(other(&[&SESSION[..], &many].concat()), 431);
}

type Change = fn(&mut Vec<(&str, &str)>);

/// Removes a field, adds one, or puts another in its place.
#[test]
fn malformed_requests_cost_their_stream() {
    let cases: [Change; 20] = [
        |fields| fields.retain(|field| field.0 != SESSION[0].0),
        |fields| fields.retain(|field| field.0 != SESSION[1].0),
        |fields| fields.retain(|field| field.0 != SESSION[2].0),
        |fields| fields.retain(|field| field.0 != SESSION[3].0),
        |fields| fields.retain(|field| field.0 != SESSION[4].0),
        |fields| fields[0].1 = "GET",
        |fields| fields[3].1 = "",
        |fields| fields.push((":path", "/again")),
        |fields| fields.insert(0, ("x", "before")),
        |fields| fields.push((":status", "200")),
        |fields| fields.push((":other", "")),
        |fields| fields.push(("Upper", "")),
        |fields| fields.push(("", "nameless")),
        |fields| fields.push(("connection", "close")),
        |fields| fields.push(("te", "gzip")),
        |fields| fields.push(("x", " y")),
        |fields| fields.push(("x", "y\r\nz")),
        |fields| fields.push(("sp ace", "")),
        |fields| fields.push(("host", "other.example")),
        |fields| fields[2].1 = "user@relay.example",
    ];
    for (number, change) in cases.into_iter().enumerate() {
        let fault = with(change).unwrap_err();
        assert!(!fault.is_of_connection, "{number}");
        assert_eq!(fault.code, H3_MESSAGE_ERROR, "{number}");
    }
}

#[test]
fn fields_that_cannot_be_decoded_cost_the_connection() {
    let fault = read(&[0, 0, 0x80]).unwrap_err();
    assert!(fault.is_of_connection);
    assert_eq!(fault.code, QPACK_DECOMPRESSION_FAILED);
}
