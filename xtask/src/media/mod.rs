//! Files of ffmpeg through publisher, relay and subscriber, judged by ffprobe.

mod check;
mod flow;
mod options;
mod probe;
mod streams;
// One table for the library's tests and for whole processes.
#[path = "../../../moq-media/tests/common/fixtures.rs"]
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context as _, bail, ensure};

use self::flow::{Case, Ends, Stage};
use self::options::Options;
use crate::workspace::Workspace;

pub(crate) use self::options::HELP;

/// Runs the matrix.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> anyhow::Result<()> {
    let options = Options::parse(args)?;
    for program in ["ffmpeg", "ffprobe"] {
        if Command::new(program).arg("-version").output().is_err() {
            eprintln!("SKIP: {program} is not installed");
            return Ok(());
        }
    }
    let build = ["build", "-p", "moq-cli", "--bin", "moq"];
    let status = workspace.cargo(&build).status()?;
    ensure!(status.success(), "our program does not build");
    let dir = workspace.target.join("media");
    std::fs::create_dir_all(&dir).context("making a directory for files")?;
    let program = workspace.target.join("debug/moq");
    let stage = Stage::start(&program, &dir, &options.version)?;

    let (mut good, mut skipped, mut failed) = (0, 0, Vec::new());
    let files = table::FIXTURES
        .iter()
        .map(|(name, arguments)| (name, "mp4", arguments));
    let streams = streams::STREAMS.iter();
    let streams = streams.map(|(name, format, arguments)| (name, *format, arguments));
    for (name, format, arguments) in files.chain(streams) {
        if !options.has_fixture(name) {
            continue;
        }
        let input = match make(&dir, name, format, arguments) {
            Ok(input) => input,
            Err(error) => {
                skipped += 1;
                eprintln!("SKIP {name}: {error:#}");
                continue;
            }
        };
        for (case, result) in cases(&stage.ends, (name, format), &input, &options) {
            match result {
                Ok(()) => {
                    good += 1;
                    eprintln!("ok   {case}");
                }
                Err(error) => {
                    eprintln!("FAIL {case}: {error:#}");
                    failed.push(case.to_string());
                }
            }
        }
    }
    eprintln!("{good} passed, {} failed, {skipped} skipped", failed.len());
    if !failed.is_empty() {
        bail!(
            "failed: {}; files are in {}",
            failed.join(", "),
            dir.display()
        );
    }
    Ok(())
}

/// A fixture in every container and over every binding, all at a time.
fn cases<'a>(
    ends: &Ends,
    fixture: (&'a str, &'a str),
    input: &Path,
    options: &'a Options,
) -> Vec<(Case<'a>, anyhow::Result<()>)> {
    thread::scope(|scope| {
        let running: Vec<_> = options
            .cases(fixture)
            .map(|case| (case, scope.spawn(move || ends.run(case, input))))
            .collect();
        let results = running.into_iter().map(|(case, thread)| {
            let result = thread.join();
            let result = result.unwrap_or_else(|_| Err(anyhow::anyhow!("the test panicked")));
            (case, result)
        });
        results.collect()
    })
}

/// A file of two seconds, made once. `V:rate` and `A:rate` stand for inputs.
fn make(dir: &Path, name: &str, format: &str, arguments: &str) -> anyhow::Result<PathBuf> {
    let path = dir.join(format!("{name}.{format}"));
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
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y"]).args(inputs);
    ffmpeg.args(["-pix_fmt", "yuv420p"]).args(rest);
    ffmpeg.args(["-threads", "1", "-f", format]).arg(&path);
    let made = ffmpeg.output().context("starting ffmpeg")?;
    let said = String::from_utf8_lossy(&made.stderr);
    let said = said.lines().next().unwrap_or_default();
    ensure!(made.status.success(), "ffmpeg can't make it: {said}");
    Ok(path)
}
