//! Requests: what a client asks for, by the head of a request stream.

use sfv::{List, ListEntry, Parser};
use url::Url;
use web_transport_proto::ConnectRequest;
use web_transport_proto::http::{HeaderName, HeaderValue};

use super::code::{H3_MESSAGE_ERROR, QPACK_DECOMPRESSION_FAILED};
use super::fault::Fault;
use super::fields::{self, Field, FieldsError};

/// What a client asks for.
#[derive(Debug)]
pub(crate) enum Asking {
    /// A WebTransport session.
    Session(Box<ConnectRequest>),
    /// Something else, which is answered with this status.
    Other(u16),
}

/// Reads the payload of a HEADERS frame.
///
/// # Errors
/// A fault of the connection where it cannot be decoded, one of the stream where it is no request.
///
/// Draft: RFC 9114, HTTP Message Framing.
pub(super) fn read(payload: &[u8]) -> Result<Asking, Fault> {
    let fields = match fields::decode(payload) {
        Ok(fields) => fields,
        Err(FieldsError::TooLarge) => return Ok(Asking::Other(431)),
        Err(FieldsError::Malformed) => {
            let reason = "a field section that cannot be decoded";
            return Err(Fault::of_connection(QPACK_DECOMPRESSION_FAILED, reason));
        }
    };
    let head = Head::of(&fields)?;
    match (head.method, head.protocol) {
        (b"CONNECT", Some(b"webtransport" | b"webtransport-h3")) => Ok(head.session()),
        (b"CONNECT", Some(_)) => Ok(Asking::Other(501)),
        (b"GET" | b"HEAD", None) => Ok(Asking::Other(404)),
        _ => Ok(Asking::Other(405)),
    }
}

/// A request's parts.
struct Head<'a> {
    method: &'a [u8],
    scheme: &'a [u8],
    authority: &'a [u8],
    path: &'a [u8],
    protocol: Option<&'a [u8]>,
    headers: &'a [Field],
}

impl<'a> Head<'a> {
    /// Checks the fields as HTTP/3 wants it, and finds those of the protocol itself.
    fn of(fields: &'a [Field]) -> Result<Self, Fault> {
        let is_pseudo = |field: &Field| field.name.first() == Some(&b':');
        let headers_at = fields.iter().take_while(|field| is_pseudo(field)).count();
        let (pseudo, headers) = fields.split_at(headers_at);
        for (place, field) in pseudo.iter().enumerate() {
            let is_known = PSEUDO.contains(&field.name.as_slice());
            let is_again = pseudo[..place].iter().any(|old| old.name == field.name);
            if !is_known || is_again || !is_value(&field.value) {
                return Err(malformed("a pseudo-header field that may not be there"));
            }
        }
        if !headers.iter().all(is_header) {
            return Err(malformed("a header field that may not be there"));
        }
        let of_name = |name: &[u8]| pseudo.iter().find(|field| field.name == name);
        let value = |name: &[u8]| of_name(name).map(|field| field.value.as_slice());
        let head = Self {
            method: value(b":method").ok_or_else(|| malformed("a request without a method"))?,
            scheme: value(b":scheme").unwrap_or_default(),
            authority: value(b":authority").unwrap_or_default(),
            path: value(b":path").unwrap_or_default(),
            protocol: value(b":protocol"),
            headers,
        };
        let is_tunnel = head.method == b"CONNECT" && head.protocol.is_none();
        if is_tunnel {
            let has_target = value(b":scheme").is_some() || value(b":path").is_some();
            if has_target || head.authority.is_empty() {
                return Err(malformed(
                    "a CONNECT request with another target than its authority",
                ));
            }
        } else if head.scheme.is_empty() || head.path.is_empty() {
            return Err(malformed("a request without a scheme or a path"));
        }
        let of_host = |field: &&Field| field.name == b"host";
        let host = headers
            .iter()
            .find(of_host)
            .map(|field| field.value.as_slice());
        let is_named = match host {
            Some(host) => head.authority.is_empty() || head.authority == host,
            None => !head.authority.is_empty(),
        };
        if !is_named || head.authority.contains(&b'@') {
            return Err(malformed("a request to no server, to two, or by a user"));
        }
        if head.protocol.is_some() && (head.method != b"CONNECT" || head.authority.is_empty()) {
            return Err(malformed("an extended CONNECT request that is none"));
        }
        Ok(head)
    }

    /// A request for a WebTransport session, or the status that refuses one to nowhere.
    fn session(&self) -> Asking {
        let url = [b"https://", self.authority, self.path].concat();
        let url = str::from_utf8(&url)
            .ok()
            .and_then(|url| url.parse::<Url>().ok());
        let Some(url) = url.filter(|_| self.scheme == b"https" && self.path[0] == b'/') else {
            return Asking::Other(400);
        };
        let mut request = ConnectRequest::new(url).with_protocols(self.protocols());
        for Field { name, value } in self.headers {
            let name = HeaderName::from_bytes(name).ok();
            let value = HeaderValue::from_bytes(value).ok();
            if let (Some(name), Some(value)) = (name, value) {
                request = request.with_header(name, value);
            }
        }
        Asking::Session(Box::new(request))
    }

    /// The names in the list of protocols. One that is no list of strings is as good as none.
    fn protocols(&self) -> Vec<String> {
        let lists = self.headers.iter().filter(|field| field.name == PROTOCOLS);
        let lists: Vec<_> = lists.map(|field| field.value.as_slice()).collect();
        let list = Parser::new(&lists.join(&b", "[..])).parse::<List>();
        let names = list.ok().and_then(|list| {
            let name = |entry: &ListEntry| match entry {
                ListEntry::Item(item) => Some(item.bare_item.as_string()?.as_str().to_owned()),
                ListEntry::InnerList(_) => None,
            };
            list.iter().map(name).collect()
        });
        names.unwrap_or_default()
    }
}

/// Whether a header field may be in a request of HTTP/3.
fn is_header(field: &Field) -> bool {
    let is_name = !field.name.is_empty() && field.name.iter().all(|byte| is_name_byte(*byte));
    let is_of_connection = OF_CONNECTION.contains(&field.name.as_slice())
        || field.name == b"te" && field.value != b"trailers";
    is_name && is_value(&field.value) && !is_of_connection
}

fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9') || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_value(value: &[u8]) -> bool {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_control = value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'));
    !is_control && !is_space(value.first()) && !is_space(value.last())
}

fn malformed(reason: &'static str) -> Fault {
    Fault::of_stream(H3_MESSAGE_ERROR, reason)
}

/// The pseudo-header fields that requests have.
const PSEUDO: [&[u8]; 5] = [
    b":method",
    b":scheme",
    b":authority",
    b":path",
    b":protocol",
];

/// The header fields that are about a connection of HTTP/1.
const OF_CONNECTION: [&[u8]; 5] = [
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"transfer-encoding",
    b"upgrade",
];

/// The header field that lists the protocols of a session.
const PROTOCOLS: &[u8] = b"wt-available-protocols";

#[cfg(test)]
pub(super) mod tests;
