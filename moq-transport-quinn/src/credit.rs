//! How many streams the peer may have open at once.

use std::sync::{Arc, Mutex, PoisonError};

use moq_transport_common::quic::StreamLimits;
use quinn::VarInt;

use crate::connection::ConnectionInner;

/// The stream credit of one connection: small at first, since quinn allocates a slot for each
/// stream that is allowed, and doubled whenever half of it is in use.
pub(crate) struct Credit {
    limits: StreamLimits,
    bidi: Mutex<Account>,
    uni: Mutex<Account>,
}

/// The credit for one kind of stream.
#[derive(Debug)]
struct Account {
    open: u32,
    allowed: u32,
    limit: u32,
}

/// The kinds of streams a peer opens.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Bidi,
    Uni,
}

/// An accepted stream, counted until the last half of it is dropped.
pub(crate) struct Accepted {
    connection: Arc<ConnectionInner>,
    kind: Kind,
}

impl Credit {
    /// Begins with what the handshake has allowed.
    pub(crate) fn new(initial: StreamLimits, limits: StreamLimits) -> Self {
        let account = |allowed, limit| {
            Mutex::new(Account {
                open: 0,
                allowed,
                limit,
            })
        };
        Self {
            limits,
            bidi: account(initial.bidi, limits.bidi_at_first()),
            uni: account(initial.uni, limits.uni),
        }
    }

    /// Lets the peer open as many bidirectional streams as the session can hold.
    pub(crate) fn hold(&self, held: usize) {
        let mut bidi = self.bidi.lock().unwrap_or_else(PoisonError::into_inner);
        bidi.limit = self.limits.bidi_for(held);
    }

    fn account(&self, kind: Kind) -> &Mutex<Account> {
        match kind {
            Kind::Bidi => &self.bidi,
            Kind::Uni => &self.uni,
        }
    }
}

impl Accepted {
    /// Counts a stream that was just accepted, and allows the peer more when half is in use.
    pub(crate) fn count(connection: &Arc<ConnectionInner>, kind: Kind) -> Self {
        // The lock is held while quinn is told, so that a smaller credit never follows a larger.
        let mut account = connection
            .credit
            .account(kind)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(allowed) = account.accept() {
            let allowed = VarInt::from_u32(allowed);
            match kind {
                Kind::Bidi => connection.quic.set_max_concurrent_bi_streams(allowed),
                Kind::Uni => connection.quic.set_max_concurrent_uni_streams(allowed),
            }
        }
        Self {
            connection: connection.clone(),
            kind,
        }
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        let account = self.connection.credit.account(self.kind);
        account.lock().unwrap_or_else(PoisonError::into_inner).open -= 1;
    }
}

impl Account {
    /// Counts one more open stream; returns the new credit if it grows.
    fn accept(&mut self) -> Option<u32> {
        self.open += 1;
        if self.open < self.allowed.div_ceil(2) || self.allowed >= self.limit {
            return None;
        }
        self.allowed = self.allowed.saturating_mul(2).min(self.limit);
        Some(self.allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_doubles_at_half_and_stops_at_the_limit() {
        let mut account = Account {
            open: 0,
            allowed: 4,
            limit: 10,
        };
        let grown: Vec<_> = (0..8).map(|_| account.accept()).collect();
        assert_eq!(
            grown,
            [None, Some(8), None, Some(10), None, None, None, None]
        );
    }
}
