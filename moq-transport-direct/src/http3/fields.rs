//! Header fields, as QPACK encodes them without a dynamic table.

use super::{huffman, static_table};

/// A field: its name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
}

/// Why fields could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldsError {
    /// They are not encoded as QPACK says, or need a dynamic table.
    Malformed,
    /// Decoded, they are larger than this end allows.
    TooLarge,
}

/// Reads the fields of a request, in their order.
///
/// # Errors
/// [`FieldsError`]
///
/// Draft: RFC 9204, Field Line Representations.
pub(super) fn decode(encoded: &[u8]) -> Result<Vec<Field>, FieldsError> {
    let mut input = Input {
        rest: encoded,
        budget: MAX_FIELDS,
    };
    let required_inserts = input.integer(8)?.1;
    input.integer(7)?;
    if required_inserts != 0 {
        return Err(FieldsError::Malformed);
    }
    let mut fields = Vec::new();
    while !input.rest.is_empty() {
        input.charge(FIELD_COST)?;
        fields.push(input.field()?);
    }
    Ok(fields)
}

/// What is left to read, and how much it may come to.
struct Input<'a> {
    rest: &'a [u8],
    budget: usize,
}

impl Input<'_> {
    fn charge(&mut self, bytes: usize) -> Result<(), FieldsError> {
        self.budget = self
            .budget
            .checked_sub(bytes)
            .ok_or(FieldsError::TooLarge)?;
        Ok(())
    }

    fn field(&mut self) -> Result<Field, FieldsError> {
        let first = *self.rest.first().ok_or(FieldsError::Malformed)?;
        match first {
            // Name and value of the static table.
            0xc0.. => {
                let (name, value) = indexed(self.integer(6)?.1)?;
                self.given(name, value.as_bytes().to_vec())
            }
            // Its name only.
            0x50..=0x5f | 0x70..=0x7f => {
                let (name, _) = indexed(self.integer(4)?.1)?;
                let value = self.string(7)?;
                self.given(name, value)
            }
            // Neither.
            0x20..=0x3f => {
                let name = self.string(3)?;
                let value = self.string(7)?;
                Ok(Field { name, value })
            }
            // All others are of the dynamic table.
            _ => Err(FieldsError::Malformed),
        }
    }

    fn given(&mut self, name: &str, value: Vec<u8>) -> Result<Field, FieldsError> {
        self.charge(name.len())?;
        Ok(Field {
            name: name.as_bytes().to_vec(),
            value,
        })
    }

    /// An integer in the last bits of a byte, and in those that follow. Gives the bits before it,
    /// too.
    fn integer(&mut self, bits: u32) -> Result<(u8, u64), FieldsError> {
        let first = self.byte()?;
        let mask = u8::MAX >> (8 - bits);
        let flags = first & !mask;
        let mut value = u64::from(first & mask);
        if value < u64::from(mask) {
            return Ok((flags, value));
        }
        for shift in (0..).step_by(7).take(MAX_CONTINUATION) {
            let byte = self.byte()?;
            value += u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((flags, value));
            }
        }
        Err(FieldsError::Malformed)
    }

    /// A string whose length is in the last bits of a byte, behind the bit that tells whether it is
    /// compressed.
    fn string(&mut self, bits: u32) -> Result<Vec<u8>, FieldsError> {
        let (flags, length) = self.integer(bits)?;
        let length = usize::try_from(length).map_err(|_| FieldsError::Malformed)?;
        let (encoded, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(FieldsError::Malformed)?;
        self.rest = rest;
        let string = if flags >> bits & 1 == 0 {
            encoded.to_vec()
        } else {
            // No more than the encoded bytes times 8 by 5, and those are bounded.
            huffman::decode(encoded, MAX_FIELDS).ok_or(FieldsError::Malformed)?
        };
        self.charge(string.len())?;
        Ok(string)
    }

    fn byte(&mut self) -> Result<u8, FieldsError> {
        let (first, rest) = self.rest.split_first().ok_or(FieldsError::Malformed)?;
        self.rest = rest;
        Ok(*first)
    }
}

fn indexed(index: u64) -> Result<(&'static str, &'static str), FieldsError> {
    static_table::field(index).ok_or(FieldsError::Malformed)
}

/// The most bytes of fields, each counted with what it costs besides.
pub(super) const MAX_FIELDS: usize = 16 << 10;

/// What a field costs besides its bytes: RFC 9114, 4.2.2.
const FIELD_COST: usize = 32;

/// The most bytes of an integer behind its first: enough for 63 bits.
const MAX_CONTINUATION: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &str) -> Field {
        Field {
            name: name.as_bytes().to_vec(),
            value: value.as_bytes().to_vec(),
        }
    }

    #[test]
    fn all_representations_without_a_dynamic_table_are_read() {
        let encoded = [
            // :method CONNECT and :scheme https of the table.
            &[0, 0, 0xcf, 0xd7][..],
            // :authority of the table with "a"; the same, never to be indexed, compressed.
            &[0x50, 1, b'a', 0x70, 0x82, 0x64, 0x02],
            // A name behind 15 of the table: content-type, 15 + 29.
            &[0x5f, 29, 1, b't'],
            // A name and a value; the name compressed.
            &[0x21, b'x', 1, b'y', 0x2a, 0x64, 0x02, 0],
        ]
        .concat();
        let fields = [
            field(":method", "CONNECT"),
            field(":scheme", "https"),
            field(":authority", "a"),
            field(":authority", "302"),
            field("content-type", "t"),
            field("x", "y"),
            field("302", ""),
        ];
        assert_eq!(decode(&encoded).as_deref(), Ok(&fields[..]));
        for end in 0..encoded.len() {
            let _ = decode(&encoded[..end]);
        }
    }

    #[test]
    fn what_needs_a_dynamic_table_is_malformed() {
        for encoded in [
            // Inserts that are required.
            &[1, 0][..],
            // Index and name of the dynamic table, and both behind its base.
            &[0, 0, 0x80],
            &[0, 0, 0x40, 0],
            &[0, 0, 0x10],
            &[0, 0, 0x00, 0],
            // An index behind the static table's end.
            &[0, 0, 0xff, 36],
            // An integer without an end; a string that is cut; no prefix.
            &[
                0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
            ],
            &[0, 0, 0x50, 2, b'a'],
            &[0],
            &[],
        ] {
            assert_eq!(decode(encoded), Err(FieldsError::Malformed), "{encoded:?}");
        }
    }

    #[test]
    fn many_small_fields_are_too_large() {
        let mut encoded = vec![0, 0];
        encoded.extend_from_slice(&[0xcf; 500]);
        assert_eq!(decode(&encoded), Err(FieldsError::TooLarge));
    }
}
