//! What can be wrong with a track, in words.

use moq_session::{Abort, FoundTrack, ReadError};

use super::find::Ended;
use crate::client;
use crate::exit::{Exit, Failure};

/// What is missing, and why as far as that is known.
pub(crate) fn missing(groups: &std::ops::Range<u64>, cause: Abort) -> String {
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
pub(crate) fn strict(what: String) -> anyhow::Error {
    let hint = "without --strict what is missing is skipped";
    Failure::new(Exit::Failed, what).with_hint(hint).into()
}

/// The broadcast lacks the track.
pub(crate) fn no_track(name: &str) -> anyhow::Error {
    let what = format!("the broadcast has no track `{name}`");
    let failure = Failure::new(Exit::NotFound, what);
    failure
        .with_hint("give the track's name with --track")
        .into()
}

/// The broadcast lacks a track that its catalog names.
pub(crate) fn no_named_track(name: &str) -> anyhow::Error {
    let what = format!("the broadcast has no track `{name}`, though its catalog names it");
    Failure::new(Exit::NotFound, what)
        .with_hint("check on its publisher")
        .into()
}

/// Why a broadcast's catalog is not there: it may come yet, or `None` if it was there and was lost.
///
/// # Errors
/// If the broadcast has no catalog, or the server does not answer.
pub(crate) fn absent(error: ReadError, found: &FoundTrack) -> anyhow::Result<Option<Ended>> {
    match error {
        ReadError::Aborted(Abort::Unroutable) => Ok(Some(Ended::NotThere)),
        ReadError::Aborted(Abort::NotFound) if !found.is_announced => Ok(Some(Ended::NotThere)),
        ReadError::Aborted(Abort::NotFound) => {
            let what = format!(
                "the broadcast has no catalog, no track `{}`",
                found.track.name()
            );
            let failure = Failure::new(Exit::NotFound, what);
            Err(failure
                .with_hint("`moq subscribe --track NAME` reads a single track")
                .into())
        }
        ReadError::Aborted(Abort::Timeout) => Err(no_answer()),
        _ => Ok(None),
    }
}

/// The server owes an answer.
pub(crate) fn no_answer() -> anyhow::Error {
    let failure = Failure::new(Exit::TimedOut, "the server does not answer for the track");
    failure.with_hint("give it longer with --timeout").into()
}

/// The track ended before its finish, or is one more than the server or the publisher serves.
pub(crate) fn vanished(error: ReadError) -> anyhow::Error {
    if is_too_much(error) {
        return anyhow::Error::new(error).context(client::no_capacity());
    }
    let failure = Failure::new(Exit::Failed, "the broadcast vanished without an end");
    anyhow::Error::new(error).context(failure.with_hint("check on its publisher"))
}

/// Whether it is one more than the server or the publisher serves.
pub(super) fn is_too_much(error: ReadError) -> bool {
    error == ReadError::Aborted(Abort::NoCapacity)
}

/// A frame is not what was asked for.
pub(crate) fn no_json(why: String) -> anyhow::Error {
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
