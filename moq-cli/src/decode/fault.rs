//! What is wrong with bytes, and where.

use std::fmt;
use std::ops::Range;

use moq_wire::{DecodeError, Version};

/// Bytes that are wrong.
#[derive(Debug)]
pub(crate) struct Fault {
    /// In what, unless what is wrong says so.
    pub(crate) within: Option<&'static str>,
    /// The first byte that is wrong.
    pub(crate) at: usize,
    /// The bytes around it, beginning with this one.
    pub(crate) excerpt_at: usize,
    pub(crate) excerpt: Vec<u8>,
    /// Which bytes of the excerpt are wrong. May begin behind the last one, if something is missing.
    pub(crate) marked: Range<usize>,
    pub(crate) wrong: Wrong,
}

/// What is wrong.
#[derive(Debug)]
pub(crate) enum Wrong {
    Decode(DecodeError),
    /// The draft has no stream of this type.
    UnknownType(u64, Version),
    NotWebTransport,
    /// More than the draft lets the sender say.
    Superfluous,
    /// The end, too early.
    End,
    NoDatagrams(Version),
}

impl Fault {
    /// Of the item that begins at `begun` the bytes from `at` on are wrong, or all before `at` if
    /// they only contradict something.
    pub(crate) fn new(
        seen: &[u8],
        begun: usize,
        at: usize,
        within: Option<&'static str>,
        wrong: Wrong,
    ) -> Self {
        let marked = if wrong.is_contradiction() && at > begun {
            begun..at
        } else {
            at..at + 1
        };
        let at = marked.start;
        let start = begun.max(at.saturating_sub(BEFORE));
        let end = seen.len().min(at + AFTER);
        Self {
            within,
            at,
            excerpt_at: start,
            excerpt: seen.get(start..end).unwrap_or_default().to_vec(),
            marked: at - start..marked.end.min(end.max(at + 1)) - start,
            wrong,
        }
    }
}

impl Wrong {
    /// Whether it needs no word about what was being read.
    pub(crate) fn speaks_for_itself(&self) -> bool {
        matches!(
            self,
            Self::UnknownType(..) | Self::NotWebTransport | Self::Superfluous
        )
    }

    /// Whether each field can be read, but together they cannot stand.
    fn is_contradiction(&self) -> bool {
        matches!(
            self,
            Self::Decode(
                DecodeError::UnknownBase(_)
                    | DecodeError::KeepsTooMuch(_)
                    | DecodeError::UnknownStatus(_)
                    | DecodeError::DuplicateAnnounce
                    | DecodeError::UnknownAnnounce(_)
                    | DecodeError::FrameLastWithoutGroup
            )
        )
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(DecodeError::Path(error)) => {
                write!(f, "{}: {error}", DecodeError::Path(*error))
            }
            Self::Decode(error) => error.fmt(f),
            Self::UnknownType(code, version) => {
                write!(f, "stream type {code:#x} is unknown to {version}")
            }
            Self::NotWebTransport => f.write_str("stream does not begin as those of WebTransport"),
            Self::Superfluous => f.write_str("bytes after the last that may stand here"),
            Self::End => f.write_str("stream ends too early"),
            Self::NoDatagrams(version) => write!(f, "{version} has no datagrams"),
        }
    }
}

/// Bytes shown before those that are wrong.
const BEFORE: usize = 12;

/// Bytes shown from the first on that is wrong.
const AFTER: usize = 12;
