//! Reading a track across the sessions and publishers that carry it.

mod event;
mod finder;
mod following;
mod reader;
mod reading;
mod sessions;

pub use event::{Continuity, Loss, ResumeError, ResumeEvent};
pub use finder::{FoundTrack, Search, TrackFinder};
pub use reader::ResumingReader;
pub use sessions::Sessions;
