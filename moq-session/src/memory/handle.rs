//! What tells the handles of one connection apart.

use std::sync::Arc;

use super::link::{Link, LinkEnd};

/// A handle with waits of its own. A dropped one waits for nothing, and the last one of an end closes the
/// connection.
#[derive(Debug)]
pub(super) struct Handle {
    end: Arc<LinkEnd>,
    pub(super) link: Arc<Link>,
    pub(super) side: usize,
    pub(super) id: u64,
}

impl Handle {
    /// The first handle of an end.
    pub(super) fn new(link: &Arc<Link>, side: usize) -> Self {
        Self {
            end: Arc::new(LinkEnd::new(link.clone(), side)),
            link: link.clone(),
            side,
            id: link.new_handle(),
        }
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self {
            end: self.end.clone(),
            link: self.link.clone(),
            side: self.side,
            id: self.link.new_handle(),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.link.drop_handle(self.side, self.id);
    }
}
