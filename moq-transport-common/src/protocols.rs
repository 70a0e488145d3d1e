//! The protocol names to offer, unless the caller names others.

use moq_session::Version;

/// The names of all drafts that a session speaks, most wanted first.
#[must_use]
pub fn spoken() -> Vec<String> {
    let names = Version::alpns(Version::OFFERED);
    names.into_iter().map(str::to_owned).collect()
}
