//! The JavaScript package in a browser.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use super::node::{CAN, VERSIONS, npm};
use super::{CLIENT, Installed, Kind, Peer};
use crate::interop::cache::Place;
use crate::interop::cell::Transport;

pub(super) const CHROMIUM: Peer = Peer {
    name: "chromium",
    package: "@moq/net 0.3.4 in Chromium, by playwright-core 1.65.1 (npm)",
    kind: Kind::Endpoint,
    versions: VERSIONS,
    transports: &[Transport::WebTransport],
    roles: CLIENT,
    can: CAN,
    is_quick: false,
    lacks: &[],
    install,
};

fn install(place: &Place) -> anyhow::Result<Installed> {
    let chromium = chromium().context("there is no Chromium; Debian's package is chromium")?;
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
    let mut installed = Installed::program("node".into());
    installed.args = vec![place.dir.join("main.mjs").into()];
    installed.env = vec![("CHROMIUM", chromium.into())];
    Ok(installed)
}

/// Where Chromium is, under one of its names.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut all = names
        .iter()
        .flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
    all.find(|file| file.is_file())
}
