//! What `cargo xtask evil` takes.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};

use super::attacks::{ATTACKS, Attack};
use crate::interop::cached_relay;

/// What `cargo xtask evil --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask evil [OPTIONS]

Starts `moq relay` as users do, with a healthy publisher and a healthy viewer beside it, and has a hostile peer do what
no session would. Memory and CPU time of the relay are read from /proc. Each figure has a limit, and a figure beyond it
fails the run. The healthy viewer subscribes anew every 10 ms meanwhile: in 99 of 100 cases its first frame may take the
longer of 20 ms, 200 ms with a debug build, and three times as long as without the flood. Each cause may have one line a
second in the relay's log. Once the peer is gone, so is the memory.

  --quick       fewer of everything, a debug build, over moqt alone; a minute or two
  --only NAME   one attack alone; may be repeated
  --scheme S    https or moqt alone; both without it
  --version V   the draft, such as moq-lite-06
  --debug       a debug build
  --engine E    the relay's QUIC engine in attacks below sessions: direct or quinn
  --peer FILE   the moq-relay that `grease` is compared with; one that `cargo xtask interop` has installed without it
";

/// What was asked for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) is_quick: bool,
    pub(super) is_release: bool,
    pub(super) version: String,
    only: Vec<String>,
    schemes: Vec<String>,
    /// A relay that others wrote.
    pub(super) peer: Option<PathBuf>,
    /// The QUIC engine of relays that are attacked below sessions.
    pub(super) engine: String,
}

impl Options {
    pub(super) fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self {
            is_quick: false,
            is_release: true,
            version: "moq-lite-06".to_owned(),
            only: Vec::new(),
            schemes: Vec::new(),
            peer: cached_relay(),
            engine: "direct".to_owned(),
        };
        let mut args = args.iter().copied();
        while let Some(name) = args.next() {
            let mut value = || args.next().with_context(|| format!("{name} needs a value"));
            match name {
                "--quick" => (options.is_quick, options.is_release) = (true, false),
                "--debug" => options.is_release = false,
                "--version" => options.version = value()?.to_owned(),
                "--engine" => options.engine = value()?.to_owned(),
                "--peer" => options.peer = Some(value()?.into()),
                "--only" => options.only.push(known(value()?)?),
                "--scheme" => {
                    let scheme = value()?;
                    ensure!(SCHEMES.contains(&scheme), "no such scheme: {scheme}");
                    options.schemes.push(scheme.to_owned());
                }
                _ => bail!("unknown option `{name}`; see `cargo xtask evil --help`"),
            }
        }
        if options.schemes.is_empty() {
            let schemes = if options.is_quick {
                &SCHEMES[..1]
            } else {
                &SCHEMES
            };
            options.schemes = schemes.iter().map(|&scheme| scheme.to_owned()).collect();
        }
        Ok(options)
    }

    /// Whether an attack is asked for.
    pub(super) fn has(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// The bindings over which an attack makes sense.
    pub(super) fn schemes_of(&self, attack: &Attack) -> impl Iterator<Item = &str> {
        let is_raw_only = attack.is_raw_only;
        let schemes = self.schemes.iter().map(String::as_str);
        schemes.filter(move |&scheme| !is_raw_only || scheme == "moqt")
    }
}

fn known(name: &str) -> anyhow::Result<String> {
    let all: Vec<_> = ATTACKS.iter().map(|attack| attack.name).collect();
    ensure!(
        all.contains(&name),
        "no such attack: {name}; there are {}",
        all.join(", ")
    );
    Ok(name.to_owned())
}

const SCHEMES: [&str; 2] = ["moqt", "https"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_run_is_of_a_debug_build_over_one_binding() {
        let options = Options::parse(&["--quick", "--only", "groups"]).unwrap();
        assert!(options.is_quick && !options.is_release);
        assert_eq!(options.schemes, ["moqt"]);
        assert!(options.has("groups") && !options.has("probes"));
        assert_eq!(Options::parse(&[]).unwrap().schemes, SCHEMES);
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for args in [["--only", "nothing"], ["--scheme", "ftp"], ["--fast", ""]] {
            assert!(Options::parse(&args).is_err(), "{args:?}");
        }
        assert!(Options::parse(&["--only"]).is_err());
    }
}
