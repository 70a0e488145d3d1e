//! Delivers groups to viewers in memory, and says how many allocations that took.
//!
//! `fan-out WHO VIEWERS GROUPS`, where WHO is `moq-session`, `moq-net`, or `transport` for what the
//! memory transport and the viewers cost alone. Callgrind counts the instructions: the difference
//! between two runs of unlike length is free of everything that is done once.

mod adapter;
mod publishers;
mod viewer;

use std::rc::Rc;

use publishers::{Publisher, Who};
use viewer::Seen;

/// Groups that are delivered before anything is counted.
const WARM: u64 = 20;
/// Frames of a group.
pub(crate) const FRAMES: usize = 4;
/// Bytes of a frame.
pub(crate) const FRAME: usize = 64;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [who, viewers, groups] = args.as_slice() else {
        return Err("usage: fan-out moq-session|moq-net|transport VIEWERS GROUPS".into());
    };
    let who: Who = who.parse()?;
    let (viewers, groups): (u64, u64) = (viewers.parse()?, groups.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    let tasks = tokio::task::LocalSet::new();
    let seen = Rc::new(Seen::default());
    let mut publisher = tasks.block_on(&runtime, async {
        let mut publisher = Publisher::start(who, viewers, &seen).await?;
        deliver(&mut publisher, viewers, WARM, &seen).await?;
        Ok::<_, Failure>(publisher)
    })?;
    let mut result = Ok(());
    let spent = allocation_counter::measure(|| {
        let delivery = deliver(&mut publisher, viewers, groups, &seen);
        result = tasks.block_on(&runtime, delivery);
    });
    result?;
    println!("{}", spent.count_total);
    Ok(())
}

/// Writes groups, each once all viewers have the one before.
async fn deliver(
    publisher: &mut Publisher,
    viewers: u64,
    groups: u64,
    seen: &Seen,
) -> Result<(), Failure> {
    for _ in 0..groups {
        let all = seen.groups.get() + viewers;
        publisher.write()?;
        while seen.groups.get() < all {
            if let Some(error) = seen.failure.take() {
                return Err(error);
            }
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}
