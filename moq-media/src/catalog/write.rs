//! Catalogs → documents.

use serde_json::{Map, Value};

use super::rendition::{AudioRendition, Catalog, Container, Size, VideoRendition};
use super::text;

impl Catalog {
    /// The document, as one line of JSON.
    ///
    /// A field that is not known is left out, never written as `null`; known fields win over fields
    /// of the same name in `other`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut root = self.other.clone();
        if let Some(video) = self.video_section() {
            root.insert("video".to_owned(), video);
        }
        if let Some(audio) = self.audio_section() {
            root.insert("audio".to_owned(), audio);
        }
        Value::Object(root).to_string()
    }

    fn video_section(&self) -> Option<Value> {
        let mut section = self.video_other.clone();
        let renditions = self.video.iter();
        let renditions = renditions.map(|(name, video)| (name.clone(), write_video(video)));
        put_renditions(&mut section, renditions.collect());
        put(&mut section, "display", self.display.map(display));
        put(&mut section, "rotation", self.rotation.and_then(float));
        put(&mut section, "flip", self.flip.map(Value::Bool));
        (!section.is_empty()).then_some(Value::Object(section))
    }

    fn audio_section(&self) -> Option<Value> {
        let mut section = self.audio_other.clone();
        let renditions = self.audio.iter();
        let renditions = renditions.map(|(name, audio)| (name.clone(), write_audio(audio)));
        put_renditions(&mut section, renditions.collect());
        (!section.is_empty()).then_some(Value::Object(section))
    }
}

fn write_video(video: &VideoRendition) -> Value {
    let mut map = video.other.clone();
    put(&mut map, "codec", Some(video.codec.clone().into()));
    put(&mut map, "container", Some(container(&video.container)));
    put(
        &mut map,
        "description",
        video.description.as_deref().map(hex),
    );
    put(
        &mut map,
        "codedWidth",
        video.coded.map(|size| size.width.into()),
    );
    put(
        &mut map,
        "codedHeight",
        video.coded.map(|size| size.height.into()),
    );
    put(&mut map, "framerate", video.framerate.and_then(float));
    put(&mut map, "bitrate", video.bitrate.map(Value::from));
    put(&mut map, "jitter", video.jitter.map(Value::from));
    Value::Object(map)
}

fn write_audio(audio: &AudioRendition) -> Value {
    let mut map = audio.other.clone();
    put(&mut map, "codec", Some(audio.codec.clone().into()));
    put(&mut map, "container", Some(container(&audio.container)));
    put(
        &mut map,
        "description",
        audio.description.as_deref().map(hex),
    );
    put(&mut map, "sampleRate", Some(audio.sample_rate.into()));
    put(&mut map, "numberOfChannels", Some(audio.channels.into()));
    put(&mut map, "bitrate", audio.bitrate.map(Value::from));
    put(&mut map, "jitter", audio.jitter.map(Value::from));
    Value::Object(map)
}

fn container(container: &Container) -> Value {
    let (kind, init) = match container {
        Container::Legacy => ("legacy", None),
        Container::Loc => ("loc", None),
        Container::Cmaf { init } => ("cmaf", Some(text::to_base64(init))),
        Container::Unknown(value) => return value.clone(),
    };
    let mut map = Map::new();
    put(&mut map, "kind", Some(kind.into()));
    put(&mut map, "init", init.map(Value::from));
    Value::Object(map)
}

fn display(size: Size) -> Value {
    let mut map = Map::new();
    put(&mut map, "width", Some(size.width.into()));
    put(&mut map, "height", Some(size.height.into()));
    Value::Object(map)
}

fn put_renditions(section: &mut Map<String, Value>, renditions: Map<String, Value>) {
    if !renditions.is_empty() {
        section.insert("renditions".to_owned(), Value::Object(renditions));
    }
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value);
    }
}

fn hex(bytes: &[u8]) -> Value {
    text::to_hex(bytes).into()
}

/// A number, whole where it can be; what is not finite has no spelling.
fn float(number: f64) -> Option<Value> {
    if number.fract() == 0.0 && number.abs() < MAX_EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        return Some(Value::from(number as i64));
    }
    serde_json::Number::from_f64(number).map(Value::Number)
}

/// 2⁵³: the whole numbers below it are exact in a float.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
