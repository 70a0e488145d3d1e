//! An admission that asks nobody for anything.

use std::fmt;

use moq_model::text::Escaped;
use moq_session::{Grant, Pattern, Refusal};

use super::{Admission, Applicant, Denial};

/// The same for everybody: patterns of what may be published and subscribed to.
#[derive(Debug, Clone)]
pub struct Public {
    publish: Vec<Pattern>,
    subscribe: Vec<Pattern>,
}

impl Public {
    /// Lets everybody publish and subscribe where one of the patterns matches.
    pub fn new(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let patterns: Vec<_> = patterns.into_iter().collect();
        Self {
            publish: patterns.clone(),
            subscribe: patterns,
        }
    }

    /// Everything for everybody.
    #[must_use]
    pub fn everything() -> Self {
        Self::new([Pattern::everything()])
    }

    /// Lets everybody publish where one of these matches, too.
    #[must_use]
    pub fn with_publish(mut self, patterns: impl IntoIterator<Item = Pattern>) -> Self {
        self.publish.extend(patterns);
        self
    }

    /// Lets everybody subscribe where one of these matches, too.
    #[must_use]
    pub fn with_subscribe(mut self, patterns: impl IntoIterator<Item = Pattern>) -> Self {
        self.subscribe.extend(patterns);
        self
    }
}

impl Admission for Public {
    async fn admit(&self, applicant: &Applicant) -> Result<Grant, Denial> {
        let root = applicant.root()?;
        let mut patterns = self.publish.iter().chain(&self.subscribe);
        if !patterns.any(|pattern| pattern.overlaps(&root)) {
            let reason = format!("nothing is public at {}", Escaped(applicant.path()));
            return Err(Denial::new(Refusal::Forbidden, reason));
        }
        Ok(Grant::new(root)
            .publish(self.publish.iter().cloned())
            .subscribe(self.subscribe.iter().cloned()))
    }
}

impl fmt::Display for Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |patterns: &[Pattern]| {
            let texts: Vec<_> = patterns.iter().map(ToString::to_string).collect();
            texts.join(", ")
        };
        if self.publish == self.subscribe {
            return f.write_str(&list(&self.publish));
        }
        let parts = [
            ("publish", list(&self.publish)),
            ("subscribe", list(&self.subscribe)),
        ];
        let parts = parts.iter().filter(|(_, list)| !list.is_empty());
        let parts: Vec<_> = parts.map(|(role, list)| format!("{role} {list}")).collect();
        f.write_str(&parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use moq_session::testing::memory_pair;
    use moq_session::{BroadcastPath, Config, Established, Session, Version};

    use super::*;

    /// What a client gets whose SETUP names a path.
    async fn admitted(public: &Public, path: &str) -> Result<Grant, Denial> {
        let (client, server) = memory_pair(Version::Lite06);
        let client = client.with_setup_path(path);
        let (request, _session) = tokio::join!(
            Session::accept(Established::new(server), Config::default()),
            Session::connect(client)
        );
        let remote = "192.0.2.1:5".parse().unwrap();
        public
            .admit(&Applicant::of(&request.unwrap(), remote))
            .await
    }

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_path_outside_of_all_patterns_is_granted_nothing() {
        let public = Public::new(patterns(&["room/**", "hall"]));
        for (path, is_granted) in [
            ("/", true),
            ("/room", true),
            ("/room/a/b", true),
            ("/hall", true),
            ("/hall/a", false),
            ("/roommate", false),
        ] {
            assert_eq!(admitted(&public, path).await.is_ok(), is_granted, "{path}");
        }
        assert!(admitted(&public, &"/x".repeat(40)).await.is_err());
    }

    #[tokio::test]
    async fn the_path_is_the_sessions_root() {
        let grant = admitted(&Public::everything(), "/anon/").await.unwrap();
        assert_eq!(grant.root, BroadcastPath::new("anon").unwrap());
    }

    #[tokio::test]
    async fn publishing_can_be_less_public_than_subscribing() {
        let public = Public::new(patterns(&["a/**"])).with_subscribe(patterns(&["b/**"]));
        let grant = admitted(&public, "/b").await.unwrap();
        assert_eq!(grant.publish, patterns(&["a/**"]));
        assert_eq!(grant.subscribe, patterns(&["a/**", "b/**"]));
        assert_eq!(
            public.to_string(),
            "publish a/**; subscribe a/**, b/**",
            "and the banner says so"
        );
        assert_eq!(Public::everything().to_string(), "**");
    }
}
