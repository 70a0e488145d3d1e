//! The Python package.

use std::process::Command;

use super::{BOTH, Installed, Kind, Peer};
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
    ],
    weight: 1,
    is_quick: true,
    lacks: &[],
    install,
};

fn install(place: &Place) -> anyhow::Result<Installed> {
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
            "moq-rs==0.5.1",
            "moq-ffi==0.4.18",
        ];
        place.run(Command::new(&python).args(packages))?;
        place.run(Command::new(&python).args(["-c", "import moq"]))?;
        place.mark("installed")?;
    }
    place.copy(&["python/endpoint.py"], ".")?;
    let mut installed = Installed::program(python);
    installed.args = vec![place.dir.join("endpoint.py").into()];
    Ok(installed)
}
