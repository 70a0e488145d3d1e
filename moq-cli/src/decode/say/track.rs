//! What messages about tracks and their groups say.

use moq_wire::{
    Datagram, Fetch, GroupHeader, GroupSequence, GroupStart, Subscribe, SubscribeOk,
    SubscribeResponse, SubscribeUpdate, Track, TrackInfo, Version,
};

use crate::decode::message::{Message, Say, Value};

impl Say for Subscribe {
    fn say(&self, version: Version) -> Message {
        let wanted = Wanted {
            start: self.start,
            last: self.last,
            frame_start: self.frame_start,
            frame_last: self.frame_last,
        };
        Message::new("SUBSCRIBE")
            .with("id", self.id.0)
            .bare("broadcast", self.broadcast.as_str())
            .bare("track", self.track.as_str())
            .with("priority", self.priority)
            .when(version.features().subscribe_range, |message| {
                wanted.say(
                    message.labelled("max_age_ms", "max-age", self.max_age),
                    version,
                )
            })
    }
}

impl Say for SubscribeUpdate {
    fn say(&self, version: Version) -> Message {
        let wanted = Wanted {
            start: self.start,
            last: self.last,
            frame_start: self.frame_start,
            frame_last: self.frame_last,
        };
        let message = Message::new("SUBSCRIBE_UPDATE")
            .with("priority", self.priority)
            .labelled("max_age_ms", "max-age", self.max_age);
        wanted.say(message, version)
    }
}

/// The groups and frames that a subscription is about.
struct Wanted {
    start: GroupStart,
    last: Option<GroupSequence>,
    frame_start: u64,
    frame_last: Option<u64>,
}

impl Wanted {
    fn say(&self, message: Message, version: Version) -> Message {
        let start = match self.start {
            GroupStart::Latest => Value::Word("latest"),
            GroupStart::Floor(group) => Value::Number(group.0),
        };
        message
            .labelled("start", "from", start)
            .labelled("last", "to", number(self.last))
            .when(version.features().frame_bounds, |message| {
                frame_bounds(message, self.frame_start, self.frame_last)
            })
    }
}

fn frame_bounds(message: Message, start: u64, last: Option<u64>) -> Message {
    message
        .labelled("frame_start", "from-frame", Value::Position(start))
        .labelled("frame_last", "to-frame", last)
}

fn number(group: Option<GroupSequence>) -> Option<u64> {
    group.map(|group| group.0)
}

impl Say for SubscribeResponse {
    fn say(&self, version: Version) -> Message {
        match self {
            Self::Ok(ok) => ok.say(version),
            Self::Start(group) => Message::new("SUBSCRIBE_START").with("group", group.0),
            Self::End { end, streams } => Message::new("SUBSCRIBE_END")
                .with("group", end.0)
                .when(streams.is_some(), |message| {
                    message.with("streams", *streams)
                }),
            Self::Drop { first, last, code } => Message::new("SUBSCRIBE_DROP")
                .labelled("first", "from", first.0)
                .labelled("last", "to", last.0)
                .with("code", Value::Code(*code)),
        }
    }
}

impl Say for SubscribeOk {
    fn say(&self, version: Version) -> Message {
        let features = version.features();
        Message::new("SUBSCRIBE_OK")
            .when(features.ok_priority, |message| {
                message.with("priority", self.priority)
            })
            .when(features.subscribe_range, |message| {
                message
                    .labelled("max_age_ms", "max-age", self.max_age)
                    .labelled("start", "from", number(self.start))
                    .labelled("last", "to", number(self.last))
            })
    }
}

impl Say for Fetch {
    fn say(&self, version: Version) -> Message {
        Message::new("FETCH")
            .bare("broadcast", self.broadcast.as_str())
            .bare("track", self.track.as_str())
            .with("priority", self.priority)
            .with("group", self.group.0)
            .when(version.features().frame_bounds, |message| {
                frame_bounds(message, self.frame_start, self.frame_last)
            })
    }
}

impl Say for Track {
    fn say(&self, _version: Version) -> Message {
        Message::new("TRACK")
            .bare("broadcast", self.broadcast.as_str())
            .bare("track", self.track.as_str())
    }
}

impl Say for TrackInfo {
    fn say(&self, _version: Version) -> Message {
        Message::new("TRACK_INFO")
            .with("priority", self.priority)
            .labelled("max_age_ms", "max-age", self.max_age)
            .with("timescale", self.timescale)
    }
}

impl Say for GroupHeader {
    fn say(&self, version: Version) -> Message {
        Message::new("GROUP")
            .bare("group", self.sequence.0)
            .labelled("subscribe_id", "of subscription", self.subscribe_id.0)
            .when(version.features().frame_bounds, |message| {
                message.labelled(
                    "frame_start",
                    "from-frame",
                    Value::Position(self.frame_start),
                )
            })
    }
}

impl Say for Datagram {
    fn say(&self, _version: Version) -> Message {
        Message::new("DATAGRAM")
            .with("group", self.sequence.0)
            .labelled("subscribe_id", "of subscription", self.subscribe_id.0)
            .labelled("timestamp", "at", self.timestamp)
            .bare("size", Value::Size(self.payload.len() as u64))
            .bare("payload", Value::Payload(self.payload.clone()))
    }
}
