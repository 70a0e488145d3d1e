//! What can be wrong with a track, in words.

use moq_session::{Abort, ReadError};

use crate::client;
use crate::exit::{Exit, Failure};

/// What is missing, and why as far as that is known.
pub(super) fn missing(groups: &std::ops::Range<u64>, cause: Abort) -> String {
    let what = match groups.end.saturating_sub(groups.start) {
        0 | 1 => format!("group {} is missing, or some of it", groups.start),
        _ => format!("groups {} to {} are missing", groups.start, groups.end - 1),
    };
    let hint = match cause {
        Abort::Evicted => "; a larger --buffer holds more",
        Abort::Missing => "; a longer --max-age waits longer",
        _ => "",
    };
    format!("{what}: {cause}{hint}")
}

/// Something is missing where nothing may be.
pub(super) fn strict(what: String) -> anyhow::Error {
    let hint = "without --strict what is missing is skipped";
    Failure::new(Exit::Failed, what).with_hint(hint).into()
}

/// The broadcast lacks the track.
pub(super) fn no_track(name: &str) -> anyhow::Error {
    let what = format!("the broadcast has no track `{name}`");
    let failure = Failure::new(Exit::NotFound, what);
    failure
        .with_hint("give the track's name with --track")
        .into()
}

/// The server owes an answer.
pub(super) fn no_answer() -> anyhow::Error {
    let failure = Failure::new(Exit::TimedOut, "the server does not answer for the track");
    failure.with_hint("give it longer with --timeout").into()
}

/// The server serves as many tracks as it is ready to, or the publisher behind it does.
pub(super) fn no_capacity(error: ReadError) -> anyhow::Error {
    anyhow::Error::new(error).context(client::no_capacity())
}

/// The track ended before its finish.
pub(super) fn vanished(error: ReadError) -> anyhow::Error {
    let failure = Failure::new(Exit::Failed, "the broadcast vanished without an end");
    anyhow::Error::new(error).context(failure.with_hint("check on its publisher"))
}

/// A frame is not what was asked for.
pub(super) fn no_json(why: String) -> anyhow::Error {
    let failure = Failure::new(Exit::Failed, "a frame is no JSON");
    anyhow::Error::msg(why).context(failure.with_hint("--lines and --raw take anything"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_reason() {
        assert_eq!(
            missing(&(3..4), Abort::Missing),
            "group 3 is missing, or some of it: it never came; a longer --max-age waits longer"
        );
        assert_eq!(
            missing(&(3..6), Abort::Evicted),
            "groups 3 to 5 are missing: it was dropped for memory; a larger --buffer holds more"
        );
        assert!(
            missing(&(0..2), Abort::TooFarBehind).ends_with(": its readers fell too far behind")
        );
    }
}
