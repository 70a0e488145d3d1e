use super::*;

/// What is wrong with files of that content.
fn wrong(texts: &[(&str, &str)]) -> Vec<String> {
    let files = texts.iter().map(|&(path, text)| File {
        path: path.into(),
        content: syn::parse_file(text).unwrap(),
    });
    let files: Vec<File> = files.collect();
    faults(&files, &Structs::of(&files))
}

const STATE: (&str, &str) = (
    "mod.rs",
    "struct TrackState<W> { life: Life<W>, past: Past }",
);

#[test]
fn fields_are_private_but_for_plain_data() {
    let text = "
        struct Past { runs: Vec<Run>, pub(super) floor: u64 }
        struct Run { pub(super) groups: Range<u64> }
        struct Slots(pub(crate) Slab);
    ";
    let expected = [
        "past.rs:2: the field Past.floor can be written in other files",
        "past.rs:4: the field Slots.0 can be written in other files",
    ];
    assert_eq!(wrong(&[("past.rs", text)]), expected);
}

#[test]
fn only_the_file_of_a_struct_writes_to_it() {
    let own = "struct Group { end: u8 } impl Group { fn end(&mut self) {} }";
    let other = "
        impl Group { fn end_of(&self) -> u8 { self.end } }
        impl Group { fn finish(&mut self) { self.end = 1; } }
    ";
    let found = wrong(&[("group.rs", own), ("group/finish.rs", other)]);
    let expected = "group/finish.rs:3: Group::finish writes to Group, which another file declares";
    assert_eq!(found, [expected]);
}

#[test]
fn fields_of_the_whole_state_stay_in_place() {
    let right = "impl<W> TrackState<W> {
        fn end(&mut self) { self.past.insert(1); let past = &self.past; self.pause.line = None; }
    }";
    assert!(wrong(&[STATE, ("life.rs", right)]).is_empty());
    let wrongs = "impl<W> TrackState<W> {
        fn end(&mut self) { self.past = Past::default(); }
        fn begin(&mut self) { std::mem::take(&mut self.life); }
        fn clear(&mut self) { *self = Self::new(); }
        fn split(&mut self) { let Self { life, past } = self; }
    }";
    let found = wrong(&[STATE, ("life.rs", wrongs)]);
    let of = |what: &str| format!("life.rs:{what}, which another file declares");
    let expected = [
        of("2: TrackState.past is written"),
        of("3: TrackState.life is lent to be written"),
        of("4: TrackState is written"),
        of("5: TrackState is taken apart"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn structs_that_are_named_here_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut findings = Findings::default();
    check(root, &mut findings).unwrap();
    assert!(findings.faults.is_empty(), "{:?}", findings.faults);
}
