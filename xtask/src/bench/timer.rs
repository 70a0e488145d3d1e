//! Timers for publishers. Those of tokio tick once per millisecond and may be late by another: a
//! whole window of a workload that sends on the millisecond is by chance later than the next one,
//! and by more than what a relay adds.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;

use tokio::sync::oneshot;
use tokio::time::Instant;

/// Waits until then, at once if that has passed.
pub(super) async fn sleep_until(at: Instant) {
    if at <= Instant::now() {
        return;
    }
    let (over, wait) = oneshot::channel();
    let sent = WAITS.send(Wait { at, over });
    sent.expect("the thread of the timers lives as long as the process");
    wait.await.expect("the thread of the timers drops no wait");
}

struct Wait {
    at: Instant,
    over: oneshot::Sender<()>,
}

/// To the thread that waits for all of the process.
static WAITS: LazyLock<Sender<Wait>> = LazyLock::new(|| {
    let (sender, waits) = channel();
    thread::spawn(move || run(&waits));
    sender
});

fn run(waits: &Receiver<Wait>) {
    let mut queue = BTreeMap::new();
    for number in 0_u64.. {
        let wait = match queue.first_key_value() {
            Some((&(at, _), _)) => waits.recv_timeout(at - Instant::now()),
            None => waits.recv().map_err(RecvTimeoutError::from),
        };
        match wait {
            Ok(Wait { at, over }) => drop(queue.insert((at, number), over)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let now = Instant::now();
        while let Some(first) = queue.first_entry()
            && first.key().0 <= now
        {
            // Who waited may have been given up.
            let _ = first.remove().send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::programs;

    #[test]
    fn each_wait_is_over_when_its_time_has_come() {
        let start = Instant::now();
        let waits = [30, 10, 20, 10, 0].map(|ms| start + Duration::from_millis(ms));
        let runtime = programs::runtime().unwrap();
        runtime.block_on(async {
            let wait = async |at| {
                sleep_until(at).await;
                assert!(at <= Instant::now());
            };
            for waiting in waits.map(|at| tokio::spawn(wait(at))) {
                waiting.await.unwrap();
            }
        });
    }
}
