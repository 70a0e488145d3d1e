//! Sequence parameter sets.

use crate::codec::CodecError;
use crate::codec::bits::{Bits, without_emulation_prevention};

/// What a sequence parameter set says of the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sps {
    /// Pixels from left to right, after cropping.
    pub width: u32,
    /// Pixels from top to bottom, after cropping.
    pub height: u32,
    /// How many pictures may be decoded before one that is shown earlier, if it says so.
    pub reorder: Option<u32>,
    /// How a stream without times has to be timed.
    pub(crate) order: Order,
    pub(super) chroma_format: u32,
    pub(super) luma_depth: u32,
    pub(super) chroma_depth: u32,
}

/// What tells when pictures are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Order {
    /// Ticks of a picture, and ticks per second, of the VUI.
    pub(crate) timing: Option<(u32, u32)>,
    /// Bits of a picture's order number, if slices carry it.
    pub(crate) order_bits: Option<usize>,
    /// Bits of `frame_num`.
    pub(crate) frame_bits: usize,
    pub(crate) has_fields: bool,
    pub(crate) has_planes: bool,
}

impl Sps {
    /// Reads a NAL unit of type 7, its head included.
    ///
    /// # Errors
    /// [`CodecError`] when it is cut or breaks the standard's bounds.
    pub fn read(unit: &[u8]) -> Result<Self, CodecError> {
        let clean = without_emulation_prevention(unit);
        let mut bits = Bits::new("H.264 SPS", &clean);
        bits.skip(8, "head")?;
        let profile = bits.read(8, "profile_idc")?;
        bits.skip(16, "level_idc")?;
        bits.ue("seq_parameter_set_id")?;
        let (mut chroma_format, mut luma_depth, mut chroma_depth) = (1, 0, 0);
        let mut order = Order::default();
        if HIGH_PROFILES.contains(&profile) {
            chroma_format = bits.ue("chroma_format_idc")?;
            if chroma_format == 3 {
                order.has_planes = bits.flag("separate_colour_plane_flag")?;
            }
            luma_depth = bits.ue("bit_depth_luma_minus8")?;
            chroma_depth = bits.ue("bit_depth_chroma_minus8")?;
            bits.skip(1, "qpprime_y_zero_transform_bypass_flag")?;
            scaling_matrix(&mut bits, if chroma_format == 3 { 12 } else { 8 })?;
        }
        frame_numbers(&mut bits, &mut order)?;
        let (width, height) = picture_size(&mut bits, chroma_format, &mut order)?;
        let reorder = vui(&mut bits, &mut order).unwrap_or(None);
        Ok(Self {
            width,
            height,
            reorder,
            order,
            chroma_format,
            luma_depth,
            chroma_depth,
        })
    }
}

fn scaling_matrix(bits: &mut Bits<'_>, lists: usize) -> Result<(), CodecError> {
    const FIELD: &str = "seq_scaling_matrix";
    if !bits.flag(FIELD)? {
        return Ok(());
    }
    for list in 0..lists {
        if !bits.flag(FIELD)? {
            continue;
        }
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                let code = i64::from(bits.ue(FIELD)?);
                let delta = if code % 2 == 0 {
                    -(code / 2)
                } else {
                    code / 2 + 1
                };
                next = (last + delta).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
    }
    Ok(())
}

fn frame_numbers(bits: &mut Bits<'_>, order: &mut Order) -> Result<(), CodecError> {
    order.frame_bits = number_bits(bits, "log2_max_frame_num_minus4")?;
    match bits.ue("pic_order_cnt_type")? {
        0 => {
            let order_bits = number_bits(bits, "log2_max_pic_order_cnt_lsb_minus4")?;
            order.order_bits = Some(order_bits);
        }
        1 => {
            bits.skip(1, "delta_pic_order_always_zero_flag")?;
            bits.skip_se("offset_for_non_ref_pic")?;
            bits.skip_se("offset_for_top_to_bottom_field")?;
            let count = bits.ue("num_ref_frames_in_pic_order_cnt_cycle")?;
            if count > 255 {
                let field = "num_ref_frames_in_pic_order_cnt_cycle";
                return Err(bits.wrong(field, "at most 255", count));
            }
            for _ in 0..count {
                bits.skip_se("offset_for_ref_frame")?;
            }
        }
        _ => {}
    }
    bits.ue("max_num_ref_frames")?;
    bits.skip(1, "gaps_in_frame_num_value_allowed_flag")
}

