//! A timer that is set only while something waits for it.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;

use crate::clock::{self, Instant, Sleep};

/// Wakes a task at a time.
#[derive(Debug, Default)]
pub(super) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Wakes the task of `cx` at `at`, or never; says whether that time has come.
    pub(super) fn poll(&mut self, at: Option<Instant>, cx: &mut Context<'_>) -> bool {
        let Some(at) = at else {
            self.0 = None;
            return false;
        };
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(clock::sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx).is_ready()
    }
}
