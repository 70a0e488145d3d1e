//! How many streams the peer may open.

use moq_transport_common::quic::StreamLimits;
use quinn_proto::{Connection, Dir, VarInt};

/// The most streams that the peer may have open in the end, by direction.
pub(super) struct Credit {
    limits: StreamLimits,
    bidi: u32,
}

impl Credit {
    pub(super) fn new(limits: StreamLimits) -> Self {
        Self {
            limits,
            bidi: limits.bidi_at_first(),
        }
    }

    /// Allows as many bidirectional streams as a session can hold.
    pub(super) fn hold(&mut self, held: usize) {
        self.bidi = self.limits.bidi_for(held);
    }

    /// Allows the peer more streams when half of what it may have is in use. It is little at first,
    /// since quinn-proto keeps a slot for each stream that is allowed.
    pub(super) fn raise(&self, quic: &mut Connection, dir: Dir) {
        let allowed = quic.max_concurrent_streams(dir);
        let limit = u64::from(match dir {
            Dir::Bi => self.bidi,
            Dir::Uni => self.limits.uni,
        });
        let open = quic.streams().remote_open_streams(dir);
        if open >= allowed.div_ceil(2) && allowed < limit {
            let allowed = u32::try_from((allowed * 2).min(limit)).unwrap_or(u32::MAX);
            quic.set_max_concurrent_streams(dir, VarInt::from_u32(allowed));
        }
    }
}
