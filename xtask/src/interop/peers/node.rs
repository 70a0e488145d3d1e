//! The JavaScript package under Node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::{Installed, Kind, Lack, Peer};
use crate::interop::cache::Place;
use crate::interop::cell::{Role, Transport};
use crate::interop::system;

pub(super) const NODE: Peer = Peer {
    name: "node",
    package: "@moq/net 0.3.4 with @moq/web-transport 0.1.4 (npm)",
    kind: Kind::Endpoint,
    versions: VERSIONS,
    transports: &[Transport::WebTransport],
    roles: &[
        Role::TheyPublish,
        Role::TheySubscribe,
        Role::WeRelay,
        Role::ReadBy("python-0.4"),
    ],
    can: &[
        "demand", "max-age", "priority", "fetch", "datagram", "probe", "dies",
    ],
    weight: 1,
    is_quick: true,
    lacks: LACKS,
    install,
};

/// What it can do in a browser, which does not die with its test client.
pub(super) const CAN: &[&str] = &[
    "demand", "max-age", "priority", "fetch", "datagram", "probe",
];

/// What the package lacks, wherever it runs.
pub(super) const LACKS: &[Lack] = &[
    Lack {
        cells: "they-publish/*/missing-track",
        before: "moq-lite-05",
        why: NO_REFUSAL,
    },
    Lack {
        cells: "we-relay/*/missing-track",
        before: "moq-lite-05",
        why: NO_REFUSAL,
    },
    Lack {
        cells: "*/probe",
        before: "moq-lite-05",
        why: "@moq/net 0.3.4 asks for no PROBE before draft 05: it waits for a SETUP that these drafts lack",
    },
];

const NO_REFUSAL: &str = "@moq/net 0.3.4 accepts a subscription to a track that it lacks, and says nothing \
                          more, before draft 05";

/// The package's draft 06 is an unfinished one, under another name.
pub(super) const VERSIONS: &[&str] = &[
    "moq-lite-05",
    "moq-lite-04",
    "moq-lite-03",
    "moq-lite-02",
    "moq-lite-01",
];

fn install(place: &Place) -> anyhow::Result<Installed> {
    let node = node(place)?;
    if !place.has("installed") {
        npm(
            place,
            &[
                "@moq/net@0.3.4",
                "@moq/web-transport@0.1.4",
                "esbuild@0.28.2",
            ],
        )?;
        // The polyfill comes as TypeScript, which Node does not read in packages.
        let polyfill = place.dir.join("node_modules/@moq/web-transport");
        let mut esbuild = Command::new(place.dir.join("node_modules/.bin/esbuild"));
        esbuild
            .arg(polyfill.join("src/index.ts"))
            .args([
                "--bundle",
                "--platform=node",
                "--format=esm",
                "--external:../napi.cjs",
            ])
            .arg(format!(
                "--outfile={}",
                polyfill.join("src/index.mjs").display()
            ));
        place.run(&mut esbuild)?;
        let manifest = polyfill.join("package.json");
        let text = fs::read_to_string(&manifest).context("reading the polyfill's manifest")?;
        fs::write(&manifest, text.replace("src/index.ts", "src/index.mjs"))
            .context("writing the polyfill's manifest")?;
        if loads(place).is_err() {
            build_native(place, &polyfill)?;
            loads(place)?;
        }
        place.mark("installed")?;
    }
    place.copy(&["node/endpoint.mjs", "node/main.mjs"], ".")?;
    let mut installed = Installed::program(node);
    installed.args = vec![place.dir.join("main.mjs").into()];
    Ok(installed)
}

/// Where Node is.
pub(super) fn node(place: &Place) -> anyhow::Result<PathBuf> {
    system::program(place, &["npm"], &["nodejs", "npm"])?;
    system::program(place, &["node"], &["nodejs"])
}

/// Installs packages of npm.
pub(super) fn npm(place: &Place, packages: &[&str]) -> anyhow::Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund"])
        .args(["--fetch-timeout=30000", "--fetch-retries=1", "--prefix"])
        .arg(&place.dir)
        .args(packages);
    place.run(&mut npm)
}

/// Fails if the polyfill's native half does not fit this system.
fn loads(place: &Place) -> anyhow::Result<()> {
    let mut node = Command::new("node");
    node.args(["-e", "import('@moq/web-transport')"])
        .current_dir(&place.dir);
    place.run(&mut node)
}

/// Builds the polyfill's native half, where the one in the package wants a newer libc.
fn build_native(place: &Place, polyfill: &Path) -> anyhow::Result<()> {
    let dir = place.dir.join("native");
    fs::create_dir_all(dir.join("src")).context("creating a crate")?;
    fs::write(dir.join("Cargo.toml"), NATIVE).context("creating a crate")?;
    fs::write(dir.join("src/lib.rs"), "").context("creating a crate")?;
    let mut cargo = Command::new("nice");
    cargo
        .args(["cargo", "build", "--release", "-p", "web-transport-node"])
        .env("CARGO_TARGET_DIR", &place.target)
        .current_dir(&dir);
    place.run(&mut cargo)?;
    let built = place.target.join("release/libweb_transport_node.so");
    fs::copy(built, polyfill.join("web-transport.linux-x64-gnu.node"))
        .context("taking over the polyfill's native half")?;
    Ok(())
}

const NATIVE: &str = "\
[package]
name = \"polyfill\"
version = \"0.0.0\"
edition = \"2021\"

[dependencies]
web-transport-node = \"=0.0.7\"

[workspace]
";
