//! What messages about tracks and their groups say.

use moq_wire::{
    Datagram, Fetch, GroupHeader, GroupStart, Subscribe, SubscribeOk, SubscribeResponse,
    SubscribeUpdate, Track, TrackInfo, Version,
};

use crate::decode::message::{Message, Say, Value};

impl Say for Subscribe {
    fn say(&self, version: Version) -> Message {
        let wanted = Wanted {
            start: self.start,
            end: self.end,
            frame_start: self.frame_start,
            frame_end: self.frame_end,
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
            end: self.end,
            frame_start: self.frame_start,
            frame_end: self.frame_end,
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
    end: Option<u64>,
    frame_start: u64,
    frame_end: Option<u64>,
}

impl Wanted {
    fn say(&self, message: Message, version: Version) -> Message {
        let start = match self.start {
            GroupStart::Latest => Value::Word("latest"),
            GroupStart::Floor(group) => Value::Number(group),
        };
        message
            .labelled("start", "from", start)
            .labelled("end", "to", self.end)
            .when(version.features().frame_bounds, |message| {
                frame_bounds(message, self.frame_start, self.frame_end)
            })
    }
}

fn frame_bounds(message: Message, start: u64, end: Option<u64>) -> Message {
    message
        .labelled("frame_start", "from-frame", Value::Position(start))
        .labelled("frame_end", "to-frame", end)
}

/// An answer to a subscription, with the number of group streams where the draft tells it.
pub(crate) fn response(
    response: &SubscribeResponse,
    streams: Option<u64>,
    version: Version,
) -> Message {
    match response {
        SubscribeResponse::Ok(ok) => ok.say(version),
        SubscribeResponse::Start(group) => Message::new("SUBSCRIBE_START").with("group", *group),
        SubscribeResponse::End(group) => Message::new("SUBSCRIBE_END")
            .with("group", *group)
            .when(streams.is_some(), |message| {
                message.with("streams", streams)
            }),
        SubscribeResponse::Drop { start, end, code } => Message::new("SUBSCRIBE_DROP")
            .labelled("start", "from", *start)
            .labelled("end", "to", *end)
            .with("code", Value::Code(*code)),
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
                    .labelled("start", "from", self.start)
                    .labelled("end", "to", self.end)
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
                frame_bounds(message, self.frame_start, self.frame_end)
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
