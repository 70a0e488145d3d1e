//! Which streams there are.

use super::Demuxer;
use crate::es::StreamProblem;
use crate::ts::sections;
use crate::ts::streams::{Kind, Stream};

impl Demuxer {
    pub(super) fn table(&mut self, offset: u64, pid: u16, payload: &[u8], is_start: bool) {
        let (section, name, id) = match pid {
            0 => (&mut self.pat, "PAT", 0),
            _ => (&mut self.pmt, "PMT", 2),
        };
        let read = match section.take(payload, is_start, id) {
            Ok(None) => return,
            Ok(Some(body)) if pid == 0 => {
                let program = sections::first_program(&body);
                if program.is_some() && program != self.pmt_pid {
                    self.pmt_pid = program;
                    self.pmt.cut();
                }
                Ok(())
            }
            Ok(Some(body)) if body == self.program => return,
            Ok(Some(body)) => sections::streams(&body).map(|named| {
                self.program = body;
                self.change(&named);
            }),
            Err(expected) => Err(expected),
        };
        if let Err(expected) = read {
            let table = name;
            self.damaged(None, offset, StreamProblem::Table { table, expected });
        }
    }

    /// The program has these streams from here on.
    fn change(&mut self, named: &[sections::Named]) {
        // What is open of a stream that goes is complete.
        for at in 0..self.streams.len() {
            let stays = |named: &&sections::Named| named.pid == self.streams[at].pid;
            let kind = named
                .iter()
                .find(stays)
                .and_then(|named| Kind::of(named).ok());
            if kind != Some(self.streams[at].kind) {
                self.end_pes(at);
            }
        }
        self.release_all();
        let mut old = std::mem::take(&mut self.streams);
        self.skipped.clear();
        for named in named.iter().take(MOST_STREAMS) {
            let pid = named.pid;
            match Kind::of(named) {
                Ok(kind) => {
                    let same = |stream: &Stream| stream.pid == pid && stream.kind == kind;
                    let kept = old.iter().position(same).map(|at| old.remove(at));
                    let stream = kept.unwrap_or_else(|| Stream::new(pid, kind));
                    self.streams.push(stream);
                }
                Err(reason) => self.skipped.push((pid.into(), reason)),
            }
        }
        self.is_told = false;
        if self.streams.is_empty() {
            // Nothing will come that could be waited for.
            self.tell();
        }
    }
}

const MOST_STREAMS: usize = 64;
