//! Programs from crates.io.

use std::process::Command;

use super::{BOTH, CLIENT, Installed, Kind, Peer};
use crate::interop::cache::Place;
use crate::interop::cell::Role;

pub(super) const RELAY: Peer = Peer {
    name: "moq-relay",
    package: "moq-relay 0.17.10",
    kind: Kind::Relay,
    versions: &[
        "moq-lite-06",
        "moq-lite-05",
        "moq-lite-04",
        "moq-lite-03",
        "moq-lite-02",
        "moq-lite-01",
    ],
    transports: BOTH,
    roles: &[Role::TheyRelay, Role::ChainDown, Role::ChainUp],
    can: &[],
    weight: 1,
    is_quick: false,
    lacks: &[],
    install: |place| cargo_install(place, "moq-relay", "0.17.10", "moq-relay"),
};

pub(super) const CLOCK: Peer = Peer {
    name: "moq-clock",
    package: "moq-clock 0.10.21",
    kind: Kind::Clock,
    versions: &["moq-lite-04", "moq-lite-03", "moq-lite-02", "moq-lite-01"],
    transports: BOTH,
    roles: CLIENT,
    can: &[],
    weight: 1,
    is_quick: false,
    lacks: &[],
    install: |place| cargo_install(place, "moq-clock", "0.10.21", "moq-clock"),
};

pub(super) const MEDIA: Peer = Peer {
    name: "moq-cli",
    package: "moq-cli 0.14.10",
    kind: Kind::Media,
    versions: RELAY.versions,
    transports: BOTH,
    roles: CLIENT,
    can: &["import"],
    weight: 1,
    is_quick: false,
    lacks: &[],
    install: |place| cargo_install(place, "moq-cli", "0.14.10", "moq"),
};

fn cargo_install(
    place: &Place,
    name: &str,
    version: &str,
    program: &str,
) -> anyhow::Result<Installed> {
    let installed = place.dir.join("bin").join(program);
    if !installed.exists() {
        let mut cargo = Command::new("nice");
        cargo
            .args(["cargo", "install", &format!("{name}@{version}"), "--root"])
            .arg(&place.dir)
            .env("CARGO_TARGET_DIR", &place.target)
            .current_dir(&place.dir);
        place.run(&mut cargo)?;
    }
    Ok(Installed::program(installed))
}
