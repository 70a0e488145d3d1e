//! Broadcast paths in their normal form.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::codec::{Decode, Encode, put_bytes, take_text};
use crate::error::{DecodeError, EncodeError, PathError};
use crate::limits::{MAX_PATH_BYTES, MAX_PATH_SEGMENTS};
use crate::version::Version;

/// A broadcast path, prefix or suffix: segments joined by single slashes.
///
/// Always in normal form, with no slash at either end and no empty segment, so equal paths are
/// equal byte for byte. It has at most 32 segments and 1024 bytes. The empty path is the root. Cloning is
/// cheap.
///
/// There is no `Display`, because a path may come from a peer: `Debug` escapes what a terminal would act
/// upon, [`Path::as_str`] does not.
///
/// Draft: Path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Arc<str>);

impl Path {
    /// Brings `path` into normal form.
    ///
    /// # Errors
    /// [`PathError`] if the normal form has more than 32 segments or 1024 bytes.
    pub fn new(path: &str) -> Result<Self, PathError> {
        check(path)?;
        if is_normal(path) {
            return Ok(Self(path.into()));
        }
        Ok(Self(segments(path).collect::<Vec<_>>().join("/").into()))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The segments from the root down; none for the root itself.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        segments(&self.0)
    }
}

impl Default for Path {
    fn default() -> Self {
        Self("".into())
    }
}

impl AsRef<str> for Path {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Path {
    type Error = PathError;

    fn try_from(path: &str) -> Result<Self, Self::Error> {
        Self::new(path)
    }
}

impl TryFrom<Arc<str>> for Path {
    type Error = PathError;

    /// As [`Path::new`]; shares the text if it is in normal form.
    fn try_from(path: Arc<str>) -> Result<Self, Self::Error> {
        if is_normal(&path) {
            check(&path)?;
            return Ok(Self(path));
        }
        Self::new(&path)
    }
}

impl From<Path> for Arc<str> {
    fn from(path: Path) -> Self {
        path.0
    }
}

impl Encode for Path {
    fn encode(&self, buf: &mut BytesMut, version: Version) -> Result<(), EncodeError> {
        put_bytes(self.0.as_bytes(), buf, version)
    }
}

impl Decode for Path {
    fn decode(buf: &mut Bytes, version: Version) -> Result<Self, DecodeError> {
        take_text(buf, version, |text| Ok(Self::new(text)?))
    }
}

/// Whether the normal form of `path` is within the limits.
fn check(path: &str) -> Result<(), PathError> {
    if segments(path).nth(MAX_PATH_SEGMENTS).is_some() {
        return Err(PathError::Segments);
    }
    let lengths = segments(path).map(|segment| segment.len().saturating_add(1));
    if lengths.sum::<usize>() > MAX_PATH_BYTES + 1 {
        return Err(PathError::TooLong);
    }
    Ok(())
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn is_normal(path: &str) -> bool {
    path.is_empty() || path.split('/').all(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn superfluous_slashes_vanish() {
        for (written, normal) in [
            ("", ""),
            ("/", ""),
            ("room", "room"),
            ("/room//alice/", "room/alice"),
            ("a/b", "a/b"),
        ] {
            assert_eq!(Path::new(written).unwrap().as_str(), normal);
        }
        assert_eq!(Path::new("//").unwrap(), Path::default());
    }

    // spec: Path, "at most 32 segments"
    #[test]
    fn the_33rd_segment_is_one_too_many() {
        let path = |count| vec!["s"; count].join("//");
        assert_eq!(Path::new(&path(31)).unwrap().segments().count(), 31);
        assert_eq!(Path::new(&path(32)).unwrap().segments().count(), 32);
        assert_eq!(Path::new(&path(33)), Err(PathError::Segments));
    }

    #[test]
    fn bytes_are_counted_in_normal_form() {
        let path = |len: usize| format!("//{}/", "x".repeat(len));
        assert!(Path::new(&path(1023)).is_ok());
        assert_eq!(Path::new(&path(1024)).unwrap().as_str().len(), 1024);
        assert_eq!(Path::new(&path(1025)), Err(PathError::TooLong));
    }

    #[test]
    fn a_path_is_also_text() {
        let path = Path::try_from("/room/alice").unwrap();
        assert_eq!(path.as_ref(), "room/alice");
        assert!(!path.is_empty() && Path::default().is_empty());
        let text: Arc<str> = path.into();
        let again = Path::try_from(text.clone()).unwrap();
        assert!(Arc::ptr_eq(&text, &again.into()), "the text is shared");
        assert_eq!(Path::try_from(Arc::from("/a//b")).unwrap().as_str(), "a/b");
        let long = Arc::from("x".repeat(1025));
        assert_eq!(Path::try_from(long), Err(PathError::TooLong));
        assert_eq!(
            Path::try_from("s/".repeat(33).as_str()),
            Err(PathError::Segments)
        );
    }

    #[test]
    fn debug_escapes_what_could_forge_a_line() {
        let shown = format!("{:?}", Path::new("a\nb\u{1b}\u{202e}").unwrap());
        assert_eq!(shown, r#"Path("a\nb\u{1b}\u{202e}")"#);
    }

    #[test]
    fn decoding_normalises_and_checks_utf8() {
        let decode =
            |bytes: &'static [u8]| Path::decode(&mut Bytes::from_static(bytes), Version::Lite06);
        assert_eq!(decode(b"\x05/a//b").unwrap().as_str(), "a/b");
        assert_eq!(decode(b"\x01\xff"), Err(DecodeError::Utf8));
        assert_eq!(decode(b"\x02a"), Err(DecodeError::PastEnd));
    }
}
