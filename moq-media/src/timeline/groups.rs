//! Where groups begin.

use std::time::Duration;

/// What to do with a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Step {
    /// It can't be decoded from here: leave it out.
    Drop,
    /// It begins a group.
    Begin,
    /// It belongs to the group that is open.
    Continue,
}

/// Groups of video: one per key frame.
#[derive(Debug, Clone, Default)]
pub struct VideoGroups {
    is_open: bool,
}

impl VideoGroups {
    /// Where a sample goes.
    ///
    /// What comes before a key frame is dropped, at the start and after [`cut`](Self::cut).
    pub fn next(&mut self, is_key: bool) -> Step {
        if is_key {
            self.is_open = true;
            return Step::Begin;
        }
        if self.is_open {
            Step::Continue
        } else {
            Step::Drop
        }
    }

    /// Something is missing, or time breaks: only a key frame goes on.
    pub fn cut(&mut self) {
        self.is_open = false;
    }
}

/// Groups of audio: one per span of time.
#[derive(Debug, Clone)]
pub struct AudioGroups {
    span: Duration,
    start: Option<i64>,
}

impl AudioGroups {
    /// What a group of audio spans unless told otherwise. A frame leaves at once in any case; a
    /// lost group costs as much.
    pub const DEFAULT_SPAN: Duration = Duration::from_millis(500);

    /// Groups that span at least `span`.
    #[must_use]
    pub fn new(span: Duration) -> Self {
        Self { span, start: None }
    }

    /// Where the sample at `time`, in microseconds, goes.
    pub fn next(&mut self, time: i64) -> Step {
        let span = i64::try_from(self.span.as_micros()).unwrap_or(i64::MAX);
        let is_open = self
            .start
            .is_some_and(|start| time.saturating_sub(start) < span);
        if is_open {
            return Step::Continue;
        }
        self.start = Some(time);
        Step::Begin
    }

    /// Something is missing, or time breaks: the next sample begins a group.
    pub fn cut(&mut self) {
        self.start = None;
    }
}

impl Default for AudioGroups {
    fn default() -> Self {
        Self::new(Self::DEFAULT_SPAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn video_waits_for_a_key_frame() {
        let mut groups = VideoGroups::default();
        let keys = [false, true, false, false, true];
        let steps = keys.map(|is_key| groups.next(is_key));
        let (drop, begin, go_on) = (Step::Drop, Step::Begin, Step::Continue);
        assert_eq!(steps, [drop, begin, go_on, go_on, begin]);
        groups.cut();
        assert_eq!(groups.next(false), Step::Drop);
    }

    #[test]
    fn audio_begins_a_group_every_span() {
        let mut groups = AudioGroups::default();
        let begins = (0..100)
            .filter(|packet| groups.next(packet * 20_000) == Step::Begin)
            .collect::<Vec<_>>();
        assert_eq!(begins, [0, 25, 50, 75]);
        groups.cut();
        assert_eq!(groups.next(100 * 20_000), Step::Begin);
    }
}
