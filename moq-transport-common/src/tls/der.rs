//! The one field of a certificate that rustls does not tell: when it ends.

use std::time::{Duration, SystemTime};

/// The end of a certificate's validity, or `None` if it cannot be read.
pub(crate) fn not_after(certificate: &[u8]) -> Option<SystemTime> {
    let (_, mut certificate) = element(certificate, SEQUENCE)?;
    let (_, mut fields) = element(take(&mut certificate)?, SEQUENCE)?;
    if fields.first() == Some(&EXPLICIT_VERSION) {
        take(&mut fields)?;
    }
    for _serial_algorithm_issuer in 0..3 {
        take(&mut fields)?;
    }
    let (_, mut validity) = element(take(&mut fields)?, SEQUENCE)?;
    let _not_before = take(&mut validity)?;
    let not_after = take(&mut validity)?;
    match *not_after.first()? {
        UTC_TIME => {
            let (_, text) = element(not_after, UTC_TIME)?;
            let year = number(text.get(..2)?)?;
            // The standard puts two-digit years into 1950 to 2049.
            time(
                if year < 50 { 2000 + year } else { 1900 + year },
                text.get(2..)?,
            )
        }
        _ => {
            let (_, text) = element(not_after, GENERALIZED_TIME)?;
            time(number(text.get(..4)?)?, text.get(4..)?)
        }
    }
}

/// Takes one whole element, with its tag and length, off the front.
fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, _) = element(bytes, *bytes.first()?)?;
    let (taken, rest) = bytes.split_at(len);
    *bytes = rest;
    Some(taken)
}

/// The length of the element at the front, tag and all, and its content.
fn element(bytes: &[u8], tag: u8) -> Option<(usize, &[u8])> {
    if *bytes.first()? != tag {
        return None;
    }
    let first = *bytes.get(1)?;
    let (start, len) = match first {
        0..=0x7f => (2, usize::from(first)),
        // Two bytes of length are enough for any certificate worth reading.
        0x81 => (3, usize::from(*bytes.get(2)?)),
        0x82 => (
            4,
            usize::from(*bytes.get(2)?) << 8 | usize::from(*bytes.get(3)?),
        ),
        _ => return None,
    };
    Some((start + len, bytes.get(start..start + len)?))
}

/// A time from its year and `MMDDhhmmssZ`.
fn time(year: u64, rest: &[u8]) -> Option<SystemTime> {
    let field = |at: usize| number(rest.get(at..at + 2)?);
    let (month, day) = (field(0)?, field(2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || rest.get(10) != Some(&b'Z') {
        return None;
    }
    let seconds = (field(4)? * 60 + field(6)?) * 60 + field(8)?;
    let since_epoch = days(year, month, day)? * 86_400 + seconds;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(since_epoch))
}

/// Days from 1970 to a date of the Gregorian calendar; `None` for earlier ones.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    // Years are counted from March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year.checked_sub(1)?, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    (year * 365 + leap_days + (month * 153 + 2) / 5 + day).checked_sub(719_469)
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + u64::from(digit - b'0'))
    })
}

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const EXPLICIT_VERSION: u8 = 0xa0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_seconds() {
        let seconds = |year, rest: &str| {
            let time = time(year, rest.as_bytes())?;
            Some(
                time.duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap()
                    .as_secs(),
            )
        };
        assert_eq!(seconds(1970, "0101000000Z"), Some(0));
        assert_eq!(seconds(2000, "0229000001Z"), Some(951_782_401));
        assert_eq!(seconds(2026, "1231235959Z"), Some(1_798_761_599));
        assert_eq!(seconds(2026, "1331235959Z"), None);
        assert_eq!(seconds(1969, "1231235959Z"), None);
        assert_eq!(seconds(2026, "0101000000"), None);
    }

    #[test]
    fn cut_and_foreign_bytes_have_no_end() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x82, 0xff],
            &[0x30, 0x03, 0x30, 0x01, 0xa0],
        ] {
            assert_eq!(not_after(bytes), None);
        }
    }
}
