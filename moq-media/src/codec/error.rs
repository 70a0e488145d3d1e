//! What can be wrong with a configuration.

/// Why a configuration record or a bitstream's header can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The bytes end inside a field.
    #[error("{record} ends inside its {field}")]
    Truncated {
        /// The record or header.
        record: &'static str,
        /// The field that is cut.
        field: &'static str,
    },
    /// A field has a value that is not allowed or not known.
    #[error("{record}, {field}: expected {expected}, found {found}")]
    Field {
        /// The record or header.
        record: &'static str,
        /// The field's name in the specification.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: u64,
    },
    /// A codec string that does not fit its codec.
    #[error("codec string {found:?}, expected {expected}")]
    String {
        /// An example of what it should look like.
        expected: &'static str,
        /// What it is.
        found: String,
    },
}