fn number_bits(bits: &mut Bits<'_>, field: &'static str) -> Result<usize, CodecError> {
    match bits.ue(field)? {
        more @ 0..=12 => Ok(more as usize + 4),
        more => Err(bits.wrong(field, "at most 12", more)),
    }
}

fn picture_size(
    bits: &mut Bits<'_>,
    chroma_format: u32,
    order: &mut Order,
) -> Result<(u32, u32), CodecError> {
    let width = bits.ue("pic_width_in_mbs_minus1")?;
    let height = bits.ue("pic_height_in_map_units_minus1")?;
    if width >= MAX_BLOCKS || height >= MAX_BLOCKS {
        let field = "pic_width_in_mbs_minus1";
        return Err(bits.wrong(
            field,
            "pictures of at most 65536 pixels a side",
            width.max(height),
        ));
    }
    let frames_only = bits.flag("frame_mbs_only_flag")?;
    order.has_fields = !frames_only;
    if !frames_only {
        bits.skip(1, "mb_adaptive_frame_field_flag")?;
    }
    bits.skip(1, "direct_8x8_inference_flag")?;
    let fields = if frames_only { 1 } else { 2 };
    let (mut width, mut height) = ((width + 1) * 16, (height + 1) * 16 * fields);
    if bits.flag("frame_cropping_flag")? {
        let unit_x = if matches!(chroma_format, 1 | 2) { 2 } else { 1 };
        let unit_y = if chroma_format == 1 { 2 } else { 1 } * fields;
        for (side, unit) in [(0, unit_x), (0, unit_x), (1, unit_y), (1, unit_y)] {
            let crop = bits.ue("frame_crop_offset")?.saturating_mul(unit);
            let side = if side == 0 { &mut width } else { &mut height };
            *side = side.saturating_sub(crop);
        }
    }
    Ok((width, height))
}

/// `max_num_reorder_frames` of the VUI, if the stream has it; its timing goes into `order`.
fn vui(bits: &mut Bits<'_>, order: &mut Order) -> Result<Option<u32>, CodecError> {
    const FIELD: &str = "vui_parameters";
    if !bits.flag(FIELD)? {
        return Ok(None);
    }
    if bits.flag(FIELD)? && bits.read(8, FIELD)? == EXTENDED_SAR {
        bits.skip(32, FIELD)?;
    }
    if bits.flag(FIELD)? {
        bits.skip(1, FIELD)?;
    }
    if bits.flag(FIELD)? {
        bits.skip(4, FIELD)?;
        if bits.flag(FIELD)? {
            bits.skip(24, FIELD)?;
        }
    }
    if bits.flag(FIELD)? {
        bits.ue(FIELD)?;
        bits.ue(FIELD)?;
    }
    if bits.flag(FIELD)? {
        let (ticks, scale) = (bits.read(32, FIELD)?, bits.read(32, FIELD)?);
        // A tick is a field, and a picture two.
        let ticks = ticks.saturating_mul(2);
        // Less than a picture in ten seconds is damage.
        let is_rate = ticks > 0 && ticks / 10 <= scale && scale > 0;
        order.timing = is_rate.then_some((ticks, scale));
        bits.skip(1, FIELD)?;
    }
    let has_nal = hrd(bits)?;
    let has_vcl = hrd(bits)?;
    if has_nal || has_vcl {
        bits.skip(1, FIELD)?;
    }
    bits.skip(1, FIELD)?;
    if !bits.flag(FIELD)? {
        return Ok(None);
    }
    bits.skip(1, FIELD)?;
    for _ in 0..4 {
        bits.ue(FIELD)?;
    }
    bits.ue("max_num_reorder_frames").map(Some)
}

fn hrd(bits: &mut Bits<'_>) -> Result<bool, CodecError> {
    const FIELD: &str = "hrd_parameters";
    if !bits.flag(FIELD)? {
        return Ok(false);
    }
    let count = bits.ue(FIELD)?;
    if count > 31 {
        return Err(bits.wrong("cpb_cnt_minus1", "at most 31", count));
    }
    bits.skip(8, FIELD)?;
    for _ in 0..=count {
        bits.ue(FIELD)?;
        bits.ue(FIELD)?;
        bits.skip(1, FIELD)?;
    }
    bits.skip(20, FIELD)?;
    Ok(true)
}

const HIGH_PROFILES: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

const EXTENDED_SAR: u32 = 255;

/// Of 16 pixels.
const MAX_BLOCKS: u32 = 4_096;
