//! Where a peer that goes away may send this end.

/// Where a peer that goes away may send this end.
///
/// What is dialled is always as secure as what was, and a query, which may hold a credential, is
/// taken along to the same authority only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Redirects {
    /// Nowhere: this end comes back to where it was.
    Refused,
    /// To another path at the authority that was dialled, which is host and port.
    #[default]
    SameAuthority,
    /// To any authority.
    Anywhere,
}

impl Redirects {
    /// What to dial instead of `from` for a peer that names `to`; `None` if this end does not go
    /// there.
    #[must_use]
    pub fn target(self, from: &str, to: &str) -> Option<String> {
        let (from, to) = (Uri::parse(from)?, Uri::parse(to)?);
        let is_same = from.is_at(&to);
        let is_allowed = match self {
            Self::Refused => false,
            Self::SameAuthority => is_same,
            Self::Anywhere => true,
        };
        if !is_allowed || !from.is_as_secure_as(&to) {
            return None;
        }
        let Uri {
            scheme,
            authority,
            path,
            ..
        } = to;
        let carried = from.query.filter(|_| is_same);
        let query = to.query.or(carried);
        let (mark, query) = query.map_or(("", ""), |query| ("?", query));
        Some(format!("{scheme}://{authority}{path}{mark}{query}"))
    }
}

/// The parts of a URI that matter here.
struct Uri<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Uri<'a> {
    /// Takes apart what has a scheme and a host, and nothing in it that two readers could take for
    /// different things.
    fn parse(text: &'a str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte);
        if !text.bytes().all(is_plain) {
            return None;
        }
        let text = text.split_once('#').map_or(text, |(text, _)| text);
        let (scheme, rest) = text.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let uri = Self {
            scheme,
            authority,
            path,
            query,
        };
        let (host, port) = uri.host_and_port();
        let is_port = port.is_empty() || port.parse::<u16>().is_ok();
        let is_host = !host.is_empty() && !host.contains(['@', '%']);
        (is_host && is_port).then_some(uri)
    }

    /// The host, and the port as it is written.
    fn host_and_port(&self) -> (&'a str, &'a str) {
        let after_host = self.authority.rfind(']').map_or(0, |at| at + 1);
        match self
            .authority
            .get(after_host..)
            .and_then(|rest| rest.find(':'))
        {
            Some(at) => {
                let (host, port) = self.authority.split_at(after_host + at);
                (host, port.trim_start_matches(':'))
            }
            None => (self.authority, ""),
        }
    }

    fn is_at(&self, other: &Uri<'_>) -> bool {
        let ((host, port), (other_host, other_port)) =
            (self.host_and_port(), other.host_and_port());
        let number = |port: &str| port.parse::<u16>().unwrap_or(DEFAULT_PORT);
        host.eq_ignore_ascii_case(other_host) && number(port) == number(other_port)
    }

    /// Whether nobody on the way learns or changes more at `to` than here.
    fn is_as_secure_as(&self, to: &Uri<'_>) -> bool {
        let is_secure = |scheme: &str| SECURE.iter().any(|name| scheme.eq_ignore_ascii_case(name));
        is_secure(to.scheme) || self.scheme.eq_ignore_ascii_case(to.scheme)
    }
}

/// The port of every binding, where none is given.
const DEFAULT_PORT: u16 = 443;
/// The schemes of bindings with TLS.
const SECURE: [&str; 4] = ["https", "moqt", "moql", "wss"];

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "https://relay.example/room?jwt=secret";

    fn target(policy: Redirects, to: &str) -> Option<String> {
        policy.target(HOME, to)
    }

    #[test]
    fn by_default_only_the_same_authority_is_dialled() {
        let same = |to| target(Redirects::default(), to);
        for to in [
            "https://relay.example/b?jwt=x",
            "https://RELAY.example:443/b?jwt=x",
        ] {
            assert_eq!(same(to).as_deref(), Some(to));
        }
        for to in [
            "https://other.example/room",
            "https://relay.example:4443/room",
            "https://relay.example.evil/room",
            "https://sub.relay.example/",
        ] {
            assert_eq!(same(to), None, "{to}");
            assert_eq!(target(Redirects::Anywhere, to).as_deref(), Some(to));
            assert_eq!(target(Redirects::Refused, to), None);
        }
        assert_eq!(target(Redirects::Refused, HOME), None);
    }

    #[test]
    fn a_credential_never_goes_to_another_authority() {
        let anywhere = |to| target(Redirects::Anywhere, to);
        assert_eq!(
            anywhere("moqt://relay.example/b#part").as_deref(),
            Some("moqt://relay.example/b?jwt=secret")
        );
        assert_eq!(
            anywhere("https://other.example/b").as_deref(),
            Some("https://other.example/b")
        );
        assert_eq!(
            anywhere("https://relay.example:1/b").as_deref(),
            Some("https://relay.example:1/b")
        );
    }

    #[test]
    fn what_is_dialled_is_as_secure() {
        let anywhere = |from: &str, to| Redirects::Anywhere.target(from, to).is_some();
        assert!(!anywhere("https://a", "http://a/"));
        assert!(!anywhere("https://a", "ws://a/"));
        assert!(!anywhere("moqt://a", "tcp://a/"));
        assert!(!anywhere("http://a", "tcp://a/"));
        assert!(anywhere("http://a", "http://b/"));
        assert!(anywhere("http://a", "moqt://b/"));
    }

    #[test]
    fn what_could_be_misread_is_not_dialled() {
        for to in [
            "",
            "relay.example",
            "/room",
            "//relay.example/room",
            "https://",
            "https:///room",
            "https://user@relay.example/",
            "https://relay.example@evil.example/",
            "https://evil.example\\@relay.example/",
            "https://relay.example:443:1/",
            "https://relay.example:99999/",
            "https://relay.example:x/",
            "https://relay%2eexample/",
            "https://relay.example/a b",
            "https://relay.example/\n",
            "https://relay.éxample/",
        ] {
            assert_eq!(target(Redirects::Anywhere, to), None, "{to:?}");
        }
        let to = "https://[::1]:443/room?jwt=x";
        assert_eq!(target(Redirects::Anywhere, to).as_deref(), Some(to));
        assert!(
            Redirects::SameAuthority
                .target("https://[::1]/?a=b", to)
                .is_some()
        );
    }
}
