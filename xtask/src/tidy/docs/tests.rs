use std::path::Path;

use super::tree::File;
use super::*;

/// What a file of that content lacks, each with its line.
fn lacks(text: &str) -> Vec<String> {
    let file = File::parse(Path::new("lib.rs"), text.to_owned(), None).unwrap();
    let lines = offences_in(&[file]);
    lines.iter().map(Offence::to_string).collect()
}

fn assert_lacks(text: &str, expected: &[&str]) {
    let expected: Vec<String> = expected
        .iter()
        .map(|line| format!("lib.rs:{line}"))
        .collect();
    assert_eq!(lacks(text), expected, "{text}");
}

#[test]
fn items_begin_with_a_sentence() {
    let right = "
        /// Holds frames.
        pub struct Group;
        /// Ends.
        pub const END: u8 = 0;
        /// Reads.
        pub trait Read {
            /// What is read.
            type Item;
        }
        pub(crate) struct Own;
        pub use bytes::Bytes;
    ";
    assert_lacks(right, &[]);
    let wrong = "
        pub struct Group;
        /// The end
        pub const END: u8 = 0;
        /// Reads.
        pub trait Read {
            type Item;
        }
        pub mod inner {
            pub type Word = u8;
        }
    ";
    assert_lacks(
        wrong,
        &[
            "2: struct Group does not begin with a sentence that ends in a period",
            "4: const END does not begin with a sentence that ends in a period",
            "7: type Item does not begin with a sentence that ends in a period",
            "9: mod inner does not begin with a sentence that ends in a period",
            "10: type Word does not begin with a sentence that ends in a period",
        ],
    );
}

#[test]
fn fields_and_variants_are_documented() {
    let right = "
        /// A sequence.
        pub struct Sequence(pub u64);
        /// A frame.
        pub struct Frame {
            /// In bytes
            pub len: usize,
            own: u8,
        }
        /// An end.
        pub enum End {
            /// Well
            Finished(u8),
        }
    ";
    assert_lacks(right, &[]);
    let wrong = "
        /// A frame.
        pub struct Frame {
            pub len: usize,
        }
        /// An end.
        pub enum End {
            Finished,
            /// With a code
            Aborted { code: u32 },
        }
        /// A pair.
        pub struct Pair(pub u8, pub u8);
    ";
    assert_lacks(
        wrong,
        &[
            "4: field Frame.len has no documentation",
            "8: variant End::Finished has no documentation",
            "10: field End::Aborted.code has no documentation",
            "13: field Pair.0 has no documentation",
            "13: field Pair.1 has no documentation",
        ],
    );
}

#[test]
fn errors_are_told() {
    let right = "
        /// Reads.
        ///
        /// # Errors
        ///
        /// None.
        pub fn read() -> io::Result<()> { Ok(()) }
        impl Reader {
            /// Hands over.
            pub fn callback(&self) -> impl Fn(u8) -> Result<(), ()> { |_| Ok(()) }
            fn own() -> Result<(), ()> { Ok(()) }
        }
        impl Iterator for Reader {
            fn next(&mut self) -> Option<Result<(), ()>> { None }
        }
    ";
    assert_lacks(right, &[]);
    let wrong = "
        /// Reads.
        pub fn read() -> Result<(), ()> { Ok(()) }
        impl Reader {
            /// Polls.
            pub fn poll_read(&mut self) -> Poll<Result<(), ()>> { Poll::Pending }
        }
        /// Writes.
        pub trait Write {
            /// Writes.
            fn write(&mut self) -> Poll<Option<Result<(), ()>>>;
        }
    ";
    assert_lacks(
        wrong,
        &[
            "3: fn read returns a Result and has no `# Errors`",
            "6: fn Reader::poll_read returns a Result and has no `# Errors`",
            "11: fn Write::write returns a Result and has no `# Errors`",
        ],
    );
}

