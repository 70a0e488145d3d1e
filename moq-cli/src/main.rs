//! The `moq` command: publish, subscribe and relay live content over QUIC and WebTransport.
//!
//! Start reading at [`publish`]: it is the shortest way from arguments to a session.

mod args;
mod bench;
mod catalog;
mod client;
mod decode;
mod demo;
mod exit;
mod fetch;
mod input;
mod logging;
mod ls;
mod media;
mod output;
mod pattern;
mod ping;
mod progress;
mod publish;
mod record;
mod relay;
mod replay;
mod series;
mod signal;
mod subscribe;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use args::{Cli, Command};
use exit::Exit;
use progress::Console;
use signal::Signals;

/// Gives back what sessions used that are gone, which the system's allocator may keep: a thread of
/// its own does so within ten seconds, however little the others do meanwhile.
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error).into(),
    };
    let console = Console::new(cli.output.quiet);
    match start(cli, &console) {
        Ok(exit) => exit.into(),
        Err(error) => {
            console.fail(&exit::line(&error));
            exit::code(&error).into()
        }
    }
}

/// Answers a command line that asks for help or makes no sense.
fn misused(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody can be told that stdout is gone.
            let _ = error.print();
            Exit::Ok
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Exit::Usage
        }
        _ => {
            Console::new(false).fail(&exit::usage_line(error));
            Exit::Usage
        }
    }
}

fn start(cli: Cli, console: &Console) -> anyhow::Result<Exit> {
    if let Command::Completions(args) = cli.command {
        let mut command = Cli::command();
        let mut script = Vec::new();
        clap_complete::generate(args.shell, &mut command, "moq", &mut script);
        output::print(&String::from_utf8_lossy(&script))?;
        return Ok(Exit::Ok);
    }
    logging::start(
        &cli.output,
        matches!(cli.command, Command::Relay(_)),
        console,
    )?;
    if let Command::Decode(args) = &cli.command {
        return decode::run(args, console);
    }
    let mut runtime = match std::thread::available_parallelism().map(usize::from) {
        // Threads that share one core only hand work to each other.
        Ok(1) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let ended = runtime.block_on(run(cli.command, console));
    // A thread may be waiting for input for ever.
    runtime.shutdown_background();
    ended
}

/// Runs a command until it ends, or a signal ends it.
async fn run(command: Command, console: &Console) -> anyhow::Result<Exit> {
    let mut signals = Signals::new()?;
    if let Command::Relay(args) = command {
        return relay::run(args, console, &mut signals).await;
    }
    if let Command::Record(args) = command {
        return record::run(args, console, &mut signals).await;
    }
    let ended = tokio::select! {
        ended = client(command, console) => ended,
        exit = signals.next() => Ok(exit),
    };
    // What was dropped above is closed by tasks that need a moment to tell the peer.
    tokio::time::sleep(FAREWELL).await;
    ended
}

async fn client(command: Command, console: &Console) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(args, console).await,
        Command::Publish(args) => publish::run(args, console).await,
        Command::Subscribe(args) => subscribe::run(args, console).await,
        Command::Catalog(args) => catalog::run(args, console).await,
        Command::Fetch(args) => fetch::run(args, console).await,
        Command::Replay(args) => replay::run(args, console).await,
        Command::Ls(args) => ls::run(args, console).await,
        Command::Ping(args) => ping::run(args).await,
        Command::Bench(args) => bench::run(args, console).await,
        Command::Relay(_) | Command::Record(_) | Command::Decode(_) | Command::Completions(_) => {
            Ok(Exit::Ok)
        }
    }
}

/// How long closed sessions have to tell their peers.
const FAREWELL: Duration = Duration::from_millis(50);
