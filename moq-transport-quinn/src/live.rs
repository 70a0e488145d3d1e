//! The connections of a server that may still be open.

use std::sync::{Mutex, PoisonError, Weak};

use crate::{direct, reference};

/// The connections that were accepted and may still be open.
#[derive(Default)]
pub(crate) struct Live(Mutex<Links>);

#[derive(Default)]
struct Links {
    links: Vec<LiveLink>,
    /// How many links to have before dead ones are looked for.
    sweep_at: usize,
}

/// A connection of either engine, if it still is.
pub(crate) enum LiveLink {
    Direct(Weak<direct::Link>),
    Reference(Weak<reference::Link>),
}

impl Live {
    /// Remembers a connection for as long as it lives.
    pub(crate) fn add(&self, link: LiveLink) {
        let mut live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if live.links.len() >= live.sweep_at {
            live.links.retain(LiveLink::is_live);
            live.sweep_at = (live.links.len() * 2).max(MIN_SWEEP);
        }
        live.links.push(link);
    }

    /// Closes all of them, with a session close code.
    pub(crate) fn close(&self, code: u32, reason: &str) {
        let links = {
            let mut live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut live.links)
        };
        for link in links {
            link.close(code, reason);
        }
    }
}

impl LiveLink {
    fn is_live(&self) -> bool {
        match self {
            Self::Direct(link) => link.strong_count() > 0,
            Self::Reference(link) => link.strong_count() > 0,
        }
    }

    fn close(&self, code: u32, reason: &str) {
        match self {
            Self::Direct(link) => {
                if let Some(link) = link.upgrade() {
                    link.close(code, reason);
                }
            }
            Self::Reference(link) => {
                if let Some(link) = link.upgrade() {
                    link.close(code, reason);
                }
            }
        }
    }
}

/// Connections below which dead ones are not worth looking for.
const MIN_SWEEP: usize = 64;
