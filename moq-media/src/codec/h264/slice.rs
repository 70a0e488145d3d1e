//! The beginning of a slice.

use super::sps::Order;
use crate::codec::CodecError;
use crate::codec::bits::{Bits, without_emulation_prevention};

/// What a slice says of its picture's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) is_idr: bool,
    /// Whether other pictures refer to it.
    pub(crate) is_reference: bool,
    /// The low bits of its order number, if the stream has them.
    pub(crate) order: Option<u32>,
}

impl Slice {
    /// Reads the head of a NAL unit of type 1 or 5.
    ///
    /// # Errors
    /// [`CodecError`] when it is cut.
    pub(crate) fn read(unit: &[u8], order: &Order) -> Result<Self, CodecError> {
        let head = unit.get(..unit.len().min(HEAD)).unwrap_or_default();
        let clean = without_emulation_prevention(head);
        let mut bits = Bits::new("H.264 slice", &clean);
        bits.skip(1, "head")?;
        let is_reference = bits.read(2, "nal_ref_idc")? != 0;
        let is_idr = bits.read(5, "nal_unit_type")? == 5;
        for field in ["first_mb_in_slice", "slice_type", "pic_parameter_set_id"] {
            bits.ue(field)?;
        }
        if order.has_planes {
            bits.skip(2, "colour_plane_id")?;
        }
        bits.skip(order.frame_bits, "frame_num")?;
        if order.has_fields && bits.flag("field_pic_flag")? {
            bits.skip(1, "bottom_field_flag")?;
        }
        if is_idr {
            bits.ue("idr_pic_id")?;
        }
        let order = match order.order_bits {
            Some(count) => Some(bits.read(count, "pic_order_cnt_lsb")?),
            None => None,
        };
        Ok(Self {
            is_idr,
            is_reference,
            order,
        })
    }

    /// Whether a NAL unit is the first slice of its picture.
    pub(crate) fn is_first(unit: &[u8]) -> bool {
        // `first_mb_in_slice` is 0: its code is one bit that is set.
        matches!(super::unit_type(unit), 1 | 5) && unit.get(1).is_some_and(|byte| byte & 0x80 != 0)
    }
}

/// More bytes than the fields above take.
const HEAD: usize = 64;
