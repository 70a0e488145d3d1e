//! The command line of `interop`.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};

/// Which cells to run, and where their results go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Where peers are installed.
    pub(crate) cache: PathBuf,
    pub(crate) list: bool,
    /// Only the peers that install in seconds.
    pub(crate) quick: bool,
    /// Patterns of cells; all without any.
    pub(crate) tests: Vec<String>,
    pub(crate) peers: Vec<String>,
    pub(crate) versions: Vec<String>,
    /// Peers that have to be there.
    pub(crate) required: Vec<String>,
    pub(crate) markdown: Option<PathBuf>,
    pub(crate) jobs: usize,
}

impl Options {
    /// # Errors
    ///
    /// Names the option that is unknown, lacks its value or makes no sense.
    pub(crate) fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self::usual();
        let mut args = args.iter();
        while let Some(name) = args.next() {
            match *name {
                "--list" => options.list = true,
                "--quick" => options.quick = true,
                _ => {
                    let value = args.next().with_context(|| format!("{name} needs a value"));
                    options.set(name, value.copied())?;
                }
            }
        }
        ensure!(options.jobs > 0, "--jobs is at least 1");
        ensure!(
            options.cache.is_absolute(),
            "there is no cache directory; give --cache DIR, an absolute path"
        );
        Ok(options)
    }

    fn set(&mut self, name: &str, value: anyhow::Result<&str>) -> anyhow::Result<()> {
        match name {
            "--cache" => self.cache = std::path::absolute(value?).context("reading --cache")?,
            "--test" => self.tests.push(value?.to_owned()),
            "--peer" => self.peers.push(value?.to_owned()),
            "--version" => self.versions.push(value?.to_owned()),
            "--require" => self.required.push(value?.to_owned()),
            "--markdown" => self.markdown = Some(value?.into()),
            "--jobs" => {
                self.jobs = value?.parse().context("--jobs is a number")?;
            }
            _ => bail!("unknown option {name}; see `cargo xtask interop --help`"),
        }
        Ok(())
    }

    fn usual() -> Self {
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            cache: default_cache().unwrap_or_default(),
            list: false,
            quick: false,
            tests: Vec::new(),
            peers: Vec::new(),
            versions: Vec::new(),
            required: Vec::new(),
            markdown: None,
            jobs,
        }
    }
}

/// The user's cache directory, where the system says it is.
pub(crate) fn default_cache() -> Option<PathBuf> {
    let xdg = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(".cache"));
    let cache = xdg.filter(|path| path.is_absolute()).or_else(home)?;
    Some(cache.join("moq-interop"))
}

/// The relay that others wrote, if it was installed.
pub(crate) fn cached_relay() -> Option<PathBuf> {
    let relay = default_cache()?.join(RELAY);
    relay.exists().then_some(relay)
}

/// Where it is installed, below the cache.
const RELAY: &str = "moq-relay-0.17.10/bin/moq-relay";

/// Whether `text` matches a pattern in which `*` stands for anything.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    loop {
        if matches(rest, left) {
            return true;
        }
        let mut chars = left.chars();
        if chars.next().is_none() {
            return false;
        }
        left = chars.as_str();
    }
}

pub(crate) const HELP: &str = "\
Usage: cargo xtask interop [OPTIONS]

Crosses this project with other implementations of moq-lite, and tells the results as TAP 14.
A cell is PEER/ROLE/VERSION/TRANSPORT/SCENARIO. Peers are installed from their registries.

  --list              only name the cells
  --test GLOB         only cells that match, such as '*/relay/*/quic/*'; may be repeated
  --peer NAME         only this peer; may be repeated
  --version VERSION   only this draft, such as moq-lite-05; may be repeated
  --quick             only peers that install in seconds, each with its newest draft, and ours
                      against ours
  --require NAME      a peer that cannot be had is a failure, not a SKIP; may be repeated
  --cache DIR         where peers are installed [moq-interop in the user's cache directory]
  --markdown FILE     also write the table of docs/interop.md
  --jobs N            cells at the same time [one per core]

Exit codes: 0 no cell failed, 1 a cell failed, 127 no cell matches.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        assert!(matches(
            "*/relay/*/one-frame",
            "moq-relay/relay/moq-lite-06/quic/one-frame"
        ));
        assert!(matches("*", ""));
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(!matches("a*b", "a-b-c"));
        assert!(!matches("relay", "moq-relay"));
    }

    #[test]
    fn options_may_be_repeated() {
        let options = Options::parse(&[
            "--cache", "/c", "--peer", "a", "--peer", "b", "--quick", "--jobs", "3",
        ])
        .unwrap();
        assert_eq!(options.peers, ["a", "b"]);
        assert!(options.quick && !options.list);
        assert_eq!(options.jobs, 3);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Options::parse(&["--jobs", "0"]).is_err());
        assert!(Options::parse(&["--peer"]).is_err());
        assert!(Options::parse(&["--faster", "yes"]).is_err());
    }
}
