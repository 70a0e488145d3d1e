//! What a relay keeps between its lives: its generated certificate and its reset key.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::tls::{Identity, IdentityError};

/// The length of a reset key, in bytes.
pub const RESET_KEY: usize = 64;

/// Why nothing can be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A file or directory cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, such as `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No certificate could be generated.
    #[error("cannot generate a certificate")]
    Certificate(#[from] IdentityError),
    /// The system gave no random bytes.
    #[error("cannot get random bytes from the system")]
    NoRandomness,
}

impl StateError {
    fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

/// A directory of secrets.
#[derive(Debug, Clone)]
pub struct State {
    dir: PathBuf,
}

impl State {
    /// Opens the directory, creating it if need be.
    ///
    /// # Errors
    /// [`StateError`] if that fails.
    pub fn open(dir: &Path) -> Result<Self, StateError> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let created = builder.recursive(true).create(dir);
        created.map_err(|error| StateError::file("create the state directory", dir, error))?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// The directory of a user who did not name one: `moq` in the XDG state directory.
    #[must_use]
    pub fn default_dir() -> Option<PathBuf> {
        let absolute = |name| {
            let dir = PathBuf::from(std::env::var_os(name)?);
            dir.is_absolute().then_some(dir)
        };
        let base = absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        base.map(|base| base.join("moq"))
    }

    /// Where this is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The certificate for these hosts: the one that is kept while it lasts, or a new one.
    ///
    /// # Errors
    /// [`StateError`] if none can be made or kept.
    pub fn identity(&self, hosts: &[String]) -> Result<Identity, StateError> {
        let path = self.dir.join(IDENTITY);
        match fs::read_to_string(&path) {
            Ok(text) => {
                if let Some(identity) = read_identity(&text, hosts) {
                    return Ok(identity);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(StateError::file("read", &path, error));
            }
        }
        let identity = Identity::generate(hosts)?;
        self.write(IDENTITY, write_identity(&identity, hosts).as_bytes())?;
        Ok(identity)
    }

    /// The key with which stateless resets are signed: the one that is kept, or a new one.
    ///
    /// # Errors
    /// [`StateError`] if none can be made or kept.
    pub fn reset_key(&self) -> Result<[u8; RESET_KEY], StateError> {
        let path = self.dir.join(RESET);
        match fs::read(&path) {
            Ok(bytes) => {
                if let Ok(key) = bytes.try_into() {
                    return Ok(key);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(StateError::file("read", &path, error));
            }
        }
        let mut key = [0; RESET_KEY];
        let filled = SystemRandom::new().fill(&mut key);
        filled.map_err(|_| StateError::NoRandomness)?;
        self.write(RESET, &key)?;
        Ok(key)
    }

    /// Replaces a file at once, readable for its owner only.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        let path = self.dir.join(name);
        let part = self.dir.join(format!(".{name}.{}", std::process::id()));
        let write = || {
            let mut options = OpenOptions::new();
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let options = options.write(true).create(true).truncate(true);
            let mut file = options.open(&part)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&part, &path)
        };
        write().map_err(|error| StateError::file("write", &path, error))
    }
}

/// Whether the certificate is about to end, so that another one should be served.
pub(crate) fn is_due(identity: &Identity, now: SystemTime) -> bool {
    identity
        .not_after()
        .is_none_or(|end| end <= now + RENEW_BEFORE)
}

/// The file's identity, if it is for these hosts and lasts.
fn read_identity(text: &str, hosts: &[String]) -> Option<Identity> {
    let kept = text.lines().find_map(|line| line.strip_prefix(HOSTS))?;
    if kept != hosts.join(",") {
        return None;
    }
    let identity = Identity::from_pem(text, text).ok()?;
    (!is_due(&identity, SystemTime::now())).then_some(identity)
}

/// One file, so that a certificate never stands beside the key of another.
fn write_identity(identity: &Identity, hosts: &[String]) -> String {
    let (certificate, key) = identity.to_pem();
    format!("{HOSTS}{}\n{certificate}{key}", hosts.join(","))
}

/// Before the certificates that come next to it.
const HOSTS: &str = "hosts: ";

const IDENTITY: &str = "identity.pem";

const RESET: &str = "reset.key";

/// Clients that pin a fingerprint have this long to learn the next one.
const RENEW_BEFORE: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that is gone with the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("moq-state-{name}-{}", std::process::id()));
            Self(dir)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn hosts(names: &[&str]) -> Vec<String> {
        names.iter().copied().map(String::from).collect()
    }

    #[test]
    fn a_certificate_outlives_the_process_but_not_its_hosts() {
        let scratch = Scratch::new("identity");
        let state = State::open(&scratch.0).unwrap();
        let first = state
            .identity(&hosts(&["localhost", "::1"]))
            .unwrap()
            .fingerprint();
        let state = State::open(&scratch.0).unwrap();
        let again = state
            .identity(&hosts(&["localhost", "::1"]))
            .unwrap()
            .fingerprint();
        assert_eq!(first, again);
        let other = state
            .identity(&hosts(&["relay.example"]))
            .unwrap()
            .fingerprint();
        assert_ne!(first, other);
    }

    #[test]
    fn a_damaged_file_is_replaced() {
        let scratch = Scratch::new("damaged");
        let state = State::open(&scratch.0).unwrap();
        fs::write(scratch.0.join(IDENTITY), "hosts: h\nnonsense").unwrap();
        fs::write(scratch.0.join(RESET), "short").unwrap();
        state.identity(&hosts(&["h"])).unwrap();
        let key = state.reset_key().unwrap();
        assert_eq!(state.reset_key().unwrap(), key);
    }

    #[cfg(unix)]
    #[test]
    fn secrets_are_for_their_owner_only() {
        let scratch = Scratch::new("mode");
        let state = State::open(&scratch.0).unwrap();
        state.identity(&hosts(&["h"])).unwrap();
        state.reset_key().unwrap();
        for name in [IDENTITY, RESET] {
            let permissions = fs::metadata(scratch.0.join(name)).unwrap().permissions();
            let mode = std::os::unix::fs::PermissionsExt::mode(&permissions);
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_certificate_is_renewed_a_day_before_its_end() {
        let identity = Identity::generate(&hosts(&["h"])).unwrap();
        let now = SystemTime::now();
        let day = Duration::from_secs(24 * 60 * 60);
        assert!(!is_due(&identity, now));
        assert!(!is_due(&identity, now + 11 * day));
        assert!(is_due(&identity, now + 12 * day));
    }
}
