//! Values of flags: durations, sizes, URLs, paths, versions.

use std::str::FromStr;
use std::time::Duration;

use moq_media::timeline::Scale;
use moq_session::{BroadcastPath, Version};
use url::Url;

/// Reads `10s`, `500ms`, `1.5s`, `2m`, `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let unit = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => return Err("write it like 10s, 500ms or 2m".into()),
    };
    let seconds = number.parse::<f64>().map(|number| number * unit);
    seconds
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| *duration <= MAX_DURATION)
        .ok_or_else(|| "write it like 10s, 500ms or 2m, at most a year".into())
}

/// Reads `65536`, `64k`, `64KiB`, `1M`, `1MiB`: units are powers of 1 024, those in `B` alone
/// powers of 1 000.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = split(text);
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "ki" | "kib" => 1 << 10,
        "m" | "mi" | "mib" => 1 << 20,
        "g" | "gi" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err("write it like 64k or 1MiB".into()),
    };
    let number = number.parse::<usize>().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "write it like 64k or 1MiB".into())
}

/// Reads a size that a group can have.
pub(super) fn group_size(text: &str) -> Result<usize, String> {
    let size = size(text)?;
    if (1..=MAX_GROUP).contains(&size) {
        Ok(size)
    } else {
        Err("a group has 1 byte to 32MiB".into())
    }
}

/// Reads a size that a file can have.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    u64::try_from(size(text)?).map_err(|_| "that is too much".to_owned())
}

/// Reads how much a subscriber holds.
pub(super) fn buffer(text: &str) -> Result<u64, String> {
    let size = u64::try_from(size(text)?).map_err(|_| "that is too much".to_owned())?;
    if size >= MIN_BUFFER {
        Ok(size)
    } else {
        Err("give it at least 1MiB".into())
    }
}

/// Reads a server's URL.
pub(super) fn url(text: &str) -> Result<Url, String> {
    const EXAMPLE: &str = "write it like https://host:port/path or moqt://host:port/path";
    let url = Url::parse(text).map_err(|error| format!("{error}; {EXAMPLE}"))?;
    if !matches!(url.scheme(), "https" | "http" | "moqt" | "moql") {
        let scheme = url.scheme();
        return Err(format!(
            "the scheme is `{scheme}`, not https, http, moqt or moql; {EXAMPLE}"
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(format!("it names no host; {EXAMPLE}"));
    }
    if url.port() == Some(0) {
        return Err(format!("its port is 0; {EXAMPLE}"));
    }
    Ok(url)
}

/// Reads a broadcast's path.
pub(super) fn path(text: &str) -> Result<BroadcastPath, String> {
    BroadcastPath::new(text).map_err(|error| error.to_string())
}

/// Reads the name of a version.
pub(super) fn version(text: &str) -> Result<Version, String> {
    text.parse().map_err(|_| {
        let known: Vec<_> = Version::OFFERED
            .iter()
            .map(|version| version.name())
            .collect();
        format!("known versions are {}", known.join(", "))
    })
}

/// Reads the name of any version, also of one that sessions do not speak.
pub(super) fn any_version(text: &str) -> Result<Version, String> {
    let mut all = Version::ALL.iter().copied();
    all.find(|version| version.name() == text).ok_or_else(|| {
        let known: Vec<_> = Version::ALL.iter().map(|version| version.name()).collect();
        format!("known versions are {}", known.join(", "))
    })
}

/// A number and its unit.
fn split(text: &str) -> (&str, &str) {
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    text.split_at(unit.unwrap_or(text.len()))
}

/// What a group can hold.
const MAX_GROUP: usize = 32 << 20;
const MIN_BUFFER: u64 = 1 << 20;

/// Longer ones would overflow sums of points in time.
const MAX_DURATION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Pictures per second, as ticks per second and of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PictureRate {
    /// Ticks per second.
    pub(crate) scale: Scale,
    /// Ticks of a picture.
    pub(crate) duration: u32,
}

impl FromStr for PictureRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (pictures, seconds) = text.split_once('/').unwrap_or((text, "1"));
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
        let rate = number(pictures).zip(number(seconds));
        let rate = rate.and_then(|(pictures, duration)| Some((Scale::new(pictures)?, duration)));
        let rate = rate.filter(|(scale, duration)| duration / 10 <= scale.ticks());
        rate.map(|(scale, duration)| Self { scale, duration })
            .ok_or_else(|| "give pictures per second: 25 or 30000/1001".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, millis) in [
            ("10s", 10_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "10",
            "s",
            "-1s",
            "1d",
            "1e3s",
            "99999999h",
            "NaNs",
            "1.2.3s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_may_have_units() {
        for (text, bytes) in [
            ("1", 1),
            ("64k", 65_536),
            ("1MiB", 1 << 20),
            ("2M", 2 << 20),
            ("1kB", 1_000),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "k",
            "1.5M",
            "-1",
            "1x",
            "99999999999999999999",
            "99999999999999G",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(group_size("32MiB"), Ok(32 << 20));
        assert!(group_size("0").is_err() && group_size("33MiB").is_err());
        assert_eq!(buffer("2GiB"), Ok(2 << 30));
        assert!(buffer("1000").is_err());
    }

    #[test]
    fn urls_say_what_is_wrong_with_them() {
        for good in [
            "https://h",
            "http://h:1/a?jwt=b",
            "moqt://[::1]:4443/x",
            "moql://127.0.0.1",
        ] {
            assert!(url(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("wss://h", "`wss`"),
            ("localhost:4443", "`localhost`"),
            ("nonsense", "relative URL without a base"),
            ("moqt:///x", "no host"),
            ("https://h:0", "port is 0"),
            ("https://h:99999", "invalid port"),
        ] {
            let error = url(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }
}
