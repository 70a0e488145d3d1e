use serde_json::{Value, json};

use super::*;

fn read(document: &Value) -> Reading {
    let json = document.to_string();
    CatalogReader::default().snapshot(json.as_bytes()).unwrap()
}

fn written(catalog: &Catalog) -> Value {
    serde_json::from_str(&catalog.to_json()).unwrap()
}

fn full() -> Value {
    json!({
        "video": {
            "renditions": {
                "video0": {
                    "codec": "avc1.64001e", "container": {"kind": "cmaf", "init": "AAECAw=="},
                    "description": "0164001e", "codedWidth": 640, "codedHeight": 360,
                    "framerate": 29.97, "bitrate": 800_000, "jitter": 34, "stalled": true
                },
                "video1": {"codec": "av01.0.04M.08", "container": {"kind": "loc"}}
            },
            "display": {"width": 640, "height": 360}, "rotation": 90, "flip": false, "mood": [1]
        },
        "audio": {"renditions": {"audio0": {
            "codec": "mp4a.40.2", "container": {"kind": "legacy"}, "description": "1190",
            "sampleRate": 48000, "numberOfChannels": 2, "bitrate": 96000, "jitter": 22
        }}},
        "clock": {"wall": 7, "timescale": 1000}
    })
}

#[test]
fn reading_and_writing_loses_nothing() {
    let reading = read(&full());
    assert_eq!(reading.faults, []);
    let video = &reading.catalog.video["video0"];
    assert_eq!(video.description.as_deref(), Some(&[1, 0x64, 0, 0x1e][..]));
    let size = Size {
        width: 640,
        height: 360,
    };
    assert_eq!(video.coded, Some(size));
    assert_eq!(written(&reading.catalog), full());
}

#[test]
fn nulls_are_absent_and_never_written() {
    let reading = read(&json!({
        "video": null, "clock": {"wall": null, "list": [null]}, "location": null,
        "audio": {"renditions": {"a": {
            "codec": "opus", "sampleRate": 48000.0, "numberOfChannels": 2,
            "description": null, "container": null, "label": null
        }}}
    }));
    assert_eq!(reading.faults, []);
    let expected = json!({
        "clock": {"list": [null]},
        "audio": {"renditions": {"a": {
            "codec": "opus", "sampleRate": 48000, "numberOfChannels": 2,
            "container": {"kind": "legacy"}
        }}}
    });
    assert_eq!(written(&reading.catalog), expected);
}

#[test]
fn wrong_field_costs_its_rendition_and_is_named() {
    let mut document = full();
    document["video"]["renditions"]["video0"]["description"] = json!("AWQAHv/hABg=");
    document["video"]["renditions"]["video1"]["container"] = json!({"kind": "cmaf"});
    document["audio"]["renditions"]["audio0"]["sampleRate"] = json!(-1);
    document["audio"]["renditions"]["audio1"] =
        json!({"codec": "opus", "sampleRate": 48000, "numberOfChannels": 2});
    let reading = read(&document);
    let faults: Vec<String> = reading.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "catalog field video.renditions.video0.description: expected hex digits, two a byte, \
             found \\\"AWQAHv/hABg=\\\"",
            "catalog field video.renditions.video1.container.init: expected base64 of an \
             initialization segment, found nothing",
            "catalog field audio.renditions.audio0.sampleRate: expected a whole number below 2^32, \
             found -1",
        ]
    );
    assert!(reading.catalog.video.is_empty());
    assert_eq!(reading.catalog.audio.keys().collect::<Vec<_>>(), ["audio1"]);
}

#[test]
fn unknown_container_is_kept_as_it_is() {
    let document = json!({"video": {"renditions": {"v": {
        "codec": "vp8", "container": {"kind": "ogg", "pages": 3}
    }}}});
    let reading = read(&document);
    let container = &reading.catalog.video["v"].container;
    assert!(matches!(container, Container::Unknown(_)));
    assert_eq!(written(&reading.catalog), document);
}

#[test]
fn empty_document_is_an_empty_catalog() {
    let reading = read(&json!({}));
    assert!(reading.catalog.is_empty());
    assert_eq!(reading.catalog.to_json(), "{}");
}

#[test]
fn patches_apply_to_the_document_of_their_group() {
    let mut reader = CatalogReader::default();
    assert!(matches!(reader.patch(b"{}"), Err(CatalogError::PatchFirst)));
    reader.snapshot(full().to_string().as_bytes()).unwrap();
    let patch = json!({"audio": null, "video": {"renditions": {"video0": {"jitter": 50}}}});
    let reading = reader.patch(patch.to_string().as_bytes()).unwrap();
    assert!(reading.catalog.audio.is_empty());
    assert_eq!(reading.catalog.video["video0"].jitter, Some(50));
    assert_eq!(reading.catalog.video.len(), 2);
}

#[test]
fn what_can_not_be_used_at_all_is_an_error() {
    let mut reader = CatalogReader::default();
    let error = reader.snapshot(b"[]").unwrap_err();
    assert_eq!(
        error.to_string(),
        "catalog: expected an object, found an array"
    );
    assert!(matches!(
        reader.snapshot(b"{\"video\":"),
        Err(CatalogError::Json(_))
    ));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES));
    assert!(matches!(
        reader.snapshot(long.as_bytes()),
        Err(CatalogError::TooLarge { .. })
    ));
    let deep = "[".repeat(100_000);
    assert!(matches!(
        reader.snapshot(deep.as_bytes()),
        Err(CatalogError::Json(_))
    ));
}

#[test]
fn patches_share_the_limit_of_their_document() {
    let mut reader = CatalogReader::default();
    reader.snapshot(b"{}").unwrap();
    let patch = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES / 2));
    reader.patch(patch.as_bytes()).unwrap();
    assert!(matches!(
        reader.patch(patch.as_bytes()),
        Err(CatalogError::TooLarge { .. })
    ));
}

#[test]
fn rendition_count_is_limited() {
    let with = |count: usize| {
        let rendition = json!({"codec": "opus", "sampleRate": 48000, "numberOfChannels": 2});
        let renditions = (0..count).map(|at| (at.to_string(), rendition.clone()));
        let renditions: serde_json::Map<_, _> = renditions.collect();
        json!({"audio": {"renditions": renditions}}).to_string()
    };
    let mut reader = CatalogReader::default();
    assert!(reader.snapshot(with(64).as_bytes()).is_ok());
    let error = reader.snapshot(with(65).as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "catalog with 65 renditions, at most 64 are allowed"
    );
}

#[test]
fn only_what_a_decoder_sees_makes_another_stream() {
    let catalog = read(&full()).catalog;
    let video = &catalog.video["video0"];
    let mut other = video.clone();
    other.bitrate = None;
    other.jitter = Some(900);
    assert!(video.is_same_stream(&other));
    other.description = None;
    assert!(!video.is_same_stream(&other));
}
