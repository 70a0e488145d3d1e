//! The streams of QPACK: nothing on them may need a dynamic table.

use bytes::{Buf, Bytes};

use super::code::{QPACK_DECODER_STREAM_ERROR, QPACK_ENCODER_STREAM_ERROR};
use super::fault::Fault;

/// Checks what a client's encoder says: it may choose a table without room, and nothing else.
///
/// # Errors
/// A fault of the connection.
///
/// Draft: RFC 9204, Encoder Instructions.
pub(super) fn check_encoder(bytes: &Bytes) -> Result<(), Fault> {
    match bytes.iter().all(|byte| *byte == NO_TABLE) {
        true => Ok(()),
        false => {
            let reason = "an entry for a table that was not offered";
            Err(Fault::of_connection(QPACK_ENCODER_STREAM_ERROR, reason))
        }
    }
}

/// What a client's decoder says, in pieces: it may give up streams, and nothing else.
#[derive(Debug, Default)]
pub(crate) struct DecoderInstructions {
    /// How many bytes of a stream's number were read.
    continued: usize,
}

impl DecoderInstructions {
    /// Checks the next bytes.
    ///
    /// # Errors
    /// A fault of the connection.
    ///
    /// Draft: RFC 9204, Decoder Instructions.
    pub(super) fn check(&mut self, bytes: &mut Bytes) -> Result<(), Fault> {
        while bytes.has_remaining() {
            let byte = bytes.get_u8();
            let is_right = match self.continued {
                0 => byte & 0xc0 == CANCELLATION,
                _ => self.continued <= MAX_CONTINUATION,
            };
            if !is_right {
                let reason = "an answer to an entry that was not made";
                return Err(Fault::of_connection(QPACK_DECODER_STREAM_ERROR, reason));
            }
            let goes_on = match self.continued {
                0 => byte & 0x3f == 0x3f,
                _ => byte & 0x80 != 0,
            };
            self.continued = if goes_on { self.continued + 1 } else { 0 };
        }
        Ok(())
    }
}

/// The instruction for a table of capacity 0.
const NO_TABLE: u8 = 0x20;

/// The first bits of the instruction that gives up a stream.
const CANCELLATION: u8 = 0x40;

/// The most bytes of a stream's number behind its first.
const MAX_CONTINUATION: usize = 9;

#[cfg(test)]
mod tests {
    use super::super::tests::pieces;
    use super::*;

    #[test]
    fn an_encoder_without_a_table_says_nothing_more() {
        assert_eq!(check_encoder(&Bytes::from_static(&[0x20, 0x20])), Ok(()));
        for byte in [0x00, 0x21, 0x3f, 0x40, 0x80, 0xc0] {
            let fault = check_encoder(&Bytes::copy_from_slice(&[0x20, byte])).unwrap_err();
            assert_eq!(fault.code, QPACK_ENCODER_STREAM_ERROR, "{byte:#x}");
        }
    }

    #[test]
    fn a_decoder_may_give_up_streams() {
        let stream = [0x44, 0x7f, 0x80, 0x81, 0x00, 0x48];
        for seed in 0..20 {
            let mut instructions = DecoderInstructions::default();
            for piece in pieces(&stream, seed) {
                assert_eq!(instructions.check(&mut piece.into()), Ok(()));
            }
        }
        let endless = [&[0x7f][..], &[0xff; 20]].concat();
        for stream in [&[0x80][..], &[0x01], &[0x44, 0xc0], &endless] {
            let checked = DecoderInstructions::default().check(&mut stream.to_vec().into());
            assert_eq!(checked.unwrap_err().code, QPACK_DECODER_STREAM_ERROR);
        }
    }
}
