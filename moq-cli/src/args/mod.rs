//! The command line.

mod bench;
mod client;
mod decode;
mod fmp4;
mod media;
mod recordings;
mod relay;
mod single;
mod values;

use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use moq_session::BroadcastPath;

pub(crate) use bench::{BenchArgs, Shape};
pub(crate) use client::ClientArgs;
pub(crate) use decode::{DecodeArgs, Part};
pub(crate) use fmp4::MediaInput;
pub(crate) use media::{Beginning, Mode, PublishArgs, SubscribeArgs};
pub(crate) use recordings::{RecordArgs, ReplayArgs};
pub(crate) use relay::{RelayArgs, TlsArgs};
pub(crate) use single::{CatalogArgs, FetchArgs};

/// Publish, subscribe and relay live content over QUIC and WebTransport.
///
/// Every flag can also be given as an environment variable, such as MOQ_TIMEOUT. Durations are written 10s
/// or 500ms, sizes 64k or 1MiB.
#[derive(Debug, Parser)]
#[command(name = "moq", version, disable_help_subcommand = true)]
#[command(after_help = "Exit codes: 0 ok, 1 failed, 2 usage, 3 refused, 4 not found, 5 timed out.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What every command knows.
#[derive(Debug, Clone, Args)]
pub(crate) struct OutputArgs {
    /// What is logged to stderr, such as `debug` or `moq=info,warn`
    #[arg(
        long,
        global = true,
        value_name = "FILTER",
        env = "MOQ_LOG",
        hide_env_values = true
    )]
    pub(crate) log: Option<String>,
    /// Say nothing on stderr but errors
    #[arg(long, global = true, env = "MOQ_QUIET", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show it all at work: a relay, a publisher and a subscriber on this machine
    Demo(DemoArgs),
    /// Fan broadcasts out from publishers to subscribers
    Relay(RelayArgs),
    /// Publish stdin or a file as a broadcast
    ///
    /// Exit code 3 if the server asks for no announcements that cover BROADCAST. A moq-relay asks for all of
    /// them and keeps what it does not take to itself, so there nobody can tell.
    Publish(PublishArgs),
    /// Write a broadcast to stdout
    Subscribe(SubscribeArgs),
    /// Show what media a broadcast has
    Catalog(CatalogArgs),
    /// Write one group of a track to stdout
    Fetch(FetchArgs),
    /// Keep all tracks of broadcasts in a file, as they come
    Record(RecordArgs),
    /// Publish what was recorded, as if it were live
    Replay(ReplayArgs),
    /// List the announced broadcasts
    Ls(LsArgs),
    /// Connect, and report what was negotiated and how long it took
    Ping(PingArgs),
    /// Load a relay, and measure what arrives and how late
    ///
    /// Publishes and subscribes through the relay from this process. Each frame is sent when it is due,
    /// however late the ones before it were, and its latency counts from that moment. Exit code 1 if a frame
    /// was lost that had to be delivered.
    Bench(BenchArgs),
    /// Show what bytes say: of a capture, a recording, a qlog, hex or a single stream
    ///
    /// The input is recognised by what it holds: a capture (JSON with the bytes and events of a session), a
    /// recording of `moq record`, a qlog, hex digits, or else the bytes of one stream. In hex, spaces, colons, 0x, comments after # or //
    /// and what xxd and hexdump -C add are passed over. An empty line ends a stream. A line may begin with
    /// `uni:` or another KIND, which begins a stream, with `<` if the answer on the same stream follows, and
    /// with `>` if its opener goes on.
    Decode(DecodeArgs),
    /// Write a shell's completions to stdout
    Completions(CompletionsArgs),
}

/// `moq demo`
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How long to publish
    #[arg(long, default_value = "10s", value_parser = values::duration)]
    #[arg(env = "MOQ_DURATION", hide_env_values = true)]
    pub(crate) duration: Duration,
    /// Publish the test pattern, picture and sound, and say what arrives of each track
    #[arg(long, env = "MOQ_MEDIA", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) media: bool,
}

/// `moq ls`
#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Only at this path and below it
    #[arg(default_value = "", value_parser = values::path, hide_default_value = true)]
    pub(crate) prefix: BroadcastPath,
    /// Go on with what changes: `+ path`, `- path`, and `~ path` for another route to it
    #[arg(long, env = "MOQ_WATCH", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) watch: bool,
    /// One JSON object per line
    #[arg(long, env = "MOQ_JSON", hide_env_values = true)]
    #[arg(value_parser = FalseyValueParser::new())]
    pub(crate) json: bool,
}

/// `moq ping`
#[derive(Debug, Args)]
pub(crate) struct PingArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// `moq completions`
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// For which shell
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_its_environment_variable() {
        for command in Cli::command().get_subcommands() {
            for arg in command.get_arguments() {
                let Some(flag) = arg.get_long().filter(|flag| *flag != "help") else {
                    continue;
                };
                let name = format!("MOQ_{}", flag.to_uppercase().replace('-', "_"));
                let env = arg.get_env().and_then(|env| env.to_str());
                assert_eq!(env, Some(name.as_str()), "{} {flag}", command.get_name());
            }
        }
    }

    #[test]
    fn the_programs_version_and_the_protocols_do_not_collide() {
        let error = Cli::try_parse_from(["moq", "--version"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DisplayVersion);
        let version = ["moq", "ping", "moqt://h", "--version", "moq-lite-05"];
        let Command::Ping(ping) = Cli::try_parse_from(version).unwrap().command else {
            panic!("ping was asked for");
        };
        assert_eq!(ping.client.versions(), [moq_session::Version::Lite05]);
    }

    #[test]
    fn a_wrong_command_line_is_told_on_one_line() {
        let usage =
            |args: &[&str]| crate::exit::usage_line(&Cli::try_parse_from(args).unwrap_err());
        let line = usage(&["moq", "subscribe", "moqt://h", "x", "--rwa"]);
        assert!(
            line.starts_with("moq: unexpected argument '--rwa' found; "),
            "{line}"
        );
        assert!(line.ends_with("try `moq subscribe --help`"), "{line}");
        let line = usage(&["moq", "publish", "moqt://h"]);
        assert!(
            line.contains("<BROADCAST>") && line.contains("try `moq publish --help`"),
            "{line}"
        );
        let line = usage(&["moq", "ping", "wss://h"]);
        assert!(
            line.contains("wss") && line.contains("https") && !line.contains('\n'),
            "{line}"
        );
    }
}
