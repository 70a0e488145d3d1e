//! What can go wrong with bytes, paths and names.

use std::error::Error;
use std::fmt;

use crate::limits;

/// What is wrong with bytes that were received.
///
/// "More bytes are needed" is never an error; see the crate's documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// A declared length is above its limit.
    TooLong,
    /// A field runs past the end of its message.
    PastEnd,
    /// Bytes are left over after the last field of a message, or of a parameter.
    Trailing,
    /// A variable-length integer is above 2^62 - 1.
    VarInt,
    /// A bool is neither 0 nor 1.
    Bool(u8),
    /// A string is not UTF-8.
    Utf8,
    /// A path is not acceptable.
    Path(PathError),
    /// A hop chain has more than 32 entries.
    TooManyHops,
    /// A hop chain names the same hop twice.
    RepeatedHop(u64),
    /// An announcement refers to an earlier one that never was, or is over.
    UnknownBase(u64),
    /// An announcement keeps more of an earlier one than that has.
    KeepsTooMuch(u64),
    /// SETUP has more parameters than are read.
    TooManyParameters,
    /// SETUP has a parameter twice.
    RepeatedParameter(u64),
    /// An announcement has a status the draft does not know.
    UnknownStatus(u8),
    /// A path was announced that is live on this stream already.
    DuplicateAnnounce,
    /// An announce id is ended or updated that was never assigned, or is retired.
    UnknownAnnounce(u64),
    /// An answer to a subscription has a type the draft does not know.
    UnknownResponse(u64),
    /// The handshake inside a session starts with a message of another type.
    UnexpectedType(u64),
    /// The last frame is named, but not the group it belongs to.
    FrameLastWithoutGroup,
    /// A timescale is 0.
    ZeroTimescale,
    /// A frame's timestamp would be below zero.
    NegativeTimestamp,
    /// A frame's timestamp would be above 2^62 - 1.
    TimestampOverflow,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("declared length is above the limit"),
            Self::PastEnd => f.write_str("field runs past the end of the message"),
            Self::Trailing => f.write_str("bytes left over at the end of the message"),
            Self::VarInt => f.write_str("variable-length integer above 2^62-1"),
            Self::Bool(byte) => write!(f, "bool is {byte}, neither 0 nor 1"),
            Self::Utf8 => f.write_str("string is not UTF-8"),
            Self::Path(_) => f.write_str("path is not acceptable"),
            Self::TooManyHops => write!(f, "hop chain has more than {} entries", limits::MAX_HOPS),
            Self::RepeatedHop(hop) => write!(f, "hop chain names {hop:#x} twice"),
            Self::UnknownBase(base) => write!(f, "announcement {base} before is not live"),
            Self::KeepsTooMuch(keep) => write!(f, "announcement keeps {keep} parts of fewer"),
            Self::TooManyParameters => f.write_str("SETUP has too many parameters"),
            Self::RepeatedParameter(id) => write!(f, "SETUP has parameter {id:#x} twice"),
            Self::UnknownStatus(status) => write!(f, "announcement has unknown status {status}"),
            Self::DuplicateAnnounce => f.write_str("path is announced twice on one stream"),
            Self::UnknownAnnounce(id) => write!(f, "announce id {id} is not live"),
            Self::UnknownResponse(kind) => {
                write!(f, "answer to SUBSCRIBE has unknown type {kind:#x}")
            }
            Self::UnexpectedType(kind) => write!(f, "handshake has a message of type {kind:#x}"),
            Self::FrameLastWithoutGroup => f.write_str("last frame without a last group"),
            Self::ZeroTimescale => f.write_str("timescale is 0"),
            Self::NegativeTimestamp => f.write_str("timestamp below zero"),
            Self::TimestampOverflow => f.write_str("timestamp above 2^62-1"),
        }
    }
}

impl Error for DecodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Path(error) => Some(error),
            _ => None,
        }
    }
}

impl From<PathError> for DecodeError {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}

