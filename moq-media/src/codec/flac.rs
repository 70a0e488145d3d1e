//! FLAC: `dfLa`, and the native header that WebCodecs takes.

use bytes::Bytes;

use super::CodecError;

/// The WebCodecs description of a `dfLa`: `fLaC` and its metadata blocks.
///
/// # Errors
/// [`CodecError::Truncated`] without a STREAMINFO.
pub fn description(dfla: &[u8]) -> Result<Bytes, CodecError> {
    // Version and flags come first.
    let blocks = dfla.get(4..).unwrap_or_default();
    stream_info(blocks)?;
    let mut description = MAGIC.to_vec();
    description.extend_from_slice(blocks);
    Ok(description.into())
}

/// The body of a `dfLa`, from its version on, of a WebCodecs description.
///
/// # Errors
/// [`CodecError::Truncated`] without `fLaC` and a STREAMINFO.
pub fn dfla(description: &[u8]) -> Result<Bytes, CodecError> {
    let blocks = description.strip_prefix(MAGIC).unwrap_or_default();
    stream_info(blocks)?;
    let mut record = vec![0; 4];
    record.extend_from_slice(blocks);
    Ok(record.into())
}

/// Samples per second and channels of a WebCodecs description.
///
/// # Errors
/// [`CodecError::Truncated`] without `fLaC` and a STREAMINFO.
pub fn shape(description: &[u8]) -> Result<(u32, u32), CodecError> {
    let blocks = description.strip_prefix(MAGIC).unwrap_or_default();
    let info = stream_info(blocks)?;
    let rate = u32::from_be_bytes([0, info[10], info[11], info[12]]) >> 4;
    Ok((rate, u32::from(info[12] >> 1 & 7) + 1))
}

fn stream_info(blocks: &[u8]) -> Result<&[u8; 34], CodecError> {
    let info = match blocks {
        [head, 0, 0, 34, rest @ ..] if head & 0x7f == 0 => rest.first_chunk::<34>(),
        _ => None,
    };
    info.ok_or(CodecError::Truncated {
        record: "FLAC header",
        field: "STREAMINFO",
    })
}

const MAGIC: &[u8] = b"fLaC";

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Vec<u8> {
        let mut record = vec![0, 0, 0, 0, 0x80, 0, 0, 34];
        record.extend([0; 10]);
        record.extend([0x0a, 0xc4, 0x42, 0xf0]);
        record.extend([0; 20]);
        record
    }

    #[test]
    fn record_and_description_carry_the_same() {
        let description = description(&record()).unwrap();
        assert_eq!(shape(&description), Ok((44_100, 2)));
        assert_eq!(&dfla(&description).unwrap()[..], record());
    }

    #[test]
    fn missing_stream_info_is_an_error() {
        assert!(description(&record()[..41]).is_err());
        assert!(description(&[]).is_err());
        assert!(dfla(b"Ogg").is_err());
    }
}
