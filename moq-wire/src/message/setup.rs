//! SETUP: what one side of a session says about itself.

use bytes::{Buf, Bytes, BytesMut};

use crate::codec::{Decode, Encode, decode_body, take_bytes};
use crate::envelope::put_typed_message;
use crate::error::{DecodeError, EncodeError};
use crate::id::HopId;
use crate::limits::MAX_SETUP_PARAMETERS;
use crate::varint;
use crate::version::Version;

/// What one side of a session says about itself. The only message on a Setup stream.
///
/// Parameters this crate does not know are skipped, and are gone when the message is encoded again.
///
/// Draft: SETUP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setup {
    /// What the sender can do for Probe streams.
    pub probe: ProbeLevel,
    /// Path and query of the session's URL, where the binding has no other place for them. An empty
    /// one is never written, and reads as `None`.
    pub path: Option<String>,
    /// What the sender is going to do; `None` means both.
    pub role: Option<Role>,
    /// The sender's price for traffic over this link, in the units of route costs, at most 62 bits.
    pub cost: Option<u64>,
    /// Who the sender is. The anonymous hop is never written, and reads as `None`.
    pub hop: Option<HopId>,
}

/// What a publisher can do for Probe streams. Draft: SETUP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum ProbeLevel {
    /// Nothing.
    #[default]
    None,
    /// It reports estimates.
    Report,
    /// It also sends padding to reach a target. Higher levels read as this one.
    Increase,
}

/// The one thing a side is going to do. Draft: SETUP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// It only publishes.
    Publisher,
    /// It only subscribes.
    Subscriber,
}

impl Encode for Setup {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        let probe = match self.probe {
            ProbeLevel::None => None,
            ProbeLevel::Report => Some(1_u64),
            ProbeLevel::Increase => Some(2),
        };
        let role = self.role.map(|role| match role {
            Role::Publisher => 1_u64,
            Role::Subscriber => 2,
        });
        let path = self.path.as_ref().filter(|path| !path.is_empty());
        let hop = self.hop.filter(|hop| !hop.is_anonymous());

        let present = [
            probe.is_some(),
            path.is_some(),
            role.is_some(),
            self.cost.is_some(),
            hop.is_some(),
        ];
        let count = present.into_iter().map(u64::from).sum::<u64>();
        count.encode(buf, version)?;
        put_parameter(PROBE, probe, buf, version)?;
        put_parameter(PATH, path.map(|path| Raw(path)), buf, version)?;
        put_parameter(ROLE, role, buf, version)?;
        put_parameter(COST, self.cost, buf, version)?;
        put_parameter(HOP, hop, buf, version)
    }
}

impl Decode for Setup {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let mut setup = Self::default();
        each_parameter(buf, version, |id, value| setup.apply(id, value, version))?;
        Ok(setup)
    }
}

impl Setup {
    /// Every parameter of a body in its order, those included that this crate does not know: id and
    /// value.
    ///
    /// # Errors
    /// As for [`Decode::decode`], but for what is wrong with a value.
    ///
    /// Draft: SETUP.
    pub fn parameters(buf: &mut Bytes, version: Version) -> Result<Vec<(u64, Bytes)>, DecodeError> {
        let mut parameters = Vec::new();
        each_parameter(buf, version, |id, value| {
            parameters.push((id, value));
            Ok(())
        })?;
        Ok(parameters)
    }

    /// The name of a parameter that this crate knows.
    #[must_use]
    pub const fn parameter_name(id: u64) -> Option<&'static str> {
        match id {
            PROBE => Some("Probe"),
            PATH => Some("Path"),
            ROLE => Some("Role"),
            COST => Some("Cost"),
            HOP => Some("Hop"),
            _ => None,
        }
    }

    /// Takes over one parameter that was received.
    fn apply(&mut self, id: u64, value: Bytes, version: Version) -> Result<(), DecodeError> {
        match id {
            PROBE => {
                self.probe = match decode_body(value, version)? {
                    0_u64 => ProbeLevel::None,
                    1 => ProbeLevel::Report,
                    _ => ProbeLevel::Increase,
                }
            }
            PATH => {
                let path = str::from_utf8(&value).map_err(|_| DecodeError::Utf8)?;
                self.path = Some(path).filter(|path| !path.is_empty()).map(String::from);
            }
            ROLE => {
                self.role = match decode_body(value, version)? {
                    1_u64 => Some(Role::Publisher),
                    2 => Some(Role::Subscriber),
                    _ => None,
                }
            }
            COST => self.cost = Some(decode_body(value, version)?),
            HOP => {
                self.hop =
                    Some(decode_body(value, version)?).filter(|hop: &HopId| !hop.is_anonymous())
            }
            _ => {}
        }
        Ok(())
    }
}

