//! Which calls only Unix has.

/// The packages whose sources also build for other systems than Unix.
pub(super) const PORTABLE: [&str; 7] = [
    "moq-wire",
    "moq-model",
    "moq-media",
    "moq-session",
    "moq-transport-common",
    "moq-transport-quinn",
    "moq-relay",
];

/// The calls that only Unix has and that stand outside of what is only built there, with the
/// numbers of their lines.
pub(super) fn unguarded(text: &str) -> Vec<(usize, &'static str)> {
    if text.lines().any(|line| line == "#![cfg(unix)]") {
        return Vec::new();
    }
    let mut found = Vec::new();
    // How far the item that is only built there is indented.
    let mut guarded = None;
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default().trim_end();
        let indent = code.len() - code.trim_start().len();
        match guarded {
            None if is_guard(code.trim_start()) => guarded = Some(indent),
            None => {
                let names = UNIX_ONLY.into_iter().filter(|name| code.contains(name));
                found.extend(names.map(|name| (index + 1, name)));
            }
            Some(at) if at == indent && code.ends_with([';', '}', ',']) => guarded = None,
            Some(_) => {}
        }
    }
    found
}

/// Whether an attribute has the next item built on some Unix only.
fn is_guard(code: &str) -> bool {
    let systems = [
        "#[cfg(unix)]",
        "#[cfg(all(unix",
        "#[cfg(target_os = \"linux\"",
    ];
    let tests = [
        "#[cfg(all(test, unix",
        "#[cfg(all(test, target_os = \"linux\"",
    ];
    systems
        .into_iter()
        .chain(tests)
        .any(|guard| code.starts_with(guard))
}

const UNIX_ONLY: [&str; 8] = [
    "AsyncFd",
    "set_reuse_port",
    "std::os::fd",
    "std::os::unix",
    "tokio::net::unix",
    "signal::unix",
    "libc::",
    "nix::",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_unix_has_needs_its_guard() {
        let call = "fn open() {\n    socket.set_reuse_port(true)?;\n}\n";
        assert_eq!(unguarded(call), [(2, "set_reuse_port")]);
        assert!(unguarded(&format!("#[cfg(unix)]\n{call}")).is_empty());
        assert!(unguarded(&format!("#![cfg(unix)]\n\n{call}")).is_empty());
        let statement = "fn open() {\n    #[cfg(unix)]\n    socket.set_reuse_port(true)?;\n}\n";
        assert!(unguarded(statement).is_empty());
    }

    #[test]
    fn a_guard_ends_with_its_item() {
        let two = "#[cfg(unix)]\nuse std::os::fd::{\n    AsFd,\n};\nuse std::os::fd::AsRawFd;\n";
        assert_eq!(unguarded(two), [(5, "std::os::fd")]);
        let other = "#[cfg(not(unix))]\nuse nix::libc;\n";
        assert_eq!(unguarded(other), [(2, "nix::")]);
        assert!(unguarded("// as AsyncFd does\n").is_empty());
    }
}
