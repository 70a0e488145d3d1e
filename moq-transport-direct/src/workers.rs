//! Where the drivers of a server run.

use std::convert::Infallible;
use std::future::Future;
use std::num::NonZeroUsize;
use std::{io, thread};

use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc;

/// The runtimes of a server's drivers: the caller's for one, or a thread's own for each of several.
pub(crate) struct Workers(Vec<Worker>);

/// What drivers of one number run on, with the sessions of their connections.
pub(crate) struct Worker {
    runtime: Handle,
    /// Held by the drivers: the thread ends with the last. Nothing waits for it on the caller's
    /// runtime.
    alive: mpsc::Sender<Infallible>,
}

impl Workers {
    /// Starts the threads, if there is more than one worker. Needs a tokio runtime.
    pub(crate) fn start(count: NonZeroUsize) -> io::Result<Self> {
        let workers = match count.get() {
            1 => vec![Worker::here()],
            count => (0..count).map(Worker::thread).collect::<io::Result<_>>()?,
        };
        Ok(Self(workers))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Worker> {
        self.0.iter()
    }
}

impl Worker {
    fn here() -> Self {
        Self {
            runtime: Handle::current(),
            alive: mpsc::channel(1).0,
        }
    }

    fn thread(number: usize) -> io::Result<Self> {
        let (alive, mut ended) = mpsc::channel::<Infallible>(1);
        let (started, starting) = std::sync::mpsc::channel();
        let body = move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return started.send(Err(error)).unwrap_or_default(),
            };
            let _ = started.send(Ok(runtime.handle().clone())).is_ok();
            // Nothing is ever sent.
            let _: Option<Infallible> = runtime.block_on(ended.recv());
        };
        thread::Builder::new()
            .name(format!("moq-worker-{number}"))
            .spawn(body)?;
        let runtime = starting.recv().map_err(io::Error::other)??;
        Ok(Self { runtime, alive })
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Runs a driver, which keeps the thread.
    pub(crate) fn spawn(&self, driver: impl Future<Output = ()> + Send + 'static) {
        let alive = self.alive.clone();
        self.runtime.spawn(async move {
            driver.await;
            drop(alive);
        });
    }
}
