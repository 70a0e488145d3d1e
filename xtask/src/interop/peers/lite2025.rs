//! The crates that this project's API grew from. Those of August 2025 (0.6) greet in a way that no
//! deployed endpoint reads; these, of November, are the oldest of
//! that shape that can be talked to.

use std::process::Command;

use super::{BOTH, Installed, Kind, Peer};
use crate::interop::cache::Place;
use crate::interop::cell::Role;

pub(super) const LITE_2025: Peer = Peer {
    name: "moq-lite-2025",
    package: "moq-lite 0.10.0 with moq-native 0.10.1",
    kind: Kind::Endpoint,
    versions: &["moq-lite-01"],
    transports: BOTH,
    roles: &[
        Role::TheyPublish,
        Role::TheySubscribe,
        Role::WeRelay,
        Role::WeDialPublish,
        Role::WeDialSubscribe,
        Role::TheyDialPublish,
        Role::TheyDialSubscribe,
    ],
    can: &["demand", "listen", "dies"],
    weight: 1,
    is_quick: false,
    lacks: &[],
    install,
};

fn install(place: &Place) -> anyhow::Result<Installed> {
    place.copy(&["lite2025/Cargo.toml"], ".")?;
    let sources = ["main.rs", "publish.rs", "subscribe.rs"];
    for source in sources {
        place.copy(&[&format!("lite2025/src/{source}")], "src")?;
    }
    let mut cargo = Command::new("nice");
    cargo
        .args(["cargo", "build", "--release"])
        .env("CARGO_TARGET_DIR", &place.target)
        .current_dir(&place.dir);
    place.run(&mut cargo)?;
    Ok(Installed::program(
        place.target.join("release/moq-lite-2025"),
    ))
}
