//! What the groups of a track are charged for.

use super::group::Group;
use super::phase::Kind;
use super::timeline::Shown;

/// What a group costs besides its frames, in bytes: measured with 10^6 of them, its places in the lists of its
/// track are 96.
pub(crate) const GROUP_CHARGE: u64 =
    (size_of::<Group<std::task::Waker>>() + size_of::<Shown>() + 96) as u64;

/// Bytes that the groups of one track are charged for.
#[derive(Debug, Default)]
pub(super) struct Charge {
    all: u64,
    /// Those of groups that were fetched.
    fetched: u64,
}

/// Groups that were fetched have at most this part of a track's bytes when there is no room.
const FETCHED_PART: u64 = 4;

impl Charge {
    /// Notes by how much the charge of a group grew.
    #[inline]
    pub(super) fn grow(&mut self, kind: Kind, bytes: i64) {
        self.all = self.all.saturating_add_signed(bytes);
        if let Kind::Fetched { .. } = kind {
            self.fetched = self.fetched.saturating_add_signed(bytes);
        }
    }

    pub(super) fn all(&self) -> u64 {
        self.all
    }

    /// Bytes of the groups that were not fetched.
    pub(super) fn live(&self) -> u64 {
        self.all - self.fetched
    }

    /// Whether groups that were fetched have more than their part.
    pub(super) fn is_fetched_too_much(&self) -> bool {
        self.fetched > self.all / FETCHED_PART
    }
}
