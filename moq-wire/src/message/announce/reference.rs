//! Suffixes and routes as they are spelled: in full, or where the draft can, by what they have in
//! common with an earlier announcement of the stream.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::event::Route;
use crate::codec::{Decode, Encode};
use crate::error::{DecodeError, EncodeError};
use crate::id::HopId;
use crate::limits::MAX_HOPS;
use crate::path::Path;
use crate::varint;
use crate::version::Version;

/// A suffix that may begin as an earlier one does.
pub(super) struct SuffixSpelling {
    /// How far back the earlier one is; 0 for none.
    pub(super) base: u64,
    /// How many of its segments come first.
    keep: u64,
    rest: Path,
}

impl SuffixSpelling {
    /// The suffix, given that of the base.
    pub(super) fn resolve(self, base: Option<&Path>) -> Result<Path, DecodeError> {
        let Some(keep) = kept(self.keep, base.map(|base| base.segments().count()))? else {
            return Ok(self.rest);
        };
        let kept = base.into_iter().flat_map(Path::segments).take(keep);
        let segments = kept.chain(self.rest.segments()).collect::<Vec<_>>();
        Ok(Path::new(&segments.join("/"))?)
    }
}

impl Decode for SuffixSpelling {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let refers = version.features().announce_compression;
        Ok(Self {
            base: take_if(refers, buf, version)?,
            keep: take_if(refers, buf, version)?,
            rest: Path::decode(buf, version)?,
        })
    }
}

/// Appends a suffix in full.
pub(super) fn put_suffix(
    suffix: &Path,
    buf: &mut BytesMut,
    version: Version,
) -> Result<(), EncodeError> {
    let refers = version.features().announce_compression;
    put_zero_if(refers, buf);
    put_zero_if(refers, buf);
    suffix.encode(buf, version)
}

/// A route whose chain may end as an earlier one does.
pub(super) struct RouteSpelling {
    /// How far back the earlier one is; 0 for none.
    pub(super) base: u64,
    /// How many of its hops come last.
    keep: u64,
    rest: Route,
}

impl RouteSpelling {
    /// The route, given the chain of the base.
    pub(super) fn resolve(self, base: Option<&[HopId]>) -> Result<Route, DecodeError> {
        let Some(keep) = kept(self.keep, base.map(<[_]>::len))? else {
            return Ok(self.rest);
        };
        let mut route = self.rest;
        let base = base.unwrap_or_default();
        route.hops.extend_from_slice(&base[base.len() - keep..]);
        check_hops(&route.hops)?;
        Ok(route)
    }
}

impl Decode for RouteSpelling {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let features = version.features();
        let base = take_if(features.announce_compression, buf, version)?;
        let hops = take_hops(buf, version)?;
        let keep = take_if(features.announce_compression, buf, version)?;
        let (warm_cost, cold_cost) = if features.typed_announce {
            (u64::decode(buf, version)?, u64::decode(buf, version)?)
        } else {
            (0, varint::MAX)
        };
        let rest = Route {
            hops,
            warm_cost,
            cold_cost,
        };
        Ok(Self { base, keep, rest })
    }
}

/// Reads a route that stands for itself.
impl Decode for Route {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let spelling = RouteSpelling::decode(buf, version)?;
        match spelling.base {
            0 => spelling.resolve(None),
            base => Err(DecodeError::UnknownBase(base)),
        }
    }
}

/// Writes the route in full.
impl Encode for Route {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        let features = version.features();
        check_hops(&self.hops)?;
        put_zero_if(features.announce_compression, buf);
        put_hops(&self.hops, buf, version)?;
        put_zero_if(features.announce_compression, buf);
        if features.typed_announce {
            self.warm_cost.encode(buf, version)?;
            self.cold_cost.encode(buf, version)?;
        }
        Ok(())
    }
}

/// How much to keep of a base that has `len` parts, if anything.
fn kept(keep: u64, len: Option<usize>) -> Result<Option<usize>, DecodeError> {
    if keep == 0 {
        return Ok(None);
    }
    let possible = usize::try_from(keep)
        .ok()
        .filter(|&keep| len.is_some_and(|len| keep <= len));
    possible.map(Some).ok_or(DecodeError::KeepsTooMuch(keep))
}

fn take_if(exists: bool, buf: &mut Bytes, version: Version) -> Result<u64, DecodeError> {
    if exists {
        u64::decode(buf, version)
    } else {
        Ok(0)
    }
}

/// Appends an integer of 0, which every draft writes as a byte of 0.
fn put_zero_if(exists: bool, buf: &mut BytesMut) {
    if exists {
        buf.put_u8(0);
    }
}

fn put_hops(hops: &[HopId], buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
    let form = version.features().hops;
    if form.has_count() {
        (hops.len() as u64).encode(buf, version)?;
    }
    if form.has_ids() {
        hops.iter().try_for_each(|hop| hop.encode(buf, version))?;
    }
    Ok(())
}

fn take_hops(buf: &mut Bytes, version: Version) -> Result<Vec<HopId>, DecodeError> {
    let form = version.features().hops;
    if !form.has_count() {
        return Ok(Vec::new());
    }
    let (count, size) = varint::peek(buf, version)?.ok_or(DecodeError::PastEnd)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > MAX_HOPS {
        return Err(DecodeError::TooManyHops);
    }
    buf.advance(size);
    if !form.has_ids() {
        return Ok(vec![HopId::ANONYMOUS; count]);
    }
    let mut hops = Vec::with_capacity(count);
    for _ in 0..count {
        let (hop, size) = varint::peek(buf, version)?.ok_or(DecodeError::PastEnd)?;
        let hop = HopId(hop);
        check_hop(hop, &hops)?;
        buf.advance(size);
        hops.push(hop);
    }
    Ok(hops)
}

fn check_hops(hops: &[HopId]) -> Result<(), DecodeError> {
    if hops.len() > MAX_HOPS {
        return Err(DecodeError::TooManyHops);
    }
    let mut hops_before = (0..hops.len()).map(|at| &hops[..at]).zip(hops);
    hops_before.try_for_each(|(before, &hop)| check_hop(hop, before))
}

/// Whether `hop` may follow the hops before it.
fn check_hop(hop: HopId, before: &[HopId]) -> Result<(), DecodeError> {
    if !hop.is_anonymous() && before.contains(&hop) {
        return Err(DecodeError::RepeatedHop(hop.0));
    }
    Ok(())
}
