//! Drafts and what each of them can do.

use std::fmt;
use std::str::FromStr;

use crate::error::UnknownVersion;
use crate::features::{
    Features, LITE_01, LITE_02, LITE_03, LITE_04, LITE_05, LITE_06, LITE_07_WIP,
};

/// A draft of moq-lite.
///
/// Nothing outside this module tells one draft from another; everything else asks [`Features`].
///
/// Draft: Handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Version {
    /// moq-lite-01, negotiated inside a `moql` session.
    Lite01,
    /// moq-lite-02, negotiated inside a `moql` session.
    Lite02,
    /// moq-lite-03.
    Lite03,
    /// moq-lite-04.
    Lite04,
    /// moq-lite-05.
    Lite05,
    /// moq-lite-06.
    Lite06,
    /// moq-lite-07 as far as it is written.
    Lite07Wip,
}

impl Version {
    /// Every draft that this crate can read and write, oldest first.
    ///
    /// A draft that is still being written is among them: it is spoken with peers that ask for it by
    /// name, and not [offered](Self::OFFERED) by default.
    pub const ALL: &'static [Self] = &[
        Self::Lite01,
        Self::Lite02,
        Self::Lite03,
        Self::Lite04,
        Self::Lite05,
        Self::Lite06,
        Self::Lite07Wip,
    ];

    /// The versions that are offered to peers by default, most wanted first: all of
    /// [`ALL`](Self::ALL) that are not still being written.
    pub const OFFERED: &'static [Self] = &[
        Self::Lite06,
        Self::Lite05,
        Self::Lite04,
        Self::Lite03,
        Self::Lite02,
        Self::Lite01,
    ];

    /// The draft's own name, such as `moq-lite-06`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lite01 => "moq-lite-01",
            Self::Lite02 => "moq-lite-02",
            Self::Lite03 => "moq-lite-03",
            Self::Lite04 => "moq-lite-04",
            Self::Lite05 => "moq-lite-05",
            Self::Lite06 => "moq-lite-06",
            Self::Lite07Wip => "moq-lite-07-wip",
        }
    }

    /// The protocol name a transport negotiates: the draft's own, or `moql` where a handshake
    /// inside the session settles the draft.
    #[must_use]
    pub const fn alpn(self) -> &'static str {
        if self.features().handshake {
            "moql"
        } else {
            self.name()
        }
    }

    /// The version a negotiated protocol name stands for by itself; none for `moql`.
    #[must_use]
    pub fn from_alpn(alpn: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(|version| !version.features().handshake)
            .find(|version| version.alpn() == alpn)
    }

    /// The protocol names to offer for `versions`, in that order, each of them once.
    #[must_use]
    pub fn alpns(versions: &[Self]) -> Vec<&'static str> {
        let mut names = Vec::new();
        for version in versions {
            if !names.contains(&version.alpn()) {
                names.push(version.alpn());
            }
        }
        names
    }

    /// The number that stands for this draft in the handshake inside a session.
    #[must_use]
    pub const fn code_point(self) -> u64 {
        match self {
            Self::Lite01 => 0xff0d_ad01,
            Self::Lite02 => 0xff0d_ad02,
            Self::Lite03 => 0xff0d_ad03,
            Self::Lite04 => 0xff0d_ad04,
            Self::Lite05 => 0xff0d_ad05,
            Self::Lite06 => 0xff0d_ad06,
            Self::Lite07Wip => 0xff0d_ad07,
        }
    }

    /// The draft a number stands for in the handshake inside a session, if that can settle it.
    #[must_use]
    pub fn from_code_point(code_point: u64) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(|version| version.features().handshake)
            .find(|version| version.code_point() == code_point)
    }

    /// What this draft can do.
    #[must_use]
    #[inline]
    pub const fn features(self) -> &'static Features {
        &TABLE[self as usize]
    }
}

/// A row for each of [`Version::ALL`]. One piece of memory, so that to look up a feature is one load,
/// which a loop needs only once.
static TABLE: [Features; Version::ALL.len()] = [
    LITE_01,
    LITE_02,
    LITE_03,
    LITE_04,
    LITE_05,
    LITE_06,
    LITE_07_WIP,
];

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads the name of a version, such as `moq-lite-06`.
impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.iter().copied();
        all.find(|version| version.name() == name)
            .ok_or_else(|| UnknownVersion(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_by_name() {
        for version in Version::ALL.iter().copied() {
            assert_eq!(version.to_string().parse(), Ok(version));
            let is_settled = !version.features().handshake;
            assert_eq!(
                Version::from_alpn(version.alpn()),
                is_settled.then_some(version)
            );
        }
    }

    #[test]
    fn what_is_still_being_written_is_not_offered_by_default() {
        assert!(Version::OFFERED.is_sorted_by(|a, b| a > b), "newest first");
        assert_eq!(
            Version::alpns(Version::OFFERED),
            [
                "moq-lite-06",
                "moq-lite-05",
                "moq-lite-04",
                "moq-lite-03",
                "moql"
            ]
        );
    }

    #[test]
    fn only_a_handshake_settles_by_number() {
        let settled = |version: &Version| Version::from_code_point(version.code_point());
        assert!(Version::ALL.is_sorted(), "oldest first");
        assert_eq!(
            Version::ALL.iter().filter_map(settled).collect::<Vec<_>>(),
            [Version::Lite01, Version::Lite02]
        );
        assert_eq!(Version::from_code_point(0xff00_000e), None);
    }

    #[test]
    fn unknown_names_are_refused() {
        for name in ["moql", "moq-lite-07", "moq-lite-6", "h3", ""] {
            assert_eq!(Version::from_alpn(name), None);
            assert_eq!(name.parse::<Version>(), Err(UnknownVersion(name.into())));
        }
    }
}
