//! What this process costs itself.

use std::time::Duration;

/// CPU time of all threads so far, where the system tells.
pub(super) fn own() -> Option<Duration> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    tasks
        .map(|task| {
            // A thread may end between being listed and being read.
            let schedstat = std::fs::read_to_string(task.ok()?.path().join("schedstat"));
            schedstat.map_or(Some(Duration::ZERO), |schedstat| parse(&schedstat))
        })
        .sum()
}

fn parse(schedstat: &str) -> Option<Duration> {
    let nanos = schedstat.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_figure_is_the_time_on_a_cpu() {
        assert_eq!(parse("1500 7 3\n"), Some(Duration::from_nanos(1_500)));
        assert_eq!(parse("nonsense"), None);
    }
}