/// Why something cannot be written.
///
/// Whatever a decoder refuses, an encoder refuses too, and for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The receiver would refuse it, for this reason.
    Refused(DecodeError),
    /// The draft has no way to say it.
    NotInVersion,
    /// A path is started that is live on this stream already.
    AlreadyAnnounced,
    /// A path is updated or ended that is not live on this stream.
    NotAnnounced,
    /// A frame's timestamp is above 2^62 - 1, or too far from the one before.
    Timestamp,
    /// SUBSCRIBE_END has no count of streams, and the draft wants one.
    NoStreamCount,
    /// The value of the handshake parameter with this id is of the other kind.
    ParameterKind(u64),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => write!(f, "the receiver would refuse it: {reason}"),
            Self::NotInVersion => f.write_str("the draft has no way to say it"),
            Self::AlreadyAnnounced => f.write_str("path is announced already"),
            Self::NotAnnounced => f.write_str("path is not announced"),
            Self::Timestamp => f.write_str("timestamp cannot be expressed"),
            Self::NoStreamCount => f.write_str("SUBSCRIBE_END without a count of streams"),
            Self::ParameterKind(id) => {
                write!(
                    f,
                    "handshake parameter {id:#x} has a value of the other kind"
                )
            }
        }
    }
}

impl Error for EncodeError {}

impl From<DecodeError> for EncodeError {
    fn from(error: DecodeError) -> Self {
        Self::Refused(error)
    }
}

/// Why a path is not acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// It has more than 32 segments.
    Segments,
    /// It has more than 1024 bytes in normal form.
    TooLong,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segments => write!(
                f,
                "path has more than {} segments",
                limits::MAX_PATH_SEGMENTS
            ),
            Self::TooLong => write!(f, "path has more than {} bytes", limits::MAX_PATH_BYTES),
        }
    }
}

impl Error for PathError {}

/// A name that is not that of a supported version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVersion(pub String);

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown version {:?}", self.0)
    }
}

impl Error for UnknownVersion {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_fault_is_told_from_every_other() {
        let errors: &[&dyn Error] = &[
            &DecodeError::TooLong,
            &DecodeError::PastEnd,
            &DecodeError::Trailing,
            &DecodeError::VarInt,
            &DecodeError::Bool(2),
            &DecodeError::Utf8,
            &DecodeError::Path(PathError::TooLong),
            &DecodeError::TooManyHops,
            &DecodeError::RepeatedHop(2),
            &DecodeError::UnknownBase(2),
            &DecodeError::KeepsTooMuch(2),
            &DecodeError::TooManyParameters,
            &DecodeError::RepeatedParameter(2),
            &DecodeError::UnknownStatus(3),
            &DecodeError::DuplicateAnnounce,
            &DecodeError::UnknownAnnounce(2),
            &DecodeError::UnknownResponse(2),
            &DecodeError::UnexpectedType(2),
            &DecodeError::FrameLastWithoutGroup,
            &DecodeError::ZeroTimescale,
            &DecodeError::NegativeTimestamp,
            &DecodeError::TimestampOverflow,
            &EncodeError::AlreadyAnnounced,
            &EncodeError::NotAnnounced,
            &EncodeError::Timestamp,
            &EncodeError::Refused(DecodeError::VarInt),
            &EncodeError::NotInVersion,
            &EncodeError::NoStreamCount,
            &EncodeError::ParameterKind(2),
            &PathError::Segments,
            &PathError::TooLong,
            &UnknownVersion(String::new()),
        ];
        let told = errors.iter().map(|error| error.to_string());
        let told = told
            .filter(|text| !text.is_empty())
            .collect::<BTreeSet<_>>();
        assert_eq!(told.len(), errors.len());
    }

    #[test]
    fn what_is_wrong_with_a_path_is_the_source() {
        let error = DecodeError::from(PathError::Segments);
        let source = error.source().map(ToString::to_string);
        assert_eq!(source, Some(PathError::Segments.to_string()));
        assert!(DecodeError::TooLong.source().is_none());
    }

    #[test]
    fn why_a_receiver_would_refuse_is_told() {
        let error = EncodeError::from(DecodeError::ZeroTimescale).to_string();
        assert_eq!(error, "the receiver would refuse it: timescale is 0");
    }

    #[test]
    fn an_unknown_name_is_shown_escaped() {
        let error = UnknownVersion("moq\n".into());
        assert_eq!(error.to_string(), r#"unknown version "moq\n""#);
    }
}
