//! Names of broadcasts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::PathError;
use crate::text::Escaped;

const MAX_SEGMENTS: usize = 32;
const MAX_BYTES: usize = 1_024;

/// A broadcast's path: segments joined by `/`, without empty ones.
///
/// A path has at most 32 segments and 1 024 bytes. Comparison is byte for byte; prefixes match whole
/// segments.
///
/// `Display` is for people: it escapes what a terminal would act upon, and shows at most 256 bytes,
/// with `…` for the rest. [`Self::as_str`] is the whole text. Draft: paths are normalised on both
/// sides.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BroadcastPath(Arc<str>);

impl BroadcastPath {
    /// Normalises a text into a path.
    ///
    /// # Errors
    /// [`PathError`] above 32 segments or 1 024 bytes.
    pub fn new(text: &str) -> Result<Self, PathError> {
        if text.len() > MAX_BYTES + MAX_SEGMENTS {
            return Err(PathError::TooLong);
        }
        if is_normal(text) {
            check(text)?;
            return Ok(Self(text.into()));
        }
        let segments: Vec<&str> = text.split('/').filter(|s| !s.is_empty()).collect();
        let path = segments.join("/");
        check(&path)?;
        Ok(Self(path.into()))
    }

    /// The path that is everything's prefix.
    #[must_use]
    pub fn root() -> Self {
        Self("".into())
    }

    /// The normalised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The segments in order; none for the root.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|s| !s.is_empty())
    }

    /// This path with `suffix` below it.
    ///
    /// # Errors
    /// [`PathError`] when the result is too long.
    pub fn join(&self, suffix: &Self) -> Result<Self, PathError> {
        if self.is_root() {
            return Ok(suffix.clone());
        }
        if suffix.is_root() {
            return Ok(self.clone());
        }
        Self::new(&format!("{}/{}", self.0, suffix.0))
    }

    /// What is left of this path below `prefix`, or `None` if it is not below it.
    #[must_use]
    pub fn strip_prefix(&self, prefix: &Self) -> Option<Self> {
        if prefix.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(&*prefix.0)?;
        if rest.is_empty() {
            return Some(Self::root());
        }
        rest.strip_prefix('/').map(|rest| Self(rest.into()))
    }

    /// Whether this path is `prefix` or below it.
    #[must_use]
    pub fn has_prefix(&self, prefix: &Self) -> bool {
        match self.0.strip_prefix(&*prefix.0) {
            Some(rest) => prefix.is_root() || rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }

    /// The path one segment shorter; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(
            self.0
                .rsplit_once('/')
                .map_or_else(Self::root, |(parent, _)| Self(parent.into())),
        )
    }

    /// Whether a segment starts with a dot, which keeps it out of announcements above it.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.segments().any(|s| s.starts_with('.'))
    }
}

impl TryFrom<&str> for BroadcastPath {
    type Error = PathError;

    /// As [`Self::new`].
    fn try_from(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl AsRef<str> for BroadcastPath {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl TryFrom<Arc<str>> for BroadcastPath {
    type Error = PathError;

    /// As [`Self::new`]; shares the text if it is normalised.
    fn try_from(text: Arc<str>) -> Result<Self, PathError> {
        if is_normal(&text) {
            check(&text)?;
            return Ok(Self(text));
        }
        Self::new(&text)
    }
}

impl From<BroadcastPath> for Arc<str> {
    fn from(path: BroadcastPath) -> Self {
        path.0
    }
}

fn is_normal(text: &str) -> bool {
    text.is_empty() || text.split('/').all(|segment| !segment.is_empty())
}

/// Whether a normalised text is within the limits.
fn check(text: &str) -> Result<(), PathError> {
    if text.split('/').nth(MAX_SEGMENTS).is_some() {
        return Err(PathError::TooManySegments);
    }
    if text.len() > MAX_BYTES {
        return Err(PathError::TooLong);
    }
    Ok(())
}

impl FromStr for BroadcastPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl fmt::Display for BroadcastPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(&self.0).fmt(f)
    }
}

impl fmt::Debug for BroadcastPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> BroadcastPath {
        text.parse().unwrap()
    }

    #[test]
    fn slashes_are_normalised() {
        assert_eq!(path("/room//alice/"), path("room/alice"));
        assert_eq!(path("///"), BroadcastPath::root());
    }

    #[test]
    fn a_normalised_text_is_shared() {
        let text: Arc<str> = path("room/alice").into();
        let again = BroadcastPath::try_from(text.clone()).unwrap();
        assert!(Arc::ptr_eq(&text, &again.into()));
        let other = BroadcastPath::try_from(Arc::from("/room//alice"));
        assert_eq!(other, Ok(path("room/alice")));
        let long = BroadcastPath::try_from(Arc::from("x".repeat(1_025)));
        assert_eq!(long, Err(PathError::TooLong));
    }

    #[test]
    fn a_long_path_is_shown_in_part_and_kept_whole() {
        let text = "x".repeat(1_000);
        let long = BroadcastPath::try_from(text.as_str()).unwrap();
        assert_eq!(long.to_string().chars().count(), 257);
        assert_eq!(long.as_ref() as &str, text);
    }

    #[test]
    fn prefixes_match_whole_segments() {
        assert!(path("room/alice").has_prefix(&path("room")));
        assert!(path("room").has_prefix(&path("room")));
        assert!(!path("roommate").has_prefix(&path("room")));
        assert!(!path("room").has_prefix(&path("ro")));
        assert_eq!(
            path("room/alice").strip_prefix(&path("room")),
            Some(path("alice"))
        );
        assert_eq!(
            path("room").strip_prefix(&path("room")),
            Some(BroadcastPath::root())
        );
        assert_eq!(path("roommate").strip_prefix(&path("room")), None);
    }

    #[test]
    fn joining_with_the_root_adds_no_slash() {
        assert_eq!(path("a").join(&path("b/c")).unwrap(), path("a/b/c"));
        assert_eq!(path("").join(&path("b")).unwrap(), path("b"));
        assert_eq!(path("a").join(&path("")).unwrap(), path("a"));
    }

    #[test]
    fn thirty_two_segments_are_the_limit() {
        let long = vec!["s"; 32].join("/");
        assert!(BroadcastPath::new(&long).is_ok());
        assert_eq!(
            BroadcastPath::new(&format!("{long}/t")),
            Err(PathError::TooManySegments)
        );
        assert!(BroadcastPath::new(&"x".repeat(1_024)).is_ok());
        assert_eq!(
            BroadcastPath::new(&"x".repeat(1_025)),
            Err(PathError::TooLong)
        );
    }
}
