//! What ffprobe and ffmpeg say of a file.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// A packet, its times in ticks of its stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet {
    pub(super) pts: i64,
    pub(super) dts: i64,
    pub(super) size: u64,
    pub(super) is_key: bool,
    /// Ticks per second.
    pub(super) scale: i64,
}

impl Packet {
    /// A time of its stream in microseconds.
    pub(super) fn micros(&self, ticks: i64) -> i64 {
        ticks * 1_000_000 / self.scale
    }
}

/// Packets by stream, video streams first.
pub(super) fn packets(file: &Path) -> anyhow::Result<Vec<Vec<Packet>>> {
    let entries = "stream=index,codec_type,time_base:packet=stream_index,pts,dts,size,flags";
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "error", "-show_entries", entries, "-of", "csv"]);
    let said = ffprobe.arg(file).output().context("starting ffprobe")?;
    let text = String::from_utf8_lossy(&said.stdout);
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let of_kind = |kind| {
        let lines = lines.iter();
        lines.filter(move |line: &&Vec<&str>| line.first() == Some(&kind))
    };
    let mut streams: Vec<_> = of_kind("stream").collect();
    streams.sort_by_key(|stream| (stream.get(2) != Some(&"video"), stream.get(1).copied()));
    // Those of a program are told with it, and once more.
    streams.dedup_by_key(|stream| stream.get(1).copied());
    let mut all = Vec::new();
    for stream in streams {
        let scale = stream.get(3).and_then(|base| base.split_once('/'));
        let scale = scale.context("a stream without a time base")?.1.parse()?;
        let packets = of_kind("packet").filter(|packet| packet.get(1) == stream.get(1));
        let packets = packets.map(|packet| read(packet, scale));
        all.push(packets.collect::<anyhow::Result<Vec<_>>>()?);
    }
    ensure!(
        !all.is_empty(),
        "ffprobe finds no stream in {}",
        file.display()
    );
    Ok(all)
}

fn read(fields: &[&str], scale: i64) -> anyhow::Result<Packet> {
    let [_, _, pts, dts, size, flags, ..] = fields else {
        anyhow::bail!("a packet without its fields: {fields:?}");
    };
    Ok(Packet {
        pts: time(pts).context("pts")?,
        dts: time(dts).context("dts")?,
        size: size.parse().context("size")?,
        is_key: flags.starts_with('K'),
        scale,
    })
}

/// A time; 0 in streams that have none.
fn time(text: &str) -> anyhow::Result<i64> {
    if text == "N/A" {
        return Ok(0);
    }
    Ok(text.parse()?)
}

/// What ffmpeg says while it decodes a file, which is nothing if all is well.
pub(super) fn decode(file: &Path) -> anyhow::Result<String> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(file);
    let said = ffmpeg.args(["-f", "null", "-"]).output();
    let said = said.context("starting ffmpeg")?;
    Ok(String::from_utf8_lossy(&said.stderr).into_owned())
}