/// Takes all parameters off the front of `buf`, up to the first that is wrong or that `apply` refuses.
fn each_parameter(
    buf: &mut Bytes,
    version: Version,
    mut apply: impl FnMut(u64, Bytes) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let (count, size) = varint::peek(buf, version)?.ok_or(DecodeError::PastEnd)?;
    if count > MAX_SETUP_PARAMETERS as u64 {
        return Err(DecodeError::TooManyParameters);
    }
    buf.advance(size);
    let mut seen = Vec::new();
    for _ in 0..count {
        let mut rest = buf.clone();
        let id = u64::decode(&mut rest, version)?;
        if seen.contains(&id) {
            return Err(DecodeError::RepeatedParameter(id));
        }
        seen.push(id);
        let value = take_bytes(&mut rest, version)?;
        apply(id, value)?;
        *buf = rest;
    }
    Ok(())
}

/// Text whose length is that of the parameter around it.
struct Raw<'a>(&'a str);

impl Encode for Raw<'_> {
    fn encode(&self, buf: &mut BytesMut, _version: Version) -> Result<(), EncodeError> {
        buf.extend_from_slice(self.0.as_bytes());
        Ok(())
    }
}

fn put_parameter(
    id: u64,
    value: Option<impl Encode>,
    buf: &mut BytesMut,
    version: Version,
) -> Result<(), EncodeError> {
    let Some(value) = value else {
        return Ok(());
    };
    put_typed_message(id, buf, version, |buf| value.encode(buf, version))
}

const PROBE: u64 = 0x1;
const PATH: u64 = 0x2;
const ROLE: u64 = 0x3;
const COST: u64 = 0x4;
const HOP: u64 = 0x5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_free_and_unknown_parameters_are_skipped() {
        let setup = decode(b"\x03\x05\x02\x62\x22\x40\x99\x03abc\x03\x01\x02").unwrap();
        let expected = Setup {
            role: Some(Role::Subscriber),
            hop: Some(HopId(0x2222)),
            ..Setup::default()
        };
        assert_eq!(setup, expected);
    }

    // spec: SETUP, "an id may occur once"
    #[test]
    fn a_repeated_parameter_is_refused_even_if_unknown() {
        assert_eq!(
            decode(b"\x02\x03\x01\x01\x03\x01\x01"),
            Err(DecodeError::RepeatedParameter(3))
        );
        assert_eq!(
            decode(b"\x02\x09\x00\x09\x00"),
            Err(DecodeError::RepeatedParameter(9))
        );
    }

    #[test]
    fn a_number_fills_its_parameter() {
        assert_eq!(decode(b"\x01\x04\x02\x07\x00"), Err(DecodeError::Trailing));
        assert_eq!(decode(b"\x01\x04\x00"), Err(DecodeError::PastEnd));
        assert_eq!(decode(b"\x01\x04\x02\x40\x07").unwrap().cost, Some(7));
    }

    #[test]
    fn odd_values_have_a_meaning() {
        for (level, probe) in [
            (0, ProbeLevel::None),
            (1, ProbeLevel::Report),
            (2, ProbeLevel::Increase),
            (9, ProbeLevel::Increase),
        ] {
            assert_eq!(decode(&[1, 1, 1, level]).unwrap().probe, probe);
        }
        for neutral in [
            b"\x01\x01\x01\x00",
            b"\x01\x03\x01\x09",
            b"\x01\x05\x01\x00",
        ] {
            assert_eq!(decode(neutral), Ok(Setup::default()));
        }
        assert_eq!(decode(b"\x01\x02\x00"), Ok(Setup::default()));
    }

    #[test]
    fn parameters_are_counted() {
        // Two bytes for the count and for each id.
        let setup = |count: u8| {
            let parameters = (0..count).flat_map(|n| [0x41, n, 0]);
            [0x40, count]
                .into_iter()
                .chain(parameters)
                .collect::<Vec<_>>()
        };
        assert_eq!(decode(&setup(63)), Ok(Setup::default()));
        assert_eq!(decode(&setup(64)), Ok(Setup::default()));
        assert_eq!(decode(&setup(65)), Err(DecodeError::TooManyParameters));
    }

    #[test]
    fn parameters_are_told_as_they_stand() {
        let mut body = Bytes::from_static(b"\x02\x05\x02\x62\x22\x40\x99\x03abc");
        let told = Setup::parameters(&mut body, Version::Lite06).unwrap();
        let names = told.iter().map(|&(id, _)| Setup::parameter_name(id));
        assert_eq!(names.collect::<Vec<_>>(), [Some("Hop"), None]);
        assert_eq!(told[1], (0x99, Bytes::from_static(b"abc")));
    }

    #[test]
    fn an_error_leaves_the_parameter_that_is_wrong() {
        let mut body = Bytes::from_static(b"\x02\x04\x01\x07\x04\x01\x07");
        assert!(Setup::decode(&mut body, Version::Lite06).is_err());
        assert_eq!(body, b"\x04\x01\x07"[..]);
    }

    fn decode(body: &[u8]) -> Result<Setup, DecodeError> {
        decode_body(Bytes::copy_from_slice(body), Version::Lite06)
    }
}
