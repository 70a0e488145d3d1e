//! The protocol names to offer, unless the caller names others.

/// The names of all drafts that a session speaks, most wanted first.
pub(crate) fn spoken() -> Vec<String> {
    moq_session::Version::SUPPORTED
        .iter()
        .map(|version| version.name().to_owned())
        .collect()
}
