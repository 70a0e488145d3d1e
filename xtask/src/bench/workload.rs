//! The loads that relays are compared under.

use std::fmt;

/// A load with a name, and what our share of the peer's CPU time may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Workload {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) load: Load,
    /// CPU per delivered frame, ours ÷ the peer's, in percent.
    pub(crate) gate: u32,
}

/// What publishers send to subscribers, each of which takes one broadcast, in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    /// Connections with one broadcast each.
    pub(crate) publishers: u64,
    pub(crate) subscribers: u64,
    /// Frames per second of each publisher.
    pub(crate) fps: u64,
    pub(crate) frame_bytes: u64,
    pub(crate) group_frames: u64,
    /// How long to measure, in seconds.
    pub(crate) seconds: u64,
}

impl Workload {
    /// The workload of this id or name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let mut all = ALL.into_iter();
        all.find(|workload| workload.id == name || workload.name == name)
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            publishers,
            subscribers,
            fps,
            frame_bytes,
            group_frames,
            seconds,
        } = self;
        write!(
            f,
            "{publishers} → {subscribers}, {fps} fps × {frame_bytes} B, {group_frames}-frame groups, {seconds} s"
        )
    }
}

const fn workload(
    (id, name): (&'static str, &'static str),
    (publishers, subscribers): (u64, u64),
    (fps, frame_bytes, group_frames): (u64, u64, u64),
    gate: u32,
) -> Workload {
    Workload {
        id,
        name,
        load: Load {
            publishers,
            subscribers,
            fps,
            frame_bytes,
            group_frames,
            seconds: 5,
        },
        gate,
    }
}

/// All of them, in the order of the report.
pub(crate) const ALL: [Workload; 6] = [
    workload(("w1", "hd"), (1, 20), (30, 40_000, 30), 40),
    V4K60,
    workload(("w3", "fanout-heavy"), (1, 64), (60, 1_200, 1), 30),
    workload(("w4", "fanout-light"), (1, 64), (10, 400, 1), 30),
    workload(("w5", "audio"), (20, 50), (50, 300, 5), 30),
    workload(("w6", "chat"), (300, 300), (1, 300, 1), 30),
];

/// The one that is measured when there is time for one only.
pub(crate) const V4K60: Workload = workload(("w2", "v4k60"), (1, 100), (60, 4_000, 60), 40);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_have_two_names() {
        assert_eq!(Workload::find("w2"), Workload::find("v4k60"));
        assert!(Workload::find("w7").is_none());
    }
}
