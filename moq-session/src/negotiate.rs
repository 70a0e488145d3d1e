//! Protocol names to versions.

use moq_wire::Version;

/// The first name of the peer's list that is acceptable here.
pub(crate) fn choose(offered: &[String], acceptable: &[Version]) -> Option<Version> {
    offered.iter().find_map(|name| lookup(name, acceptable))
}

/// The version behind the name that the transport reports, if it is one of those offered.
pub(crate) fn lookup(name: &str, acceptable: &[Version]) -> Option<Version> {
    Version::from_alpn(name).filter(|version| acceptable.contains(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peers_order_decides() {
        let offered = ["moqt-22", "moq-lite-05", "moq-lite-06"].map(String::from);
        assert_eq!(choose(&offered, Version::SUPPORTED), Some(Version::Lite05));
        assert_eq!(choose(&offered, &[Version::Lite06]), Some(Version::Lite06));
        assert_eq!(choose(&offered, &[Version::Lite04]), None);
    }
}
