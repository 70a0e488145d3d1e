//! How groups and tracks end.

use super::config::Format;
use super::output::Output;
use super::queue::Queue;
use super::track::{Track, duration, unsigned};
use crate::container::legacy;
use crate::error::ImportError;
use crate::payload::Payload;

impl Track {
    /// Samples are missing: the group ends, and the next sample that can be decoded begins another.
    pub(super) fn cut(&mut self, outputs: &mut Queue) -> Result<(), ImportError> {
        self.end_fragment(outputs)?;
        self.video.cut();
        self.audio.cut();
        if self.is_open {
            self.is_open = false;
            let track = self.number;
            outputs.push(track, Output::EndGroup { track });
        }
        Ok(())
    }

    /// The time breaks: the last frame gets its end, and a group of its own says that there is a
    /// break.
    pub(super) fn break_time(&mut self, outputs: &mut Queue) -> Result<(), ImportError> {
        self.end_fragment(outputs)?;
        let had_group = self.is_open;
        self.mark_end(outputs)?;
        self.cut(outputs)?;
        if had_group && self.format == Format::Legacy {
            let track = self.number;
            outputs.push(track, Output::Group { track });
            self.stats.groups += 1;
            self.is_open = true;
            self.mark_end(outputs)?;
            self.cut(outputs)?;
        }
        Ok(())
    }

    /// The track ends.
    pub(super) fn finish(&mut self, outputs: &mut Queue) -> Result<(), ImportError> {
        self.end_fragment(outputs)?;
        self.mark_end(outputs)?;
        self.cut(outputs)?;
        let track = self.number;
        outputs.push(track, Output::Finish { track });
        Ok(())
    }

    /// An empty frame at the end of the last one, which tells how long that lasts.
    fn mark_end(&self, outputs: &mut Queue) -> Result<(), ImportError> {
        if !self.is_open || self.format != Format::Legacy {
            return Ok(());
        }
        let micros = self.init.scale.micros(self.end);
        let timestamp = unsigned(micros);
        let track = self.number;
        let frame = Output::Frame {
            track,
            timestamp,
            due: duration(micros),
            payload: legacy::encode(timestamp, &Payload::default())?,
        };
        outputs.push(track, frame);
        Ok(())
    }
}
