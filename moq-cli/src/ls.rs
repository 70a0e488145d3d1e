//! `moq ls`: what is announced.

use moq_session::{AnnouncedEvent, BroadcastPath, Limit, Limits, OriginProducer, Role, Session};
use tokio::time::{Instant, sleep_until};

use crate::args::LsArgs;
use crate::client::{self, Link};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::Console;

/// Runs the command.
pub(crate) async fn run(args: LsArgs, console: &Console) -> anyhow::Result<Exit> {
    let origin = OriginProducer::new();
    let config = client::config(&args.client)
        .with_subscribe(origin.clone())
        .with_role(Role::Subscriber);
    let mut link = Link::connect(&args.client, config, console).await?;
    let deadline = Instant::now() + args.client.timeout();
    let mut announced = origin.consume().announced(&args.prefix);
    let mut is_live = false;
    loop {
        let event = tokio::select! {
            event = announced.next() => event,
            event = link.event() => {
                event?;
                continue;
            }
            () = sleep_until(deadline), if !is_live => {
                let failure = Failure::new(Exit::TimedOut, "the server does not say what it has");
                return Err(failure.with_hint("give it longer with --timeout").into());
            }
        };
        if event == AnnouncedEvent::Live {
            is_live = true;
            if let Some(session) = link.session() {
                note_left_out(session, console);
            }
            if !args.watch {
                if let Some(session) = link.session() {
                    client::confirm(&args.client.url, session).await?;
                }
                return Ok(Exit::Ok);
            }
        } else if let Some(line) = line(&args, &event)
            && !output::print(&line)?
        {
            return Ok(Exit::Ok);
        }
    }
}

/// Says when the server announces more than is shown.
fn note_left_out(session: &Session, console: &Console) {
    if session.reached(Limit::Announces) > 0 {
        let shown = Limits::relay().announces;
        console.note(format_args!(
            "the server has more than {shown} {}; the others are left out",
            Limit::Announces
        ));
    }
}

/// The line for an event, if it is one of paths below the prefix.
fn line(args: &LsArgs, event: &AnnouncedEvent) -> Option<String> {
    let (sign, name, path) = match event {
        AnnouncedEvent::Start(path, _) => ('+', "start", path),
        AnnouncedEvent::End(path) => ('-', "end", path),
        _ => return None,
    };
    if !path.has_prefix(&args.prefix) {
        return None;
    }
    let line = match (args.json, args.watch) {
        (true, true) => format!("{{\"event\":\"{name}\",\"path\":{}}}\n", json(path)),
        (true, false) => format!("{{\"path\":{}}}\n", json(path)),
        (false, true) => format!("{sign} {}\n", output::harmless(path.as_str())),
        (false, false) => format!("{}\n", output::harmless(path.as_str())),
    };
    Some(line)
}

fn json(path: &BroadcastPath) -> String {
    serde_json::Value::from(path.as_str()).to_string()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use moq_model::Route;

    use super::*;
    use crate::args::{Cli, Command};

    fn shown(args: &[&str], event: &AnnouncedEvent) -> Option<String> {
        let cli = Cli::try_parse_from([&["moq", "ls", "moqt://h"], args].concat()).unwrap();
        let Command::Ls(args) = cli.command else {
            panic!("ls was asked for");
        };
        line(&args, event)
    }

    #[test]
    fn each_form_has_one_line_per_path() {
        let path = BroadcastPath::new("a/b\n\"c").unwrap();
        let start = AnnouncedEvent::Start(path.clone(), Route::local());
        let end = AnnouncedEvent::End(path);
        assert_eq!(shown(&[], &start).unwrap(), "a/b\\u{a}\"c\n");
        assert_eq!(shown(&["--watch"], &end).unwrap(), "- a/b\\u{a}\"c\n");
        assert_eq!(
            shown(&["--json"], &start).unwrap(),
            "{\"path\":\"a/b\\n\\\"c\"}\n"
        );
        let watched = "{\"event\":\"end\",\"path\":\"a/b\\n\\\"c\"}\n";
        assert_eq!(shown(&["--json", "--watch"], &end).unwrap(), watched);
    }

    #[test]
    fn a_long_path_is_shown_whole_and_no_path_moves_a_cursor() {
        let path = BroadcastPath::new(&format!("{}\u{202e}\u{1b}", "x".repeat(900))).unwrap();
        let start = AnnouncedEvent::Start(path, Route::local());
        let expected = format!("{}\\u{{202e}}\\u{{1b}}\n", "x".repeat(900));
        assert_eq!(shown(&[], &start).unwrap(), expected);
    }

    #[test]
    fn what_lies_above_the_prefix_is_not_listed() {
        let above = AnnouncedEvent::Start(BroadcastPath::new("a").unwrap(), Route::local());
        assert_eq!(shown(&["a/b"], &above), None);
        assert_eq!(shown(&["a"], &above).unwrap(), "a\n");
    }
}
