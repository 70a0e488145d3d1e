//! Fixtures, the way through the library, and ffprobe.

mod fixtures;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use moq_media::ImportError;
use moq_media::assembler::{Assembler, AssemblerConfig, Source};
use moq_media::catalog::Catalog;
use moq_media::fmp4::Demuxer;
pub(crate) use moq_media::packager::Format;
use moq_media::packager::{Output, Packager, PackagerConfig};

pub(crate) use fixtures::FIXTURES;

/// A file that was made.
#[derive(Debug, Clone)]
pub(crate) struct Fixture(PathBuf);

/// What ffprobe says of a packet, in ticks of its stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet {
    pub(crate) pts: i64,
    pub(crate) dts: i64,
    pub(crate) size: usize,
    pub(crate) is_key: bool,
    pub(crate) scale: i64,
}

impl Packet {
    pub(crate) fn micros(&self, ticks: i64) -> i64 {
        ticks * 1_000_000 / self.scale
    }
}

/// Whether ffmpeg and ffprobe can be run; says so once if not.
pub(crate) fn is_there() -> bool {
    static IS_THERE: OnceLock<bool> = OnceLock::new();
    *IS_THERE.get_or_init(|| {
        let runs = |program: &str| Command::new(program).arg("-version").output().is_ok();
        let is_there = runs("ffmpeg") && runs("ffprobe");
        if !is_there {
            println_skip();
        }
        is_there
    })
}

fn println_skip() {
    use std::io::Write as _;
    let mut err = std::io::stderr();
    let _ = writeln!(err, "SKIP: ffmpeg and ffprobe are not installed");
}

/// A file of two seconds, made once. `V:rate` and `A:rate` stand for inputs.
pub(crate) fn fixture(name: &str, arguments: &str) -> Option<Fixture> {
    if !is_there() {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    arguments.hash(&mut hasher);
    let path = dir().join(format!("{name}-{:x}.mp4", hasher.finish()));
    if path.exists() {
        return Some(Fixture(path));
    }
    let arguments = arguments.replace("{plain}", "frag_keyframe+empty_moov+default_base_moof");
    let (mut inputs, mut rest) = (Vec::new(), Vec::new());
    for argument in arguments.split(' ') {
        let source = match argument.split_once(':') {
            Some(("V", rate)) => format!("testsrc=size=320x180:rate={rate}:duration=2"),
            Some(("A", rate)) => format!("sine=frequency=440:sample_rate={rate}:duration=2"),
            _ => {
                rest.push(argument.to_owned());
                continue;
            }
        };
        inputs.extend(["-f", "lavfi", "-i"].map(str::to_owned));
        inputs.push(source);
    }
    // Made under another name first, because tests run side by side.
    let made = dir().join(format!("{name}-{:?}.mp4", std::thread::current().id()));
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .args(["-v", "error", "-y"])
        .args(inputs)
        .args(["-pix_fmt", "yuv420p"]);
    ffmpeg
        .args(rest)
        .args(["-threads", "1", "-f", "mp4"])
        .arg(&made);
    let said = ffmpeg.output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "{name}: {text}");
    std::fs::rename(&made, &path).unwrap();
    Some(Fixture(path))
}

fn dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned()
}

pub(crate) fn read(file: &Fixture) -> Vec<u8> {
    std::fs::read(&file.0).unwrap()
}

/// The file behind itself, as an encoder that is restarted writes it.
pub(crate) fn twice(file: &Fixture) -> Fixture {
    let path = file.0.with_extension("twice.mp4");
    std::fs::write(&path, read(file).repeat(2)).unwrap();
    Fixture(path)
}

/// What was published of a file.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    pub(crate) catalog: Catalog,
    names: BTreeMap<usize, String>,
    /// The track, its group, the frame.
    frames: Vec<(usize, u64, Bytes)>,
}

pub(crate) fn import(file: &Fixture, format: Format, size: usize) -> Result<Imported, ImportError> {
    import_bytes(&read(file), format, size)
}

pub(crate) fn import_bytes(
    input: &[u8],
    format: Format,
    size: usize,
) -> Result<Imported, ImportError> {
    let mut config = PackagerConfig::default();
    config.format = format;
    let (mut demuxer, mut packager) = (Demuxer::default(), Packager::new(config));
    let mut imported = Imported::default();
    let mut groups = BTreeMap::new();
    let mut end = Ok(());
    let chunks = input.chunks(size).map(Bytes::copy_from_slice).map(Some);
    for chunk in chunks.chain([None]) {
        match chunk {
            Some(chunk) => demuxer.push(chunk),
            None => demuxer.finish(),
        }
        while let Some(event) = demuxer.next().transpose() {
            match event {
                Ok(event) => packager.push(event, Duration::ZERO)?,
                Err(error) => {
                    end = Err(error);
                    break;
                }
            }
        }
        if end.is_err() {
            break;
        }
    }
    packager.finish()?;
    while let Some(output) = packager.pop() {
        take(output, &mut imported, &mut groups);
    }
    end.map_err(ImportError::from).map(|()| imported)
}