#[test]
fn cancel_safety_is_told() {
    let right = "
        impl Future for Ready {}
        impl Reader {
            /// Reads. Cancel safe.
            pub async fn read(&mut self) {}
            /// Reads.
            ///
            /// Not cancel safe: half a frame is lost.
            pub fn ready(&self) -> Ready { Ready }
            /// Polls.
            pub fn poll_read(&mut self) -> Poll<Ready> { Poll::Pending }
        }
    ";
    assert_lacks(right, &[]);
    let wrong = "
        impl std::future::Future for Ready {}
        impl Ready {
            /// Waits.
            pub fn new() -> Self { Self }
        }
        /// Reads.
        pub async fn read() {}
        /// Waits.
        pub fn wait() -> impl Future<Output = ()> + use<> { async {} }
        /// Waits.
        pub fn boxed() -> Pin<Box<dyn Future<Output = ()>>> { Box::pin(async {}) }
    ";
    let said = "can be cancelled and says neither `Cancel safe` nor `Not cancel safe`";
    let expected = [
        format!("5: fn Ready::new {said}"),
        format!("8: fn read {said}"),
        format!("10: fn wait {said}"),
        format!("12: fn boxed {said}"),
    ];
    assert_lacks(wrong, &expected.each_ref().map(String::as_str));
}

#[test]
fn panics_are_told() {
    for body in [
        "panic!()",
        "assert!(a > 0);",
        "assert_eq!(a, 0);",
        "let _ = Some(a).expect(\"some\");",
        "if a > 0 { unreachable!() }",
        "self.list[a] = 0;",
        "let _ = &self.list[..a + 1];",
        "vec![self.last.unwrap()];",
        "let _ = |b: usize| self.list.get(b).unwrap();",
    ] {
        let text =
            format!("impl List {{\n/// Sets.\npub fn set(&mut self, a: usize) {{ {body} }}\n}}");
        assert_lacks(&text, &["3: fn List::set can panic and has no `# Panics`"]);
        let text = text.replace("Sets.", "Sets.\n///\n/// # Panics\n/// Often.");
        assert_lacks(&text, &[]);
    }
}

#[test]
fn what_cannot_panic_needs_no_word() {
    for body in [
        "debug_assert!(a > 0);",
        "let _ = self.list.get(a).unwrap_or(&0);",
        "self.list[0] = a;",
        "fn inner() { panic!() }",
        "// Cannot panic: it was checked.\nself.list[a] = 0;",
        "self.list[a] = 0; // Cannot panic: it was checked.",
        "let _ = self\n.list\n// Cannot panic: the list is\n// never empty.\n.last().unwrap();",
        "// Cannot panic: the list is never empty.\nlet _ = self\n.list\n.last()\n.unwrap();",
    ] {
        assert_lacks(&panicking(body), &[]);
    }
}

#[test]
fn excuse_gives_a_reason_and_is_close() {
    for body in [
        "// Cannot panic: \nself.list[a] = 0;",
        "// It was checked.\nself.list[a] = 0;",
        "// Cannot panic: it was checked.\n\nself.list[a] = 0;",
        "// Cannot panic: it was checked.\nself.list[0] = 0;\nself.list[a] = 0;",
    ] {
        assert_eq!(lacks(&panicking(body)).len(), 1, "{body}");
    }
}

fn panicking(body: &str) -> String {
    format!("impl List {{\n/// Sets.\npub fn set(&mut self, a: usize) {{\n{body}\n}}\n}}")
}

#[test]
fn calls_of_macros_are_read() {
    let right = "
        message! {
            /// Asks for groups.
            pub struct Subscribe {
                /// Higher first
                pub priority: u8 where ok_priority,
                pub(crate) own: u8,
            }
        }
        macro_rules! own { () => { pub struct Own; } }
    ";
    assert_lacks(right, &[]);
    let wrong = "
        message! {
            pub struct Subscribe {
                pub priority: u8 where ok_priority,
            }
        }
    ";
    assert_lacks(
        wrong,
        &[
            "3: struct Subscribe does not begin with a sentence that ends in a period",
            "4: field priority has no documentation",
        ],
    );
}

#[test]
fn tests_are_not_public() {
    let text =
        "#[cfg(test)]\npub mod tests {\npub fn a() {}\n}\n#[cfg(test)]\nimpl A {\npub fn a() {}\n}";
    assert_lacks(text, &[]);
    assert_eq!(lacks("#[cfg(feature = \"a\")]\npub fn a() {}").len(), 1);
}
