//! The Python package.

use std::process::Command;

use super::{BOTH, CLIENT, Installed, Kind, Lack, Peer};
use crate::interop::cache::Place;
use crate::interop::cell::Role;
use crate::interop::system;

pub(super) const PYTHON: Peer = Peer {
    name: "python",
    package: "moq-rs 0.5.1 with moq-ffi 0.4.18 (PyPI)",
    kind: Kind::Endpoint,
    versions: &[
        "moq-lite-06",
        "moq-lite-05",
        "moq-lite-04",
        "moq-lite-03",
        "moq-lite-02",
        "moq-lite-01",
    ],
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
    can: &[
        "demand",
        "max-age",
        "priority",
        "listen",
        "reconnect",
        "fetch",
        "datagram",
        "probe",
        "dies",
    ],
    weight: 1,
    is_quick: true,
    lacks: &[],
    install,
};

/// The last release before frames of all drafts had times; its publisher ends moq-lite-05 like others.
pub(super) const PYTHON_04: Peer = Peer {
    name: "python-0.4",
    package: "moq-rs 0.4.7 with moq-ffi 0.3.19 (PyPI)",
    versions: &[
        "moq-lite-05",
        "moq-lite-04",
        "moq-lite-03",
        "moq-lite-02",
        "moq-lite-01",
    ],
    roles: CLIENT,
    can: &["demand", "dies"],
    lacks: OLDER,
    install: |place| install_package(place, "moq-rs==0.4.7", "moq-ffi==0.3.19", "older.py"),
    ..PYTHON
};

/// A release of spring 2026, whose newest draft is the fourth.
pub(super) const PYTHON_03: Peer = Peer {
    name: "python-0.3",
    package: "moq-rs 0.3.3 with moq-ffi 0.2.33 (PyPI)",
    versions: &["moq-lite-04", "moq-lite-03", "moq-lite-02", "moq-lite-01"],
    roles: CLIENT,
    can: &["demand", "dies"],
    lacks: OLDER,
    install: |place| install_package(place, "moq-rs==0.3.3", "moq-ffi==0.2.33", "older.py"),
    ..PYTHON
};

const OLDER: &[Lack] = &[
    unseen("they-subscribe/*/unannounce"),
    unseen("we-relay/*/unannounce"),
    unseen("they-subscribe/*/publisher-restart"),
    unseen("we-relay/*/publisher-restart"),
];

/// Cells in which a subscriber has to see a broadcast go.
const fn unseen(cells: &'static str) -> Lack {
    Lack {
        cells,
        before: "moq-lite-99",
        why: "moq-rs before 0.5 does not tell its user what is not announced any more",
    }
}

fn install(place: &Place) -> anyhow::Result<Installed> {
    install_package(place, "moq-rs==0.5.1", "moq-ffi==0.4.18", "endpoint.py")
}

fn install_package(
    place: &Place,
    package: &str,
    native: &str,
    client: &str,
) -> anyhow::Result<Installed> {
    let system = system::program(place, &["python3"], &["python3", "python3-venv"])?;
    let python = place.dir.join("bin/python");
    if !place.has("installed") {
        let venv = ["-m", "venv"];
        place.run(Command::new(system).args(venv).arg(&place.dir))?;
        let packages = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--timeout=30",
            "--retries=1",
            package,
            native,
        ];
        place.run(Command::new(&python).args(packages))?;
        place.run(Command::new(&python).args(["-c", "import moq"]))?;
        place.mark("installed")?;
    }
    place.copy(&[&format!("python/{client}")], ".")?;
    let mut installed = Installed::program(python);
    installed.args = vec![place.dir.join(client).into()];
    Ok(installed)
}
