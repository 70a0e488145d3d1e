//! What `decode` takes.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use moq_session::Version;

use super::values;

/// `moq decode`
#[derive(Debug, Args)]
#[command(after_long_help = JSON)]
pub(crate) struct DecodeArgs {
    /// What to decode; stdin for `-`. Of a recording in several files, cam.moq stands for cam.00001.moq
    /// and those after it
    #[arg(required = true, num_args = 1.., value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The draft, such as moq-lite-06 or moq-lite-07-wip [default: what the input says, else the newest
    /// that sessions speak]
    #[arg(long = "version", value_name = "VERSION", value_delimiter = ',')]
    #[arg(env = "MOQ_VERSION", hide_env_values = true, value_parser = values::any_version)]
    version: Vec<Version>,
    /// What raw bytes and hex are, where they do not say [default: bi or uni, whichever decodes]
    #[arg(
        long,
        value_name = "KIND",
        value_enum,
        env = "MOQ_STREAM",
        hide_env_values = true
    )]
    pub(crate) stream: Option<Part>,
    /// One JSON object per line; --help says of what shape
    #[arg(long, env = "MOQ_JSON", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) json: bool,
}

impl DecodeArgs {
    /// The draft that was asked for.
    pub(crate) fn version(&self) -> Option<Version> {
        self.version.first().copied()
    }
}

/// What some bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// What the opener of a bidirectional stream sends
    Bi,
    /// A unidirectional stream
    Uni,
    /// One datagram
    Datagram,
    /// The answer on an Announce stream
    Announce,
    /// The answer on a Subscribe stream
    Subscribe,
    /// The answer on a Fetch stream
    Fetch,
    /// The answer on a Track stream
    Track,
    /// The answer on a Probe stream
    Probe,
    /// The server's half of the handshake stream of moq-lite-01 and -02
    Handshake,
}

const JSON: &str = "\
With --json each line is an object with a `type`:
  session      version, source (capture, qlog, hex, raw); always first
  stream_type  code, name, offset, length
  message      name, fields, offset, length; keys of durations end in _ms, payloads are hex
  fin, reset, stop, close   code, code_name; close: reason
  fault        in (may be null), error, offset (of what is wrong), message_offset
  incomplete   in, offset, length: bytes of a message whose rest is not there, without fault
  skipped      offset, length, reason: bytes that were not decoded
All but session have t_ms (null if unknown) and from; all but close and datagrams have stream and kind
(bi, uni); of a datagram, kind is datagram. Offsets and lengths are bytes of one direction of a stream.
Of a recording of `moq record`, each record is an object: start, part, broadcast, track, group, group_again,
frame, group_end, lost, track_end, index, end, with offset in the file and t_ms since the recording's start
(null if it has no time).

Exit codes: 0 ok, 1 some bytes are wrong or nothing could be read, 2 usage.";
