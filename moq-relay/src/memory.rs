//! How much memory a cache may take.

/// A quarter of the machine's memory, at most `most` bytes.
#[must_use]
pub fn quarter(most: u64) -> u64 {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    limit(total(&info), most)
}

fn limit(total: Option<u64>, most: u64) -> u64 {
    total.map_or(most, |total| (total / 4).min(most))
}

/// The machine's memory in bytes, by Linux' own account.
fn total(info: &str) -> Option<u64> {
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1 << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_machine_keeps_most_of_its_memory() {
        assert_eq!(
            total("MemTotal:         524288 kB\nMemFree: 1 kB\n"),
            Some(512 << 20)
        );
        assert_eq!(limit(Some(512 << 20), 256 << 20), 128 << 20);
        assert_eq!(limit(Some(64 << 30), 256 << 20), 256 << 20);
    }

    #[test]
    fn where_nothing_is_known_the_most_is_assumed() {
        assert_eq!(total("nonsense"), None);
        assert_eq!(limit(None, 256 << 20), 256 << 20);
    }
}
