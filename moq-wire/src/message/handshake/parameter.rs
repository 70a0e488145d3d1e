//! Parameters of the handshake. Only other protocols give them a meaning.

use bytes::{Bytes, BytesMut};

use super::FORM;
use crate::codec::{Decode, Encode, decode_checked, put_bytes, take_bytes};
use crate::error::{DecodeError, EncodeError};
use crate::limits::MAX_HANDSHAKE_PARAMETERS;
use crate::version::Version;

/// Something else that one side of a handshake says.
///
/// Draft: SETUP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// What it is about. Its lowest bit says of which kind the value is.
    pub id: u64,
    /// A number if the id is even, bytes if it is odd; nothing else is written.
    pub value: ParameterValue,
}

/// The value of a [`Parameter`].
///
/// Draft: SETUP.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the lowest bit of an id has two values"
)]
pub enum ParameterValue {
    /// Of an even id.
    Number(u64),
    /// Of an odd id.
    Bytes(Bytes),
}

impl Parameter {
    fn is_odd(&self) -> bool {
        self.id % 2 == 1
    }
}

impl Encode for Parameter {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        self.id.encode(buf, version)?;
        match &self.value {
            ParameterValue::Number(number) if !self.is_odd() => number.encode(buf, version),
            ParameterValue::Bytes(bytes) if self.is_odd() => put_bytes(bytes, buf, version),
            _ => Err(EncodeError::ParameterKind(self.id)),
        }
    }
}

impl Decode for Parameter {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        let id = u64::decode(buf, version)?;
        let value = if id % 2 == 0 {
            ParameterValue::Number(u64::decode(buf, version)?)
        } else {
            ParameterValue::Bytes(take_bytes(buf, version)?)
        };
        Ok(Self { id, value })
    }
}

pub(super) fn put_parameters(
    parameters: &[Parameter],
    buf: &mut BytesMut,
) -> Result<(), EncodeError> {
    let count = parameters.len() as u64;
    check_count(&count)?;
    count.encode(buf, FORM)?;
    let mut parameters = parameters.iter();
    parameters.try_for_each(|parameter| parameter.encode(buf, FORM))
}

pub(super) fn take_parameters(
    buf: &mut Bytes,
    version: Version,
) -> Result<Vec<Parameter>, DecodeError> {
    let count = decode_checked(buf, version, check_count)?;
    // To grow step by step would take twice the room, which is much for what may be a few bytes each.
    let possible = buf.len() / SMALLEST_PARAMETER;
    let mut parameters =
        Vec::with_capacity(possible.min(usize::try_from(count).unwrap_or(possible)));
    for _ in 0..count {
        parameters.push(Parameter::decode(buf, version)?);
    }
    Ok(parameters)
}

fn check_count(count: &u64) -> Result<(), DecodeError> {
    if *count > MAX_HANDSHAKE_PARAMETERS {
        return Err(DecodeError::TooManyParameters);
    }
    Ok(())
}

/// An id and a value of one byte each.
const SMALLEST_PARAMETER: usize = 2;
