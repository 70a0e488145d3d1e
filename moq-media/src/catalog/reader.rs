//! Documents and patches → catalogs.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::{CatalogError, Fault};
use super::fields::{Fields, fault};
use super::rendition::{AudioRendition, Catalog, Container, Size, VideoRendition};
use super::{MAX_BYTES, MAX_RENDITIONS};

/// Follows the catalog's track: a document per group, patches behind it.
#[derive(Debug, Default)]
pub struct CatalogReader {
    document: Option<Value>,
    /// Bytes of the document and of its patches.
    size: usize,
}

/// A catalog, and what of it could not be used.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// What could be used.
    pub catalog: Catalog,
    /// Why a rendition or a field is missing from `catalog`.
    pub faults: Vec<Fault>,
}

impl CatalogReader {
    /// The document as it stands, patches included; `None` before one could be read.
    #[must_use]
    pub fn document(&self) -> Option<&Value> {
        self.document.as_ref()
    }

    /// Reads the first frame of a group: a whole document.
    ///
    /// # Errors
    /// [`CatalogError`] when nothing of it can be used; the former document stays.
    pub fn snapshot(&mut self, json: &[u8]) -> Result<Reading, CatalogError> {
        let document = parse(json, json.len())?;
        let reading = read(document.clone())?;
        self.document = Some(document);
        self.size = json.len();
        Ok(reading)
    }

    /// Reads a later frame of a group: an RFC 7396 merge patch on what came before.
    ///
    /// # Errors
    /// [`CatalogError`] when nothing of the result can be used; the former document stays.
    pub fn patch(&mut self, json: &[u8]) -> Result<Reading, CatalogError> {
        let mut document = self.document.clone().ok_or(CatalogError::PatchFirst)?;
        let size = self.size.saturating_add(json.len());
        merge(&mut document, parse(json, size)?);
        let reading = read(document.clone())?;
        self.document = Some(document);
        self.size = size;
        Ok(reading)
    }
}

fn parse(json: &[u8], size: usize) -> Result<Value, CatalogError> {
    if size > MAX_BYTES {
        let limit = MAX_BYTES;
        return Err(CatalogError::TooLarge { size, limit });
    }
    serde_json::from_slice(json).map_err(CatalogError::Json)
}

/// RFC 7396: `null` removes a field, an object is merged, anything else replaces.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

fn read(document: Value) -> Result<Reading, CatalogError> {
    let found = kind(&document);
    let mut root =
        Fields::new(String::new(), document).map_err(|_| CatalogError::NotAnObject { found })?;
    let mut faults = Vec::new();
    let mut catalog = Catalog::default();
    if let Some(mut section) = section(&mut root, "video", &mut faults) {
        catalog.video = renditions(&mut section, video, &mut faults)?;
        catalog.display = kept(display(&mut section), &mut faults);
        catalog.rotation = kept(section.float("rotation"), &mut faults);
        catalog.flip = kept(section.flag("flip"), &mut faults);
        catalog.video_other = section.rest();
    }
    if let Some(mut section) = section(&mut root, "audio", &mut faults) {
        catalog.audio = renditions(&mut section, audio, &mut faults)?;
        catalog.audio_other = section.rest();
    }
    catalog.other = root.rest();
    check_count(catalog.video.len() + catalog.audio.len())?;
    Ok(Reading { catalog, faults })
}

fn check_count(count: usize) -> Result<(), CatalogError> {
    if count > MAX_RENDITIONS {
        let limit = MAX_RENDITIONS;
        return Err(CatalogError::TooManyRenditions { count, limit });
    }
    Ok(())
}

fn section(root: &mut Fields, name: &str, faults: &mut Vec<Fault>) -> Option<Fields> {
    let value = root.take(name)?;
    kept(Fields::new(root.path(name), value).map(Some), faults)
}

/// The value, or `None` with its fault noted.
fn kept<T>(field: Result<Option<T>, Fault>, faults: &mut Vec<Fault>) -> Option<T> {
    field.unwrap_or_else(|fault| {
        faults.push(fault);
        None
    })
}

fn renditions<T>(
    section: &mut Fields,
    read: impl Fn(Fields) -> Result<T, Fault>,
    faults: &mut Vec<Fault>,
) -> Result<BTreeMap<String, T>, CatalogError> {
    let path = section.path("renditions");
    let found = match section.take("renditions") {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(found)) => found,
        Some(other) => {
            faults.push(fault(&path, "an object", &other));
            return Ok(BTreeMap::new());
        }
    };
    check_count(found.len())?;
    let mut known = BTreeMap::new();
    for (name, value) in found {
        let fields = Fields::new(format!("{path}.{name}"), value);
        match fields.and_then(&read) {
            Ok(rendition) => {
                known.insert(name, rendition);
            }
            Err(fault) => faults.push(fault),
        }
    }
    Ok(known)
}

fn display(section: &mut Fields) -> Result<Option<Size>, Fault> {
    let Some(value) = section.take("display") else {
        return Ok(None);
    };
    let mut fields = Fields::new(section.path("display"), value)?;
    size(&mut fields, "width", "height")
}

/// Both sides, or nothing when one is missing.
fn size(fields: &mut Fields, width: &str, height: &str) -> Result<Option<Size>, Fault> {
    let (width, height) = (fields.small(width)?, fields.small(height)?);
    Ok(width
        .zip(height)
        .map(|(width, height)| Size { width, height }))
}

fn video(mut fields: Fields) -> Result<VideoRendition, Fault> {
    Ok(VideoRendition {
        codec: codec(&mut fields)?,
        container: container(&mut fields)?,
        description: fields.hex("description")?,
        coded: size(&mut fields, "codedWidth", "codedHeight")?,
        framerate: fields.float("framerate")?,
        bitrate: fields.number("bitrate")?,
        jitter: fields.number("jitter")?,
        other: fields.rest(),
    })
}

fn audio(mut fields: Fields) -> Result<AudioRendition, Fault> {
    let sample_rate = fields.small("sampleRate")?;
    let channels = fields.small("numberOfChannels")?;
    Ok(AudioRendition {
        codec: codec(&mut fields)?,
        container: container(&mut fields)?,
        description: fields.hex("description")?,
        sample_rate: fields.required("sampleRate", "samples per second", sample_rate)?,
        channels: fields.required("numberOfChannels", "a number of channels", channels)?,
        bitrate: fields.number("bitrate")?,
        jitter: fields.number("jitter")?,
        other: fields.rest(),
    })
}

fn codec(fields: &mut Fields) -> Result<String, Fault> {
    let codec = fields.text("codec")?;
    fields.required("codec", "a WebCodecs string like avc1.64001e", codec)
}

/// Absent means legacy. Older publishers write the kind alone, as a string.
fn container(fields: &mut Fields) -> Result<Container, Fault> {
    let path = fields.path("container");
    let value = match fields.take("container") {
        None => return Ok(Container::Legacy),
        Some(Value::String(kind)) => {
            let kind = Map::from_iter([("kind".to_owned(), Value::String(kind))]);
            Value::Object(kind)
        }
        Some(value) => value,
    };
    let mut container = Fields::new(path, value.clone())?;
    let kind = container.text("kind")?;
    match kind.as_deref() {
        Some("legacy") | None => Ok(Container::Legacy),
        Some("loc") => Ok(Container::Loc),
        Some("cmaf") => {
            let init = container.base64("init")?;
            let expected = "base64 of an initialization segment";
            let init = container.required("init", expected, init)?;
            Ok(Container::Cmaf { init })
        }
        Some(_) => Ok(Container::Unknown(value)),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