fn take(output: Output, imported: &mut Imported, groups: &mut BTreeMap<usize, u64>) {
    match output {
        Output::Open(opened) => {
            imported.names.insert(opened.track, opened.name);
        }
        Output::Catalog(catalog) => imported.catalog = catalog,
        Output::Group { track } => *groups.entry(track).or_default() += 1,
        Output::Frame { track, payload, .. } => {
            imported.frames.push((track, groups[&track], payload));
        }
        _ => {}
    }
}

/// The renditions of the catalog, as one file.
pub(crate) fn export(imported: &Imported) -> Vec<u8> {
    let catalog = &imported.catalog;
    let video = catalog
        .video
        .iter()
        .map(|(name, video)| Source::video(name, video).unwrap());
    let audio = catalog
        .audio
        .iter()
        .map(|(name, audio)| Source::audio(name, audio).unwrap());
    let sources: Vec<Source> = video.chain(audio).collect();
    let at = |track: &usize| {
        sources
            .iter()
            .position(|source| source.name == imported.names[track])
    };
    let places: BTreeMap<usize, Option<usize>> = imported
        .names
        .keys()
        .map(|track| (*track, at(track)))
        .collect();
    let mut assembler = Assembler::new(sources, AssemblerConfig::default());
    let mut output = Vec::new();
    for (track, group, frame) in &imported.frames {
        if let Some(place) = places[track] {
            assembler.frame(place, *group, frame).unwrap().unwrap();
        }
        while let Some(bytes) = assembler.pop() {
            output.extend_from_slice(&bytes);
        }
    }
    assembler.start().unwrap();
    while let Some(bytes) = assembler.pop() {
        output.extend_from_slice(&bytes);
    }
    output
}

/// A file through import and export, in pieces of `size`.
pub(crate) fn through(input: &Fixture, format: Format, size: usize) -> Fixture {
    write(&export(&import(input, format, size).unwrap()))
}

/// A file of these bytes.
pub(crate) fn write(bytes: &[u8]) -> Fixture {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = dir().join(format!("output-{count}.mp4"));
    std::fs::write(&path, bytes).unwrap();
    Fixture(path)
}

/// Packets by stream, video streams first.
pub(crate) fn packets(file: &Fixture) -> Vec<Vec<Packet>> {
    let entries = "stream=index,codec_type,time_base:packet=stream_index,pts,dts,size,flags";
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "error", "-show_entries", entries, "-of", "csv"]);
    let said = ffprobe.arg(&file.0).output().unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let of_kind = |kind| lines.iter().filter(move |line| line[0] == kind);
    let mut streams: Vec<_> = of_kind("stream").collect();
    streams.sort_by_key(|stream| (stream[2] != "video", stream[1]));
    let packets_of = |stream: &&Vec<&str>| {
        let (_, scale) = stream[3].split_once('/').unwrap();
        let packets = of_kind("packet").filter(|packet| packet[1] == stream[1]);
        packets
            .map(|packet| read_packet(&packet[2..], scale.parse().unwrap()))
            .collect()
    };
    streams.iter().map(packets_of).collect()
}

fn read_packet(fields: &[&str], scale: i64) -> Packet {
    Packet {
        pts: fields[0].parse().unwrap(),
        dts: fields[1].parse().unwrap(),
        size: fields[2].parse().unwrap(),
        is_key: fields[3].starts_with('K'),
        scale,
    }
}

/// What ffmpeg says while it decodes a file, which is nothing if all is well.
pub(crate) fn decode(file: &Fixture) -> String {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(&file.0);
    let said = ffmpeg.args(["-f", "null", "-"]).output().unwrap();
    String::from_utf8_lossy(&said.stderr).into_owned()
}

/// Where boxes at the top begin and end.
pub(crate) fn box_borders(bytes: &[u8]) -> Vec<usize> {
    let (mut borders, mut at) = (Vec::new(), 0);
    while let Some(size) = bytes.get(at..at + 4) {
        at += u32::from_be_bytes(size.try_into().unwrap()) as usize;
        borders.extend([at, at + 8]);
    }
    borders
}
