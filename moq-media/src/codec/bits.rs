//! Bits of a header, most significant first.

use super::CodecError;

/// Reads bits and Exp-Golomb codes.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    record: &'static str,
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> Bits<'a> {
    /// A reader of `record`, which is what errors call it.
    pub(super) fn new(record: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            record,
            bytes,
            at: 0,
        }
    }

    /// The next `count` bits, at most 32.
    pub(super) fn read(&mut self, count: usize, field: &'static str) -> Result<u32, CodecError> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag(field)?);
        }
        Ok(value)
    }

    pub(super) fn flag(&mut self, field: &'static str) -> Result<bool, CodecError> {
        let byte = self.bytes.get(self.at / 8).ok_or(CodecError::Truncated {
            record: self.record,
            field,
        })?;
        let is_set = byte >> (7 - self.at % 8) & 1 == 1;
        self.at += 1;
        Ok(is_set)
    }

    pub(super) fn skip(&mut self, count: usize, field: &'static str) -> Result<(), CodecError> {
        if self.at + count > self.bytes.len() * 8 {
            let record = self.record;
            return Err(CodecError::Truncated { record, field });
        }
        self.at += count;
        Ok(())
    }

    /// An unsigned Exp-Golomb code.
    pub(super) fn ue(&mut self, field: &'static str) -> Result<u32, CodecError> {
        let mut zeros = 0;
        while !self.flag(field)? {
            zeros += 1;
            if zeros > 31 {
                return Err(self.wrong(field, "an Exp-Golomb code of at most 63 bits", zeros));
            }
        }
        let rest = self.read(zeros as usize, field)?;
        Ok((1_u32 << zeros) - 1 + rest)
    }

    /// A signed Exp-Golomb code, of which only the place is of interest.
    pub(super) fn skip_se(&mut self, field: &'static str) -> Result<(), CodecError> {
        self.ue(field).map(|_| ())
    }

    pub(super) fn wrong(
        &self,
        field: &'static str,
        expected: &'static str,
        found: u32,
    ) -> CodecError {
        CodecError::Field {
            record: self.record,
            field,
            expected,
            found: found.into(),
        }
    }
}

/// The payload of a NAL unit without the bytes 3 that keep start codes out of it.
pub(super) fn without_emulation_prevention(nal: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for byte in nal {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        clean.push(*byte);
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_standard() {
        let mut bits = Bits::new("test", &[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes = [0; 5].map(|_| bits.ue("code").unwrap());
        assert_eq!(codes, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn end_and_endless_zeros_are_errors() {
        let error = Bits::new("SPS", &[]).read(1, "level_idc").unwrap_err();
        assert_eq!(error.to_string(), "SPS ends inside its level_idc");
        assert!(Bits::new("SPS", &[0; 9]).ue("width").is_err());
    }

    #[test]
    fn emulation_prevention_goes() {
        let nal = [0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 3];
        assert_eq!(without_emulation_prevention(&nal), [0, 0, 1, 0, 0, 0, 0, 3]);
    }
}
