//! When pictures are shown, by the numbers in their slices.

use crate::codec::CodecError;
use crate::codec::h264::{Order, Slice};

/// Counts pictures.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// How many were decoded.
    decoded: i64,
    /// How many were decoded before the last that refers to none.
    start: i64,
    /// The order number of the last picture that others refer to.
    reference: i64,
    /// Whether order numbers are consecutive; most encoders count fields, so that they are even.
    is_dense: bool,
}

impl Pictures {
    /// Takes the first slice of a picture; yields its places in the order of decoding and of showing.
    ///
    /// # Errors
    /// [`CodecError`] when its header can't be read.
    pub(super) fn take(&mut self, unit: &[u8], order: &Order) -> Result<(i64, i64), CodecError> {
        let slice = Slice::read(unit, order)?;
        let place = self.decoded;
        self.decoded += 1;
        if slice.is_idr {
            self.start = place;
            self.reference = 0;
        }
        let Some((low, bits)) = slice.order.zip(order.order_bits) else {
            return Ok((place, place));
        };
        let number = self.number(i64::from(low), 1 << bits);
        if slice.is_reference {
            self.reference = number;
        }
        self.is_dense |= number % 2 != 0;
        let shown = if self.is_dense { number } else { number / 2 };
        let shown = self.start + shown;
        // Order numbers of a stream that lacks pictures say nothing.
        let is_near = (shown - place).abs() <= MOST_REORDER;
        Ok((place, if is_near { shown } else { place }))
    }

    /// The whole number of which a slice has the low bits: the nearest to the reference's.
    fn number(&self, low: i64, range: i64) -> i64 {
        let step = (low - self.reference).rem_euclid(range);
        if step > range / 2 {
            self.reference + step - range
        } else {
            self.reference + step
        }
    }
}

/// Pictures that a decoder holds at most.
const MOST_REORDER: i64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: Order = Order {
        timing: None,
        order_bits: Some(4),
        frame_bits: 4,
        has_fields: false,
        has_planes: false,
    };

    /// A slice of `first_mb 0, slice_type 0, pps 0, frame_num 0` and an order number.
    fn slice(kind: u8, number: u8) -> Vec<u8> {
        let head = if kind & 0x1f == 5 {
            // With an `idr_pic_id` of 0.
            0b111 << 13 | 1 << 8 | u16::from(number) << 4
        } else {
            0b111 << 13 | u16::from(number) << 5
        };
        [vec![kind], head.to_be_bytes().to_vec(), vec![0x80]].concat()
    }

    #[test]
    fn pictures_are_shown_by_their_numbers() {
        let mut pictures = Pictures::default();
        // Decoded IDR, P, B, B; then with numbers that wrap around; then the next IDR.
        let units = [
            (0x65, 0),
            (0x61, 6),
            (0x01, 2),
            (0x01, 4),
            (0x61, 12),
            (0x01, 8),
            (0x01, 10),
            (0x61, 2),
            (0x01, 14),
            (0x65, 0),
        ];
        let places =
            units.map(|(kind, number)| pictures.take(&slice(kind, number), &ORDER).unwrap().1);
        assert_eq!(places, [0, 3, 1, 2, 6, 4, 5, 9, 7, 9]);
    }

    #[test]
    fn cut_slice_is_an_error() {
        let mut pictures = Pictures::default();
        assert!(pictures.take(&[0x65, 0xe0], &ORDER).is_err());
        assert!(pictures.take(&[0x65], &ORDER).is_err());
    }
}
