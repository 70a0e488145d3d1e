//! The log on stderr.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::args::OutputArgs;
use crate::exit::{Exit, Failure};
use crate::progress::Console;

/// Starts to log what `--log` or else `RUST_LOG` asks for.
///
/// Without either: warnings, and on a relay also sessions that come and go.
///
/// # Errors
/// If the filter does not parse.
pub(crate) fn start(args: &OutputArgs, is_relay: bool, console: &Console) -> anyhow::Result<()> {
    // web-transport-quinn warns of each session that ends.
    let asked = args.log.clone().or_else(|| std::env::var("RUST_LOG").ok());
    let filter = asked
        .filter(|filter| !filter.is_empty())
        .unwrap_or_else(|| {
            let filter = match (args.quiet, is_relay) {
                (true, _) => "error",
                (false, true) => "warn,web_transport_quinn=error,moq=info",
                (false, false) => "warn,web_transport_quinn=error",
            };
            filter.to_owned()
        });
    let failure = || {
        Failure::new(
            Exit::Usage,
            format!("the log filter `{filter}` makes no sense"),
        )
        .with_hint("write it like debug or moq=info,warn")
    };
    let filter = EnvFilter::builder().parse(&filter).with_context(failure)?;
    let writer = console.clone();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(console.is_terminal())
        .with_writer(move || writer.writer())
        .init();
    Ok(())
}
