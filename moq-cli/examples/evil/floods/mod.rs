//! What a hostile peer does, one file per flood.

mod announces;
mod credit;
mod cycles;
mod groups;
mod halves;
mod probes;

use anyhow::Context as _;
use tokio::task::JoinHandle;

use crate::place::Place;
use crate::tell;

/// A flood that goes on until it is stopped; its sessions end with it.
#[derive(Debug)]
pub(crate) struct Flood {
    task: JoinHandle<()>,
    place: Place,
}

impl Flood {
    /// Starts one by name.
    pub(crate) fn start(name: &str, place: &Place, arguments: &[&str]) -> anyhow::Result<Self> {
        let numbers = arguments.iter().map(|word| word.parse());
        let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().context("no number")?;
        let all = &numbers[..];
        let flooded = place.anew();
        let place = flooded.clone();
        let task = match (name, all) {
            ("groups", &[count]) => Self::spawn(groups::run(place, count)),
            ("credit", &[count]) => Self::spawn(credit::run(place, count)),
            ("names", &[sessions, count]) => Self::spawn(announces::names(place, sessions, count)),
            ("listens", &[count, reads]) => {
                Self::spawn(announces::listens(place, count, reads > 0))
            }
            ("halves", &[sessions, streams, bytes]) => {
                Self::spawn(halves::run(place, sessions, (streams, bytes)))
            }
            ("cycles", &[count]) => Self::spawn(cycles::run(place, count)),
            ("probes", &[count]) => Self::spawn(probes::run(place, count)),
            _ => anyhow::bail!("unknown flood {name} {}", arguments.join(" ")),
        };
        let place = flooded;
        Ok(Self { task, place })
    }

    fn spawn(flood: impl Future<Output = anyhow::Result<()>> + Send + 'static) -> JoinHandle<()> {
        tokio::spawn(async move {
            if let Err(error) = flood.await {
                tell(&format!("over {error:#}"));
            }
            // Connections that are held stay until the flood is stopped.
            std::future::pending().await
        })
    }

    /// Stops it, and lets go of its sessions.
    pub(crate) async fn stop(self) {
        self.task.abort();
        // It was cancelled, which is what is wanted.
        let _ = self.task.await;
        self.place.close();
    }
}
