//! The model in a browser, as far as can be shown without one.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

#[test]
fn the_model_builds_for_a_browser() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libraries = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .unwrap();
    let libraries = String::from_utf8(libraries.stdout).unwrap();
    if !Path::new(libraries.trim()).is_dir() {
        eprintln!("SKIP: target {TARGET} is not installed");
        return;
    }
    let built = Command::new(env!("CARGO"))
        .args(["check", "--target", TARGET, "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .arg("--target-dir")
        .arg(concat!(env!("CARGO_TARGET_TMPDIR"), "/wasm"))
        .status()
        .unwrap();
    assert!(built.success());
}
