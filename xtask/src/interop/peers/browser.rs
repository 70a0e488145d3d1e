//! The JavaScript package in a browser.

use std::process::Command;

use super::node::{CAN, LACKS, VERSIONS, node, npm};
use super::{Installed, Kind, Peer};
use crate::interop::cache::Place;
use crate::interop::cell::{Role, Transport};
use crate::interop::system;

pub(super) const CHROMIUM: Peer = Peer {
    name: "chromium",
    package: "@moq/net 0.3.4 in Chromium, by playwright-core 1.65.1 (npm)",
    kind: Kind::Endpoint,
    versions: VERSIONS,
    transports: &[Transport::WebTransport],
    roles: &[
        Role::TheyPublish,
        Role::TheySubscribe,
        Role::WeRelay,
        Role::ReadBy("python"),
    ],
    can: CAN,
    weight: 3,
    is_quick: false,
    lacks: LACKS,
    install,
};

fn install(place: &Place) -> anyhow::Result<Installed> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let chromium = system::program(place, &names, &["chromium"])?;
    let node = node(place)?;
    if !place.has("installed") {
        npm(
            place,
            &["@moq/net@0.3.4", "esbuild@0.28.2", "playwright-core@1.65.1"],
        )?;
        place.mark("installed")?;
    }
    place.copy(
        &["node/endpoint.mjs", "browser/main.mjs", "browser/page.mjs"],
        ".",
    )?;
    let mut esbuild = Command::new(place.dir.join("node_modules/.bin/esbuild"));
    esbuild
        .args(["page.mjs", "--bundle", "--format=iife", "--outfile=page.js"])
        .current_dir(&place.dir);
    place.run(&mut esbuild)?;
    let mut installed = Installed::program(node);
    installed.args = vec![place.dir.join("main.mjs").into()];
    installed.env = vec![("CHROMIUM", chromium.into())];
    Ok(installed)
}
