//! Whether the server can know of the broadcast at all.

use std::time::Duration;

use moq_session::{BroadcastPath, Publication, Unnoticed};
use tokio::time::Instant;

use crate::client::Link;
use crate::exit::{Exit, Failure};
use crate::progress::Console;

/// Waits until the server was sent the announcement, or until `used`: a track is asked for without it.
///
/// # Errors
/// If the server does not take the path: it asks for others only, or for none within `timeout`.
pub(super) async fn wait(
    publication: &mut Publication,
    link: &mut Link,
    used: impl Future<Output = ()>,
    timeout: Duration,
) -> anyhow::Result<()> {
    let mut deadline = Instant::now() + timeout;
    tokio::pin!(used);
    loop {
        let unnoticed = tokio::select! {
            told = publication.told(LOOK) => match told {
                Ok(()) => return Ok(()),
                Err(unnoticed) => unnoticed,
            },
            () = &mut used => return Ok(()),
            event = link.event() => {
                event?;
                deadline = Instant::now() + timeout;
                continue;
            }
        };
        let is_over = link.session().is_some() && Instant::now() >= deadline;
        if let Some(refused) = judge(unnoticed, publication.path(), is_over) {
            return refused;
        }
    }
}

/// What follows from a time without being noticed; `None` to wait on.
fn judge(unnoticed: Unnoticed, path: &BroadcastPath, is_over: bool) -> Option<anyhow::Result<()>> {
    let why = match unnoticed {
        // It was warned of, and whoever knows the path can ask for it.
        Unnoticed::Hidden { .. } => return Some(Ok(())),
        Unnoticed::Elsewhere { .. } => unnoticed.to_string(),
        _ if is_over => "it asks for no announcements, or does not read them".to_owned(),
        _ => return None,
    };
    let failure = Failure::new(Exit::Refused, format!("the server does not take `{path}`"));
    let failure = failure.with_hint("check the path, and what the URL's path and token allow");
    Some(Err(anyhow::Error::msg(why).context(failure)))
}

/// Says how a hidden broadcast is reached.
pub(super) fn warn_hidden(path: &BroadcastPath, console: &Console) {
    if let Some(segment) = hidden_prefix(path) {
        console.note(format_args!(
            "`{path}` is hidden, because a segment begins with a dot: before moq-lite-07 only who asks below `{segment}` \
             by name is told of it, such as a relay with --auth-public '{segment}/**' and `moq ls URL {segment}`"
        ));
    }
}

/// The path up to its first segment with a dot.
fn hidden_prefix(path: &BroadcastPath) -> Option<String> {
    let mut prefix = Vec::new();
    for segment in path.segments() {
        prefix.push(segment);
        if segment.starts_with('.') {
            return Some(prefix.join("/"));
        }
    }
    None
}

/// How long the requests of a server may take to come once there is a session.
const LOOK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit;

    fn path(text: &str) -> BroadcastPath {
        text.parse().unwrap()
    }

    #[test]
    fn a_server_that_asks_for_other_paths_refuses() {
        let asked = vec![path("a"), path("b")];
        let refused = judge(Unnoticed::Elsewhere { asked }, &path("x"), false);
        let error = refused.unwrap().unwrap_err();
        assert_eq!(exit::code(&error), Exit::Refused);
        let line = exit::line(&error);
        assert!(
            line.starts_with("moq: the server does not take `x`: "),
            "{line}"
        );
        assert!(line.contains("only below `a`, `b`; check"), "{line}");
    }

    #[test]
    fn a_server_that_asks_for_nothing_is_waited_for() {
        let unannounced = Unnoticed::Unannounced(LOOK);
        assert!(judge(unannounced.clone(), &path("x"), false).is_none());
        let error = judge(unannounced, &path("x"), true).unwrap().unwrap_err();
        assert_eq!(exit::code(&error), Exit::Refused);
    }

    #[test]
    fn a_hidden_path_is_told_with_what_has_to_be_named() {
        let hidden = |text| hidden_prefix(&path(text));
        assert_eq!(hidden("room/.stats/cpu/.x").unwrap(), "room/.stats");
        assert_eq!(hidden(".x").unwrap(), ".x");
        assert_eq!(hidden("a.b/c."), None);
        let asked = vec![BroadcastPath::root()];
        let judged = judge(Unnoticed::Hidden { asked }, &path(".x"), false);
        assert!(judged.unwrap().is_ok());
    }
}
