//! What the description of a recording says of the application, in the few phrases that it uses.

use std::ops::Range;

use moq_session::BroadcastPath;

/// Which groups were there, and how many frames they had.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(crate) groups: Range<u64>,
    pub(crate) frames: Option<u64>,
}

fn words(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || ",;:()".contains(c));
    let words = words.map(|word| word.trim_end_matches('.'));
    words.filter(|word| !word.is_empty()).collect()
}

fn number(word: &str) -> Option<u64> {
    let named = ["zero", "one", "two", "three", "four", "five", "six"];
    let named = named.iter().position(|name| *name == word);
    word.parse()
        .ok()
        .or_else(|| named.and_then(|n| n.try_into().ok()))
}

/// "groups 0 and 1 of two frames exist", "Groups 0..3 of three frames each exist", "group 0 has
/// only two frames".
pub(crate) fn groups(description: &str) -> Groups {
    let words = words(description);
    let mut found = Groups::default();
    for (at, word) in words.iter().enumerate() {
        let next = |n: usize| words.get(at + n).copied().unwrap_or_default();
        let is_there = words.contains(&"exist");
        if word.eq_ignore_ascii_case("groups") && is_there {
            let range = next(1).split_once("..");
            let bounds = match range {
                Some((first, last)) => number(first).zip(number(last)),
                None if next(2) == "and" => number(next(1)).zip(number(next(3))),
                None => None,
            };
            if let Some((first, last)) = bounds {
                found.groups = first..last.saturating_add(1);
            }
        }
        if next(1) == "frames" {
            found.frames = found.frames.or_else(|| number(word));
        }
    }
    found
}

/// "the broader route room is presented clamped": a path above another one.
pub(crate) fn broader(description: &str, path: &BroadcastPath) -> Option<BroadcastPath> {
    let words = words(description);
    let routes = words.windows(2).filter(|pair| pair[0] == "route");
    let mut paths = routes.filter_map(|pair| BroadcastPath::new(pair[1]).ok());
    paths.find(|route| !route.is_root() && route != path && path.has_prefix(route))
}

/// "the publisher's route via77 has 77 in its chain", "Hop ID 77, which appears in the chain of
/// the publisher's route via77": the path of a route through a hop.
pub(crate) fn route_through(description: &str, hop: u64) -> Option<BroadcastPath> {
    let words = words(description);
    let is_meant = words.contains(&"chain") && words.iter().any(|word| number(word) == Some(hop));
    let mut routes = words.windows(2).filter(|pair| pair[0] == "route");
    let route = routes.find_map(|pair| BroadcastPath::new(pair[1]).ok());
    route.filter(|_| is_meant)
}
