//! Parameters of the handshake. Only other protocols give them a meaning.

use bytes::{Bytes, BytesMut};

use super::FORM;
use crate::codec::{Decode, Encode, put_bytes, take_bytes};
use crate::error::DecodeError;
use crate::limits::MAX_HANDSHAKE_PARAMETERS;
use crate::version::Version;

/// Something else that one side of a handshake says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// What it is about. Its lowest bit says of which kind the value is.
    pub id: u64,
    /// A number if the id is even, bytes if it is odd.
    pub value: ParameterValue,
}

/// The value of a [`Parameter`].
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

impl Encode for Parameter {
    fn encode(&self, buf: &mut BytesMut, version: Version) {
        self.id.encode(buf, version);
        match &self.value {
            ParameterValue::Number(number) => number.encode(buf, version),
            ParameterValue::Bytes(bytes) => put_bytes(bytes, buf, version),
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

pub(super) fn put_parameters(parameters: &[Parameter], buf: &mut BytesMut) {
    (parameters.len() as u64).encode(buf, FORM);
    for parameter in parameters {
        parameter.encode(buf, FORM);
    }
}

pub(super) fn take_parameters(
    buf: &mut Bytes,
    version: Version,
) -> Result<Vec<Parameter>, DecodeError> {
    let count = u64::decode(buf, version)?;
    if count > MAX_HANDSHAKE_PARAMETERS {
        return Err(DecodeError::TooManyParameters);
    }
    // To grow step by step would take twice the room, which is much for what may be a few bytes each.
    let possible = buf.len() / SMALLEST_PARAMETER;
    let mut parameters =
        Vec::with_capacity(possible.min(usize::try_from(count).unwrap_or(possible)));
    for _ in 0..count {
        parameters.push(Parameter::decode(buf, version)?);
    }
    Ok(parameters)
}

/// An id and a value of one byte each.
const SMALLEST_PARAMETER: usize = 2;
