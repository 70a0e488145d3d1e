//! The clock of a browser, with the names and the meaning that tokio's has.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gloo_timers::callback::Timeout;
pub use web_time::Instant;
use web_time::{SystemTime, UNIX_EPOCH};

/// How long a browser can wait in one go; its timers count milliseconds in 31 bits.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// As good as never, for deadlines that the clock cannot name.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The time since 1970 by the wall clock.
pub(super) fn wall() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// Resolves at its deadline. Made by [`sleep`] and [`sleep_until`].
///
/// Cancel safe.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    deadline: Instant,
    /// The browser's timer; dropping it clears it.
    timeout: Option<Timeout>,
    alarm: Rc<Alarm>,
}

/// What a timer tells the task that waits for it.
#[derive(Debug, Default)]
struct Alarm {
    has_fired: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Sleep {
    /// When it resolves.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Has it resolve at another time, also if it has resolved before.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.get_mut();
        this.deadline = deadline;
        this.timeout = None;
    }

    /// Has the browser wake the task in `left`, or as late as it can.
    fn arm(&mut self, left: Duration) {
        self.alarm.has_fired.set(false);
        let alarm = self.alarm.clone();
        let wake = move || {
            alarm.has_fired.set(true);
            let waker = alarm.waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        };
        let left = left.min(LONGEST).as_micros().div_ceil(1_000);
        self.timeout = Some(Timeout::new(u32::try_from(left).unwrap_or(u32::MAX), wake));
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            self.timeout = None;
            return Poll::Ready(());
        }
        self.alarm.waker.replace(Some(cx.waker().clone()));
        // A timer may fire early, by what the browser rounds.
        if self.timeout.is_none() || self.alarm.has_fired.get() {
            self.arm(left);
        }
        Poll::Pending
    }
}

/// Waits for a time.
///
/// Cancel safe.
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(after(duration))
}

/// Waits until a time.
///
/// Cancel safe.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        deadline,
        timeout: None,
        alarm: Rc::default(),
    }
}

/// The time was over before the future resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("deadline has elapsed")]
pub struct Elapsed;

/// Waits for a future, as long as `limit`.
///
/// # Errors
/// [`Elapsed`] if it has not resolved until then; it is dropped.
///
/// Cancel safe if the future is.
pub async fn timeout<F: IntoFuture>(limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    timeout_at(after(limit), future).await
}

/// As [`timeout`], until a time.
///
/// # Errors
/// As [`timeout`].
///
/// Cancel safe if the future is.
pub async fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future.into_future());
    let mut sleep = pin!(sleep_until(deadline));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => sleep.as_mut().poll(cx).map(|()| Err(Elapsed)),
    })
    .await
}

fn after(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or_else(|| now + FAR)
}
