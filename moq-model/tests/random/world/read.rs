//! Reading, and whether what comes is what has to come.

use std::task::Poll;

use moq_model::{Abort, GroupConsumer, GroupEnd, GroupRead, NextGroup, ReadError, TrackRead};

use super::waiter::Waiter;
use super::{AnyReader, ConsumerSlot, Outcome, ReaderSlot, World, pick, same};
use crate::reference::{Expect, Order};

/// What a reader yielded, in the reference's words.
#[derive(Debug)]
pub(super) enum Yield {
    Group(GroupConsumer),
    Lost(u64, u64, Abort),
    Frame(u64, usize, moq_model::Frame),
    End,
    Failed(Abort),
    Wait,
}

impl World {
    pub(super) fn read(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        if let Some(at) = pick(a, self.readers.len()) {
            for _ in 0..=b % 4 {
                if !self.read_once(at)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Looks again, whether it was woken or not.
    pub(super) fn poll_waiting(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        for at in 0..self.readers.len() {
            let waiter = &self.readers[at].waiter;
            let is_due = waiter.is_woken() || (a + at as u64).is_multiple_of(8);
            if waiter.is_waiting && is_due {
                self.read_once(at)?;
            }
        }
        for at in 0..self.consumers.len() {
            let waiter = &self.consumers[at].waiter;
            if waiter.is_waiting && (waiter.is_woken() || (a + at as u64).is_multiple_of(8)) {
                self.read_consumer(at, 1)?;
            }
        }
        self.poll_gates()
    }

    /// Says whether there may be more.
    fn read_once(&mut self, at: usize) -> Outcome<bool> {
        let now = self.reference.now;
        let slot = &mut self.readers[at];
        if slot.is_over {
            return Ok(false);
        }
        let track = &self.reference.tracks[slot.track];
        let peeked = track.peek(slot.reader, now);
        let what = format!("track {} reader {}", slot.track, slot.reader);
        let got = poll(slot);
        let lost = compare(&what, track, &got, peeked.0)?;
        account(slot, &got).map_err(|why| format!("{what}: {why}"))?;
        slot.is_over = matches!(got, Yield::End | Yield::Failed(_));
        let (track, reader) = (slot.track, slot.reader);
        self.log.push(format!("{what} gets {:?}", peeked.0));
        self.reference.tracks[track].advance(reader, peeked, lost);
        let may_go_on = !matches!(got, Yield::End | Yield::Failed(_) | Yield::Wait);
        match (got, peeked.0) {
            (Yield::Group(consumer), Expect::Group(group)) => {
                let cursor = self.track_mut(track).take(reader, group);
                self.add_consumer(track, cursor, consumer);
                self.count("groups taken");
            }
            (Yield::Lost(_, _, cause), _) => self.count(match cause {
                Abort::Expired => "losses told: expired",
                Abort::Evicted => "losses told: evicted",
                Abort::Missing => "losses told: missing",
                Abort::TooFarBehind => "losses told: too far behind",
                Abort::SessionClosed => "losses told: session closed",
                _ => "losses told: others",
            }),
            (Yield::Frame(..), _) => self.count("frames read"),
            (Yield::Wait, _) => self.count("waits"),
            (Yield::End, _) => self.count("ends of tracks"),
            (Yield::Failed(_), _) => self.count("aborts of tracks"),
            _ => {}
        }
        if let AnyReader::Aside(left) = &self.readers[at].any {
            let expected = self.track(track).backlog(reader);
            same(&format!("{what}: backlog"), &left.backlog(), &expected)?;
        }
        Ok(may_go_on)
    }

    pub(super) fn add_consumer(&mut self, track: usize, cursor: usize, consumer: GroupConsumer) {
        self.consumers.push(ConsumerSlot {
            track,
            cursor,
            consumer,
            waiter: Waiter::default(),
            is_cut_only: false,
        });
    }

    pub(super) fn read_group(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        match pick(a, self.consumers.len()) {
            Some(at) => self.read_consumer(at, 1 + b as usize % 3),
            None => Ok(()),
        }
    }

    fn read_consumer(&mut self, at: usize, max: usize) -> Outcome {
        let slot = &mut self.consumers[at];
        let what = format!("track {} cursor {}", slot.track, slot.cursor);
        slot.is_cut_only = false;
        let mut frames = Vec::new();
        let polled = if max == 1 {
            let polled = slot.waiter.poll(|cx| slot.consumer.poll_next(cx));
            polled.map(|read| match read {
                GroupRead::Frame(frame) => {
                    frames.push(frame);
                    None
                }
                GroupRead::End(end) => Some(end),
            })
        } else {
            let take = |frame| frames.push(frame);
            slot.waiter
                .poll(|cx| slot.consumer.poll_frames(cx, max, take))
        };
        let track = &mut self.reference.tracks[slot.track];
        let mut expected: Poll<Option<GroupEnd>> = Poll::Pending;
        let mut taken = 0;
        while taken < max {
            match track.peek_cursor(slot.cursor) {
                Some(Ok(frame)) => {
                    let got = frames
                        .get(taken)
                        .map(|frame| (frame.timestamp, frame.payload.len()));
                    same(&what, &got, &Some((frame.time, frame.len)))?;
                    track.step_cursor(slot.cursor);
                    taken += 1;
                    expected = Poll::Ready(None);
                }
                Some(Err(end)) if taken == 0 => {
                    expected = Poll::Ready(Some(end));
                    break;
                }
                _ => break,
            }
        }
        same(&what, &frames.len(), &taken)?;
        same(&what, &polled, &expected)?;
        if track.cursors[slot.cursor].is_cut
            && expected == Poll::Ready(Some(GroupEnd::Aborted(Abort::Expired)))
        {
            self.count("groups cut for one reader");
        }
        self.log
            .push(format!("{what} reads {taken} frames, {expected:?}"));
        Ok(())
    }

    pub(super) fn cut(&mut self, [a, ..]: [u64; 4]) -> Outcome {
        let Some(at) = pick(a, self.consumers.len()) else {
            return Ok(());
        };
        let slot = &mut self.consumers[at];
        slot.is_cut_only = true;
        let polled = slot.waiter.poll(|cx| slot.consumer.poll_cut(cx));
        let expected = self.reference.tracks[slot.track].peek_cut(slot.cursor);
        let expected = expected.map_or(Poll::Pending, Poll::Ready);
        self.log.push(format!(
            "track {} cursor {} cut: {expected:?}",
            slot.track, slot.cursor
        ));
        same("cut", &polled, &expected)
    }
}

fn poll(slot: &mut ReaderSlot) -> Yield {
    let failed = |error| match error {
        ReadError::Aborted(cause) => Yield::Failed(cause),
        error => panic!("{error}"),
    };
    let read = match &mut slot.any {
        AnyReader::Newest(reader) => {
            return match slot.waiter.poll(|cx| reader.poll_next(cx)) {
                Poll::Ready(Ok(next)) => next.map_or(Yield::End, yielded),
                Poll::Ready(Err(error)) => failed(error),
                Poll::Pending => Yield::Wait,
            };
        }
        AnyReader::Aside(reader) => {
            return match slot.waiter.poll(|cx| reader.poll_aside(cx)) {
                Poll::Ready(Ok(next)) => next.map_or(Yield::End, yielded),
                Poll::Ready(Err(error)) => failed(error),
                Poll::Pending => Yield::Wait,
            };
        }
        AnyReader::Ordered(reader) => slot.waiter.poll(|cx| reader.poll_next(cx)),
        AnyReader::Latest(reader) => slot.waiter.poll(|cx| reader.poll_next(cx)),
    };
    match read {
        Poll::Ready(Ok(Some(TrackRead::Frame {
            group,
            index,
            frame,
        }))) => Yield::Frame(group, index, frame),
        Poll::Ready(Ok(Some(TrackRead::Skipped { groups, cause }))) => {
            Yield::Lost(groups.start, groups.end, cause)
        }
        Poll::Ready(Ok(next)) => next.map_or(Yield::End, |next| panic!("{next:?}")),
        Poll::Ready(Err(error)) => failed(error),
        Poll::Pending => Yield::Wait,
    }
}

/// A group or a loss, in the reference's words.
pub(super) fn yielded(next: NextGroup) -> Yield {
    match next {
        NextGroup::Group(group) => Yield::Group(group),
        NextGroup::Lost { groups, cause } => Yield::Lost(groups.start, groups.end, cause),
        next => panic!("{next:?}"),
    }
}

/// Compares what came with what had to come; where groups are lost, says how many were told of: a
/// run of them may be told in parts.
pub(super) fn compare(
    what: &str,
    track: &crate::reference::Track,
    got: &Yield,
    expected: Expect,
) -> Outcome<Option<u64>> {
    let is_same = match (got, expected) {
        (Yield::Group(group), Expect::Group(index)) => {
            let held = &track.groups[index];
            group.sequence() == held.sequence && group.is_datagram() == held.is_datagram
        }
        (&Yield::Lost(start, end, cause), Expect::Lost(from, until, why)) => {
            if start == from && start < end && end <= until && cause == why {
                return Ok(Some(end));
            }
            false
        }
        (Yield::Frame(group, index, frame), Expect::Frame(sequence, place, held)) => {
            let is_payload = frame.payload.iter().all(|&byte| byte == 7);
            let is_held = frame.timestamp == held.time && frame.payload.len() == held.len;
            *group == sequence && *index == place && is_held && is_payload
        }
        (Yield::End, Expect::End) | (Yield::Wait, Expect::Wait) => true,
        (Yield::Failed(cause), Expect::Failed(why)) => *cause == why,
        _ => false,
    };
    if is_same {
        return Ok(None);
    }
    Err(format!("{what}: {got:?} instead of {expected:?}"))
}

/// Nothing is delivered or told of twice, and nothing that is not wanted.
fn account(slot: &mut ReaderSlot, got: &Yield) -> Outcome {
    let (start, end) = match *got {
        Yield::Frame(group, 0, _) => (group, group),
        Yield::Frame(group, ..) if slot.at == Some(group) => return Ok(()),
        Yield::Lost(start, end, _) => (start, end),
        Yield::Frame(..) => return Err("a frame is out of place".to_owned()),
        _ => return Ok(()),
    };
    if slot.wants.end.is_some_and(|wanted| end > wanted) {
        return Err("groups are told of that nobody wants".to_owned());
    }
    if let AnyReader::Newest(_) | AnyReader::Aside(_) = slot.any {
        return Ok(());
    }
    if slot.at.is_some_and(|at| start < at) {
        return Err("groups are told of twice".to_owned());
    }
    slot.at = Some(end);
    Ok(())
}

impl ReaderSlot {
    pub(super) fn order(&self) -> Order {
        match self.any {
            AnyReader::Newest(_) => Order::Newest,
            AnyReader::Aside(_) => Order::Aside,
            AnyReader::Ordered(_) => Order::Sequence,
            AnyReader::Latest(_) => Order::Latest,
        }
    }
}
