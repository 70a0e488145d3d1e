//! Who may do what.

use anyhow::Context as _;
use moq_session::{BroadcastPath, Grant, Pattern};

use crate::args::Listen;
use crate::exit::{Exit, Failure};

/// What everybody may publish and subscribe to.
#[derive(Debug, Clone)]
pub(crate) struct Public {
    patterns: Vec<Pattern>,
}

impl Public {
    /// The patterns of the command line, or everything if only this machine can connect.
    ///
    /// # Errors
    /// If others can connect and no pattern is given.
    pub(crate) fn new(patterns: &[Pattern], listen: &[Listen]) -> anyhow::Result<Self> {
        if !patterns.is_empty() {
            return Ok(Self {
                patterns: patterns.to_vec(),
            });
        }
        if let Some(open) = listen.iter().find(|listen| !listen.is_loopback()) {
            let what = format!("{open} is open to others, and nothing says what they may do");
            let hint = "give --auth-public 'room/**', or '**' for everything";
            return Err(Failure::new(Exit::Usage, what).with_hint(hint).into());
        }
        Ok(Self::everything())
    }

    /// Everything.
    pub(crate) fn everything() -> Self {
        Self {
            patterns: vec![Pattern::everything()],
        }
    }

    /// What a session whose URL has this path may do; `None` for nothing at all.
    ///
    /// # Errors
    /// If that is no path.
    pub(crate) fn grant(&self, path: &str) -> anyhow::Result<Option<Grant>> {
        let root = BroadcastPath::new(path).context("the URL's path is not valid")?;
        if !self.patterns.iter().any(|pattern| pattern.overlaps(&root)) {
            return Ok(None);
        }
        let grant = Grant::new(root)
            .publish(self.patterns.iter().cloned())
            .subscribe(self.patterns.iter().cloned());
        Ok(Some(grant))
    }
}

impl std::fmt::Display for Public {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let patterns: Vec<_> = self.patterns.iter().map(ToString::to_string).collect();
        f.write_str(&patterns.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(patterns: &[&str], listen: &[&str]) -> anyhow::Result<Public> {
        let patterns: Vec<_> = patterns
            .iter()
            .map(|pattern| pattern.parse().unwrap())
            .collect();
        let listen: Vec<_> = listen
            .iter()
            .map(|listen| listen.parse().unwrap())
            .collect();
        Public::new(&patterns, &listen)
    }

    #[test]
    fn only_a_loopback_relay_is_open_by_itself() {
        assert_eq!(
            public(&[], &["localhost:4443", "127.0.0.1:0"])
                .unwrap()
                .to_string(),
            "**"
        );
        let error = public(&[], &["localhost:4443", "0.0.0.0:4443"]).unwrap_err();
        assert_eq!(crate::exit::code(&error), Exit::Usage);
        assert!(crate::exit::line(&error).contains("--auth-public"));
        assert!(public(&["room/**"], &["0.0.0.0:4443"]).is_ok());
    }

    #[test]
    fn a_path_outside_of_all_patterns_is_granted_nothing() {
        let public = public(&["room/**", "hall"], &[]).unwrap();
        for (path, is_granted) in [
            ("/", true),
            ("/room", true),
            ("/room/a/b", true),
            ("/hall", true),
            ("/hall/a", false),
            ("/roommate", false),
        ] {
            assert_eq!(public.grant(path).unwrap().is_some(), is_granted, "{path}");
        }
        assert!(public.grant(&"/x".repeat(40)).is_err());
    }

    #[test]
    fn the_path_is_the_sessions_root() {
        let grant = Public::everything().grant("/anon/").unwrap().unwrap();
        assert_eq!(grant.root, BroadcastPath::new("anon").unwrap());
    }
}
