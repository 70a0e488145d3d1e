//! Streams in pieces.

/// Cuts a stream: whole for seed 0, byte by byte for 1, otherwise at places that follow from the
/// seed.
pub(super) fn pieces(stream: &[u8], seed: u64) -> Vec<Vec<u8>> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut pieces = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        // A generator of the xorshift family: what it gives is the same in each run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let length = match seed {
            0 => rest.len(),
            1 => 1,
            _ => usize::try_from(state % 9).unwrap_or(0).min(rest.len()),
        };
        let (piece, others) = rest.split_at(length);
        pieces.push(piece.to_vec());
        rest = others;
    }
    pieces
}
