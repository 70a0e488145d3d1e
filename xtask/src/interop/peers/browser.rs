//! The JavaScript package in a browser.

use std::path::PathBuf;
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

/// Installs what moves the browser alone: Node, which is told where the browser is.
pub(crate) fn driver(place: &Place) -> anyhow::Result<Installed> {
    let chromium = chromium(place)?;
    let mut installed = Installed::program(node(place)?);
    if !place.has("installed") {
        npm(place, &[PLAYWRIGHT])?;
        place.mark("installed")?;
    }
    installed.env = vec![("CHROMIUM", chromium.into())];
    Ok(installed)
}

fn chromium(place: &Place) -> anyhow::Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    system::program(place, &names, &["chromium"])
}

/// What moves the browser.
const PLAYWRIGHT: &str = "playwright-core@1.65.1";

fn install(place: &Place) -> anyhow::Result<Installed> {
    let chromium = chromium(place)?;
    let node = node(place)?;
    if !place.has("installed") {
        npm(place, &["@moq/net@0.3.4", "esbuild@0.28.2", PLAYWRIGHT])?;
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
