//! What this end follows.

use std::collections::HashMap;

use anyhow::Context as _;
use moq_lite::{GroupConsumer, OriginProducer, Track, TrackConsumer};
use sha2::{Digest as _, Sha256};
use tokio::task::{JoinHandle, JoinSet};

use crate::tell;

pub struct Subscriber {
    origin: OriginProducer,
    tasks: HashMap<String, JoinHandle<()>>,
}

impl Subscriber {
    pub fn new(origin: OriginProducer) -> Self {
        Self {
            origin,
            tasks: HashMap::new(),
        }
    }

    pub fn origin(&self) -> OriginProducer {
        self.origin.clone()
    }

    pub fn watch(&self, prefix: &str) {
        let mut announced = self.origin.consume();
        let prefix = prefix.to_owned();
        tokio::spawn(async move {
            while let Some((path, active)) = announced.announced().await {
                if path.as_str().starts_with(&prefix) {
                    let sign = if active.is_some() { '+' } else { '-' };
                    tell(format!("{sign} {path}"));
                }
            }
        });
    }

    pub fn subscribe(
        &mut self,
        id: &str,
        path: &str,
        name: &str,
        priority: u8,
    ) -> anyhow::Result<()> {
        let broadcast = self.origin.consume().consume_broadcast(path);
        let broadcast = broadcast.with_context(|| format!("{path} is not announced"))?;
        let track = broadcast.subscribe_track(&Track {
            name: name.to_owned(),
            priority,
        });
        let id = id.to_owned();
        let task = tokio::spawn(read_track(id.clone(), track));
        self.tasks.insert(id, task);
        Ok(())
    }

    pub fn unsubscribe(&mut self, id: &str) {
        if let Some(task) = self.tasks.remove(id) {
            task.abort();
        }
    }
}

async fn read_track(id: String, mut track: TrackConsumer) {
    let mut groups = JoinSet::new();
    let end = loop {
        match track.next_group().await {
            Ok(Some(group)) => groups.spawn(read_group(id.clone(), group)),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
    };
    while groups.join_next().await.is_some() {}
    match end {
        Ok(()) => tell(format!("end {id} finished")),
        Err(error) => tell(format!("error {id} {error}")),
    }
}

async fn read_group(id: String, mut group: GroupConsumer) {
    let sequence = group.info.sequence;
    tell(format!("group {id} {sequence}"));
    for index in 0.. {
        match group.read_frame().await {
            Ok(Some(payload)) => {
                let (length, hash) = (payload.len(), hex::encode(Sha256::digest(&payload)));
                tell(format!("frame {id} {sequence} {index} {length} {hash} 0"));
            }
            Ok(None) => return tell(format!("end-group {id} {sequence}")),
            Err(error) => return tell(format!("lost {id} {sequence} {error}")),
        }
    }
}
