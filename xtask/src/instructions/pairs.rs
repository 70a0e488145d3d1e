//! Pairs of benchmarks that do the same work where much more is held.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One function with a small and a large input.
struct Pair {
    /// The crate and the function.
    function: &'static str,
    small: &'static str,
    large: &'static str,
    /// The large one takes at most so many hundredths of what the small one takes.
    most: u64,
}

const PAIRS: &[Pair] = &[
    Pair {
        function: "moq-model append_where_held",
        small: "groups_10",
        large: "groups_10000",
        most: 101,
    },
    Pair {
        function: "moq-model append_at_limit",
        small: "tracks_10",
        large: "tracks_10000",
        most: 150,
    },
    Pair {
        function: "moq-model append_beside",
        small: "stuck_0",
        large: "stuck_1",
        most: 102,
    },
    Pair {
        function: "moq-session relayed_beside",
        small: "stuck_0",
        large: "stuck_1",
        most: 105,
    },
];

/// A table of the pairs, and which of them grow by more than they may.
pub(super) fn check(counts: &BTreeMap<String, u64>) -> (String, Vec<String>) {
    check_all(PAIRS, counts)
}

fn check_all(pairs: &[Pair], counts: &BTreeMap<String, u64>) -> (String, Vec<String>) {
    let mut table =
        "\n| benchmark | small | large | ratio | most |\n|---|--:|--:|--:|--:|\n".to_owned();
    let mut missed = Vec::new();
    for pair in pairs {
        let Pair {
            function,
            small,
            large,
            most,
        } = pair;
        let of = |input: &str| counts.get(&format!("{function} {input}")).copied();
        let (Some(less), Some(more)) = (of(small), of(large)) else {
            missed.push(format!(
                "{function} was not counted for {small} and {large}"
            ));
            continue;
        };
        let (ratio, most_ratio) = (more as f64 / less as f64, *most as f64 / 100.0);
        let _ = writeln!(
            table,
            "| {function}, {small} and {large} | {less} | {more} | {ratio:.3} | {most_ratio:.2} |"
        );
        if more * 100 > less * most {
            missed.push(format!(
                "{function} takes {ratio:.3} times as much for {large} as for {small}, not at most {most_ratio:.2}"
            ));
        }
    }
    (table, missed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Pair = Pair {
        function: "moq-model append",
        small: "few",
        large: "many",
        most: 101,
    };

    fn missed(few: u64, many: u64) -> Vec<String> {
        let of = |input: &str| format!("moq-model append {input}");
        let counts = BTreeMap::from([(of("few"), few), (of("many"), many)]);
        check_all(&[PAIR], &counts).1
    }

    #[test]
    fn ratio_above_the_most_is_named() {
        assert!(missed(1_000, 1_010).is_empty());
        assert!(missed(1_000, 10).is_empty());
        let expected =
            "moq-model append takes 1.011 times as much for many as for few, not at most 1.01";
        assert_eq!(missed(1_000, 1_011), [expected]);
    }

    #[test]
    fn pair_that_was_not_counted_is_named() {
        let counts = BTreeMap::from([("moq-model append few".to_owned(), 1)]);
        let (_, missed) = check_all(&[PAIR], &counts);
        assert_eq!(
            missed,
            ["moq-model append was not counted for few and many"]
        );
    }
}
