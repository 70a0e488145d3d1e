//! Protocol names to versions.

use moq_wire::Version;

/// What a protocol name settles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agreed {
    /// The draft.
    Version(Version),
    /// Nothing yet: a handshake inside the session does.
    Handshake,
}

/// What the ends agree on by the name that the transport reports, if that is acceptable.
///
/// No name at all stands for the handshake, too: browsers of old cannot send one.
pub(crate) fn agreed(name: Option<&str>, acceptable: &[Version]) -> Option<Agreed> {
    match name.and_then(Version::from_alpn) {
        Some(version) => {
            let is_acceptable = acceptable.contains(&version);
            is_acceptable.then_some(Agreed::Version(version))
        }
        None => {
            let mut handshakes = acceptable.iter().filter(|v| v.features().handshake);
            let is_handshake = |version: &Version| name.is_none_or(|name| name == version.alpn());
            handshakes.any(is_handshake).then_some(Agreed::Handshake)
        }
    }
}

/// Picks a name of the peer's list, and what it settles: the first that is acceptable, else none of
/// them, if the handshake is acceptable.
pub(crate) fn choose<'a>(
    offered: &'a [String],
    acceptable: &[Version],
) -> Option<(Option<&'a str>, Agreed)> {
    let named = offered
        .iter()
        .find_map(|name| agreed(Some(name), acceptable).map(|agreed| (Some(&**name), agreed)));
    named.or_else(|| agreed(None, acceptable).map(|agreed| (None, agreed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLED: &[Version] = &[Version::Lite06, Version::Lite05];

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().copied().map(String::from).collect()
    }

    #[test]
    fn the_peers_order_decides() {
        let offered = names(&["moqt-22", "moq-lite-05", "moq-lite-06", "moql"]);
        let chosen = |acceptable| choose(&offered, acceptable);
        let five = Agreed::Version(Version::Lite05);
        assert_eq!(chosen(SETTLED), Some((Some("moq-lite-05"), five)));
        assert_eq!(chosen(&[Version::Lite04]), None);
        assert_eq!(
            chosen(&[Version::Lite01]),
            Some((Some("moql"), Agreed::Handshake))
        );
    }

    // spec: protocol §1.4, "both ends then behave as if `moql` had been agreed"
    #[test]
    fn without_a_common_name_there_is_the_handshake() {
        for offered in [names(&[]), names(&["moqt-22"])] {
            assert_eq!(
                choose(&offered, Version::OFFERED),
                Some((None, Agreed::Handshake))
            );
            assert_eq!(choose(&offered, SETTLED), None);
        }
        assert_eq!(agreed(None, Version::OFFERED), Some(Agreed::Handshake));
        assert_eq!(agreed(Some("h3"), Version::OFFERED), None);
    }

    #[test]
    fn a_draft_that_is_being_written_has_to_be_asked_for() {
        let name = Some("moq-lite-07-wip");
        let wip = Version::Lite07Wip;
        assert_eq!(agreed(name, Version::OFFERED), None);
        assert_eq!(agreed(name, &[wip]), Some(Agreed::Version(wip)));
    }
}
