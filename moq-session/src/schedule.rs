//! The order in which streams are sent.

/// Send order of a group's stream, higher first: 8 bits of priority, 24 of recency.
///
/// Recency counts from the group that the subscription began with, so that two tracks of one
/// priority compete by how far each has come, not by how they number their groups. Control streams
/// are at `i32::MAX`.
pub(crate) fn send_order(priority: u8, first: u64, sequence: u64) -> i32 {
    const RECENCY: u32 = 0x00ff_fffe;
    let recency = u32::try_from(sequence.saturating_sub(first))
        .unwrap_or(RECENCY)
        .min(RECENCY);
    let key = u32::from(priority) << 24 | recency;
    (key ^ 0x8000_0000).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_groups_go_first_within_a_priority() {
        assert!(send_order(5, 100, 102) > send_order(5, 100, 101));
        assert!(send_order(6, 100, 100) > send_order(5, 100, 1_000_000));
        assert!(send_order(128, 0, 0) > send_order(127, 0, 0));
        assert!(send_order(255, 0, u64::MAX) < i32::MAX);
    }
}
