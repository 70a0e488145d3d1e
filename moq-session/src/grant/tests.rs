use super::*;

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn path(text: &str) -> BroadcastPath {
    text.parse().unwrap()
}

#[test]
fn a_subtree_includes_its_own_root() {
    assert!(pattern("room/**").matches(&path("room")));
    assert!(pattern("room/**").matches(&path("room/a/b")));
    assert!(!pattern("room/**").matches(&path("roommate")));
    assert!(pattern("**").matches(&path("")));
    assert!(pattern("room").matches(&path("room")));
    assert!(!pattern("room").matches(&path("room/a")));
}

#[test]
fn overlap_looks_both_ways() {
    assert!(pattern("room/**").overlaps(&path("room/a")));
    assert!(pattern("room/a").overlaps(&path("room")));
    assert!(!pattern("room").overlaps(&path("room/a")));
    assert!(!pattern("room/**").overlaps(&path("hall")));
}

#[test]
fn announcements_are_asked_for_below_the_literal_part_of_each_pattern() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("", &["**"], &[""]),
        ("anon", &["**"], &[""]),
        ("", &["room/**", "hall", "room/a/**"], &["hall", "room"]),
        ("room", &["room/a/**", "hall/**"], &["a"]),
        ("room/a", &["room/**"], &[""]),
        ("", &["**", "room/.stats/**"], &["", "room/.stats"]),
        ("", &[".x/**", ".x/y"], &[".x"]),
        ("room", &["hall"], &[]),
    ];
    for (root, patterns, expected) in cases {
        let grant = Grant::new(path(root)).publish(patterns.iter().map(|text| pattern(text)));
        let expected: Vec<_> = expected.iter().map(|text| path(text)).collect();
        assert_eq!(
            grant.publish_prefixes(true),
            expected,
            "{root} {patterns:?}"
        );
        let shortest = expected
            .iter()
            .filter(|path| path.as_str() != "room/.stats");
        let shortest: Vec<_> = shortest.cloned().collect();
        assert_eq!(
            grant.publish_prefixes(false),
            shortest,
            "{root} {patterns:?}"
        );
    }
}

#[test]
fn a_pattern_covers_what_lies_in_it() {
    for (wide, narrow) in [("**", "**"), ("**", "a"), ("a/**", "a/b/**"), ("a", "a")] {
        assert!(pattern(wide).covers(&pattern(narrow)), "{wide} {narrow}");
    }
    for (wide, narrow) in [("a", "a/**"), ("a/**", "**"), ("a/**", "ab"), ("a", "b")] {
        assert!(!pattern(wide).covers(&pattern(narrow)), "{wide} {narrow}");
    }
}

#[test]
fn a_grant_covers_what_allows_less() {
    let room = Grant::new(path("")).publish([pattern("room/**")]);
    let more = room.clone().subscribe([pattern("**")]);
    assert!(more.covers(&room) && !room.covers(&more));
    let elsewhere = Grant::everything(path("hall"));
    assert!(!elsewhere.covers(&Grant::new(path(""))));
    let somebody = room.clone().with_identity("b");
    assert!(!somebody.covers(&room));
}

#[test]
fn other_wildcards_are_refused() {
    for text in ["*", "a/*", "a*", "**/a", "a**"] {
        assert_eq!(
            text.parse::<Pattern>(),
            Err(PatternError::Wildcard),
            "{text}"
        );
    }
}
