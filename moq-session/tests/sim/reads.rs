//! What readers are told, in words of the simulation: the only file that knows how tracks are read.

use std::ops::Range;

use moq_session::{
    Abort, Continuity, Frame, GroupConsumer, GroupEnd, GroupRead, LatestReader, NextGroup,
    ReadError, ResumeEvent, ResumingReader, Subscription, TrackFinder, TrackRead, TrackReader,
};

use crate::rules::Rule;

/// Rules whose breach is a violation; that of the others only counts, unless the program is asked
/// to be strict.
pub const ENFORCED: &[Rule] = &[Rule::Skip, Rule::Account, Rule::Latest];

/// Why a group does not come, or not further.
pub type Cause = Abort;

/// What a reader of one group after the other is told.
#[derive(Debug)]
pub enum Told {
    Frame {
        group: u64,
        index: u64,
        frame: Frame,
    },
    Gone(Gone),
}

/// Groups that do not come, whole or from some frame on.
#[derive(Debug)]
pub struct Gone {
    pub groups: Range<u64>,
    pub cause: Cause,
}

fn told(read: TrackRead) -> Option<Told> {
    match read {
        TrackRead::Frame {
            group,
            index,
            frame,
        } => Some(Told::Frame {
            group,
            index: index as u64,
            frame,
        }),
        TrackRead::Skipped { groups, cause } => Some(Told::Gone(Gone { groups, cause })),
        _ => None,
    }
}

/// What happens to a reading in sequence.
#[derive(Debug)]
pub enum Step {
    /// The track is read, from there on if that is where it was lost.
    Begins(Option<(u64, usize)>),
    Told(Told),
    /// The subscription is lost, or the track was refused.
    Lost(String),
    /// The track is over.
    End,
}

/// A track in sequence, over as many subscriptions as it takes.
#[derive(Debug)]
pub struct InOrder(ResumingReader);

impl InOrder {
    pub fn new(finder: TrackFinder, subscription: Subscription) -> Self {
        let reader = ResumingReader::new(finder);
        Self(reader.with_subscription(subscription).with_stay(true))
    }

    /// What happens next.
    pub async fn next(&mut self) -> Step {
        loop {
            let event = match self.0.next().await {
                Ok(Some(event)) => event,
                Ok(None) => return Step::End,
                Err(error) => return Step::Lost(error.to_string()),
            };
            match event {
                ResumeEvent::Reading {
                    continuity: Continuity::Resumed { group, frame },
                    ..
                } => return Step::Begins(Some((group, frame))),
                ResumeEvent::Reading { .. } => return Step::Begins(None),
                ResumeEvent::Lost { error, .. } => return Step::Lost(error.to_string()),
                ResumeEvent::Read(read) => {
                    if let Some(told) = told(read) {
                        return Step::Told(told);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The newest group of a track, for as long as it is that.
#[derive(Debug)]
pub struct Latest(LatestReader);

impl Latest {
    pub fn new(reader: TrackReader) -> Self {
        Self(reader.latest())
    }

    /// What is told next, `None` at the end of the track.
    pub async fn next(&mut self) -> Result<Option<Told>, ReadError> {
        loop {
            match self.0.next().await?.map(told) {
                Some(None) => {}
                Some(told) => return Ok(told),
                None => return Ok(None),
            }
        }
    }
}

/// What a newest-first reader is told.
#[derive(Debug)]
pub enum Newest {
    Group(Group),
    Gone(Gone),
    /// The track is over.
    End,
}

/// A track newest group first.
#[derive(Debug)]
pub struct NewestFirst(TrackReader);

impl NewestFirst {
    pub fn new(reader: TrackReader) -> Self {
        Self(reader)
    }

    /// What is told next. Cancel safe.
    pub async fn next(&mut self) -> Result<Newest, ReadError> {
        loop {
            match self.0.next().await? {
                Some(NextGroup::Group(group)) => return Ok(Newest::Group(Group(group))),
                Some(NextGroup::Lost { groups, cause }) => {
                    return Ok(Newest::Gone(Gone { groups, cause }));
                }
                Some(_) => {}
                None => return Ok(Newest::End),
            }
        }
    }
}

/// One group.
#[derive(Debug)]
pub struct Group(GroupConsumer);

/// What a group yields.
#[derive(Debug)]
pub enum Piece {
    Frame(Frame),
    Whole,
    Cut(Cause),
}

impl Group {
    pub fn new(group: GroupConsumer) -> Self {
        Self(group)
    }

    pub fn sequence(&self) -> u64 {
        self.0.sequence()
    }

    pub async fn next(&mut self) -> Piece {
        match self.0.next().await {
            GroupRead::Frame(frame) => Piece::Frame(frame),
            GroupRead::End(GroupEnd::Finished) => Piece::Whole,
            GroupRead::End(GroupEnd::Aborted(cause)) => Piece::Cut(cause),
            GroupRead::End(_) => Piece::Cut(Abort::Internal),
        }
    }
}
