//! Stream types: the varint at the very start of every stream.

use bytes::BufMut;

use crate::error::EncodeError;
use crate::varint;
use crate::version::Version;

/// What a bidirectional stream is for.
///
/// Draft: Bidirectional Streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a session has to handle every kind of stream"
)]
pub enum BiStream {
    /// Asks which broadcasts exist. Opened by the subscriber.
    Announce,
    /// Asks for a track's groups as they come. Opened by the subscriber.
    Subscribe,
    /// Asks for one group. Opened by the subscriber.
    Fetch,
    /// Asks for estimates of what the publisher could send. Opened by the subscriber.
    Probe,
    /// Asks the peer to leave. Opened by either side.
    Goaway,
    /// Asks for a track's properties. Opened by the subscriber.
    Track,
}

impl BiStream {
    const ALL: [Self; 6] = [
        Self::Announce,
        Self::Subscribe,
        Self::Fetch,
        Self::Probe,
        Self::Goaway,
        Self::Track,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::Announce => 0x1,
            Self::Subscribe => 0x2,
            Self::Fetch => 0x3,
            Self::Probe => 0x4,
            Self::Goaway => 0x5,
            Self::Track => 0x6,
        }
    }

    /// Appends the type, which every stream starts with.
    ///
    /// # Errors
    /// [`EncodeError::NotInVersion`] if `version` has no such stream; nothing is appended then.
    ///
    /// # Panics
    /// If `buf` cannot grow and is full.
    pub fn put(self, buf: &mut impl BufMut, version: Version) -> Result<(), EncodeError> {
        if !self.exists(version) {
            return Err(EncodeError::NotInVersion);
        }
        varint::put(self.code(), buf, version)
    }

    /// The stream that the number at its start stands for, if `version` has it.
    #[must_use]
    pub fn from_code(code: u64, version: Version) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|stream| stream.code() == code && stream.exists(version))
    }

    fn exists(self, version: Version) -> bool {
        let features = version.features();
        match self {
            Self::Announce | Self::Subscribe => true,
            Self::Fetch => features.fetch,
            Self::Probe => features.probe.exists(),
            Self::Goaway => features.goaway,
            Self::Track => features.track_stream,
        }
    }
}

/// What a unidirectional stream is for.
///
/// Draft: Unidirectional Streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a session has to handle every kind of stream"
)]
pub enum UniStream {
    /// Carries one group of a subscription. Opened by the publisher.
    Group,
    /// Carries SETUP. Opened once by each side.
    Setup,
}

impl UniStream {
    const ALL: [Self; 2] = [Self::Group, Self::Setup];

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::Group => 0x0,
            Self::Setup => 0x1,
        }
    }

    /// Appends the type, which every stream starts with.
    ///
    /// # Errors
    /// [`EncodeError::NotInVersion`] if `version` has no such stream; nothing is appended then.
    ///
    /// # Panics
    /// If `buf` cannot grow and is full.
    pub fn put(self, buf: &mut impl BufMut, version: Version) -> Result<(), EncodeError> {
        if !self.exists(version) {
            return Err(EncodeError::NotInVersion);
        }
        varint::put(self.code(), buf, version)
    }

    /// The stream that the number at its start stands for, if `version` has it.
    #[must_use]
    pub fn from_code(code: u64, version: Version) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|stream| stream.code() == code && stream.exists(version))
    }

    fn exists(self, version: Version) -> bool {
        match self {
            Self::Group => true,
            Self::Setup => version.features().setup_stream,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_has_only_its_own_streams() {
        let bi = |version| {
            (0..0x40)
                .filter_map(|code| BiStream::from_code(code, version))
                .count()
        };
        let uni = |version| {
            (0..0x40)
                .filter_map(|code| UniStream::from_code(code, version))
                .count()
        };
        assert_eq!((bi(Version::Lite01), uni(Version::Lite01)), (2, 1));
        assert_eq!((bi(Version::Lite02), uni(Version::Lite02)), (2, 1));
        assert_eq!((bi(Version::Lite03), uni(Version::Lite03)), (3, 1));
        assert_eq!((bi(Version::Lite04), uni(Version::Lite04)), (4, 1));
        assert_eq!((bi(Version::Lite05), uni(Version::Lite05)), (6, 2));
        assert_eq!((bi(Version::Lite06), uni(Version::Lite06)), (6, 2));
        assert_eq!((bi(Version::Lite07Wip), uni(Version::Lite07Wip)), (6, 2));
    }

    #[test]
    fn a_stream_that_the_draft_lacks_is_not_begun() {
        let mut buf = Vec::new();
        assert_eq!(BiStream::Track.put(&mut buf, Version::Lite05), Ok(()));
        assert_eq!(UniStream::Setup.put(&mut buf, Version::Lite05), Ok(()));
        let lacking = Err(EncodeError::NotInVersion);
        assert_eq!(BiStream::Track.put(&mut buf, Version::Lite04), lacking);
        assert_eq!(UniStream::Setup.put(&mut buf, Version::Lite04), lacking);
        assert_eq!(buf, [6, 1]);
    }

    #[test]
    fn codes_lead_back_to_their_stream() {
        for stream in BiStream::ALL {
            assert_eq!(
                BiStream::from_code(stream.code(), Version::Lite06),
                Some(stream)
            );
        }
        for stream in UniStream::ALL {
            assert_eq!(
                UniStream::from_code(stream.code(), Version::Lite06),
                Some(stream)
            );
        }
    }
}
