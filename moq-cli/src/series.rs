//! Recordings of several files: their names.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The name of a file of a recording: `cam.moq` becomes `cam.00001.moq`.
pub(crate) fn name(base: &Path, number: u32) -> PathBuf {
    let stem = base.file_stem().unwrap_or_default();
    let mut name = stem.to_owned();
    name.push(format!(".{number:0DIGITS$}"));
    if let Some(extension) = base.extension() {
        name.push(".");
        name.push(extension);
    }
    base.with_file_name(name)
}

/// The files of a recording: the file of that name, or else its numbered files ([`name`]) in order.
///
/// # Errors
/// If there is none.
pub(crate) fn find(base: &Path) -> io::Result<Vec<PathBuf>> {
    if base == Path::new("-") || base.exists() {
        return Ok(vec![base.to_owned()]);
    }
    let parts = parts(base)?;
    if parts.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(parts)
}

/// All files that [`name`] makes of a name, in order.
///
/// # Errors
/// If their folder can't be read.
pub(crate) fn parts(base: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = base.parent().filter(|folder| *folder != Path::new(""));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.unwrap_or_else(|| Path::new(".")))? {
        let path = base.with_file_name(entry?.file_name());
        if let Some(number) = number(&path).filter(|number| name(base, *number) == path) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The number in the name of a file, where there can be one.
fn number(path: &Path) -> Option<u32> {
    let of = |name: &OsStr| name.to_str()?.rsplit_once('.')?.1.parse().ok();
    let by_stem = path.file_stem().and_then(of);
    by_stem.or_else(|| path.file_name().and_then(of))
}

const DIGITS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_in_front_of_the_extension() {
        for (base, expected) in [
            ("cam.moq", "cam.00007.moq"),
            ("a.b/cam", "a.b/cam.00007"),
            ("x/cam.2.moq", "x/cam.2.00007.moq"),
        ] {
            let path = name(Path::new(base), 7);
            assert_eq!(path, Path::new(expected));
            assert_eq!(number(&path), Some(7), "{base}");
        }
        assert_eq!(
            name(Path::new("cam.moq"), 123_456),
            Path::new("cam.123456.moq")
        );
    }
}
