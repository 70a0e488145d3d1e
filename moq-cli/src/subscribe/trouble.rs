//! What can be wrong with a track, in words.

use moq_session::{GroupEnd, ReadError};

use crate::exit::{Exit, Failure};

/// What is missing, and why as far as that is known.
pub(super) fn missing(groups: &std::ops::Range<u64>, end: Option<GroupEnd>) -> String {
    let what = match groups.end.saturating_sub(groups.start) {
        0 | 1 => format!("group {} is missing, or some of it", groups.start),
        _ => format!("groups {} to {} are missing", groups.start, groups.end - 1),
    };
    let why = match end {
        Some(GroupEnd::Aborted(reason)) => format!(": {reason}"),
        Some(GroupEnd::Expired) => ": too old".to_owned(),
        Some(GroupEnd::Evicted) => ": dropped for memory; a larger --buffer holds more".to_owned(),
        _ => String::new(),
    };
    what + &why
}

/// Something is missing where nothing may be.
pub(super) fn strict(what: String) -> anyhow::Error {
    let hint = "a longer --max-age waits longer; without --strict what is missing is skipped";
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
    use moq_session::Abort;

    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_reason() {
        assert_eq!(missing(&(3..4), None), "group 3 is missing, or some of it");
        let evicted = Some(GroupEnd::Evicted);
        assert_eq!(
            missing(&(3..6), evicted),
            "groups 3 to 5 are missing: dropped for memory; a larger --buffer holds more"
        );
        let aborted = Some(GroupEnd::Aborted(Abort::TooFarBehind));
        assert!(missing(&(0..2), aborted).ends_with(": the reader fell too far behind"));
    }
}
