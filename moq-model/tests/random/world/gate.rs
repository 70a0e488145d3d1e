//! Inputs that wait for readers, those who wait for demand, and the clock.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use moq_model::{Demand, Ready, Start, TrackEnded};

use super::waiter::Waiter;
use super::{Outcome, World, pick, same};
use crate::reference::Gate;

pub struct GateSlot {
    pub track: usize,
    sequence: u64,
    ready: Pin<Box<Ready>>,
    /// The input's place in the reference, once it waits.
    input: Option<usize>,
    waiter: Waiter,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Used,
    Unused,
    Closed,
}

type Watching = Pin<Box<dyn Future<Output = Result<Option<Demand>, TrackEnded>>>>;

pub struct DemandSlot {
    pub track: usize,
    wanted: Wanted,
    future: Watching,
    waiter: Waiter,
}

impl World {
    pub(super) fn wait_ready(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        let Some(track) = self.written(a) else {
            return Ok(());
        };
        let next = self.track(track).next_sequence();
        let sequence = if b % 2 == 0 {
            next
        } else {
            next.saturating_sub(b / 2 % 8)
        };
        let slot = &self.tracks[track];
        let ready = match (&slot.local, &slot.fed) {
            (Some(local), _) => local.ready_for(sequence),
            (_, Some(fed)) => fed.ready_for(sequence),
            _ => return Ok(()),
        };
        self.gates.push(GateSlot {
            track,
            sequence,
            ready: Box::pin(ready),
            input: None,
            waiter: Waiter::default(),
        });
        self.poll_gates()
    }

    fn gate(&self, at: usize) -> Gate {
        let slot = &self.gates[at];
        let now = self.reference.now;
        self.track(slot.track)
            .gate(slot.input, slot.sequence, now, self.setting.costs)
    }

    /// Looks at all inputs that wait.
    pub(super) fn poll_gates(&mut self) -> Outcome {
        let mut at = 0;
        while at < self.gates.len() {
            let expected = self.gate(at);
            let now = self.reference.now;
            let costs = self.setting.costs;
            let slot = &mut self.gates[at];
            let track = &mut self.reference.tracks[slot.track];
            let is_due = slot
                .input
                .is_some_and(|input| track.is_gate_due(input, now));
            // Whether the groups go then or not is open, too.
            if expected == Gate::Either && is_due {
                self.gates.swap_remove(at);
                continue;
            }
            let polled = slot.waiter.poll(|cx| slot.ready.as_mut().poll(cx));
            let is_right = match expected {
                Gate::Open | Gate::Stalled => polled.is_ready(),
                Gate::Shut => polled.is_pending(),
                Gate::Either => true,
            };
            self.log.push(format!(
                "track {} input {}: {polled:?}",
                slot.track, slot.sequence
            ));
            if !is_right {
                return Err(format!(
                    "the input of {} is {polled:?}, {expected:?}",
                    slot.sequence
                ));
            }
            if expected == Gate::Stalled {
                track.skip_stalled(costs);
                *self.counts.entry("inputs that stalled").or_default() += 1;
            }
            if polled.is_ready() {
                self.count("inputs that are open");
                self.gates.swap_remove(at);
                continue;
            }
            match slot.input {
                Some(input) => track.pause_on(input, now),
                None => slot.input = Some(track.pause(now)),
            }
            self.count("inputs that wait");
            at += 1;
        }
        Ok(())
    }

    pub(super) fn watch_demand(&mut self, [a, b, c, _]: [u64; 4]) -> Outcome {
        if c % 2 == 0 {
            return match pick(a, self.demands.len()) {
                Some(at) => self.poll_demand(at),
                None => Ok(()),
            };
        }
        let Some(track) = self.written(a) else {
            return Ok(());
        };
        let slot = &self.tracks[track];
        let mut watch = match (&slot.local, &slot.fed) {
            (Some(local), _) => local.demand(),
            (_, Some(fed)) => fed.demand(),
            _ => return Ok(()),
        };
        let wanted = [Wanted::Used, Wanted::Unused, Wanted::Closed][b as usize % 3];
        same("demand", &watch.current().map(parts), &self.demand(track))?;
        let condition = move |demand: Option<Demand>| match wanted {
            Wanted::Used => demand.is_some(),
            Wanted::Unused => demand.is_none(),
            Wanted::Closed => false,
        };
        self.demands.push(DemandSlot {
            track,
            wanted,
            future: Box::pin(async move { watch.wait_for(condition).await }),
            waiter: Waiter::default(),
        });
        self.poll_demand(self.demands.len() - 1)
    }

    /// What all readers of a track want together.
    fn demand(&self, track: usize) -> Option<(u8, Duration, Start)> {
        let readers = self.track(track).readers.iter();
        let wants = readers
            .filter(|reader| !reader.is_gone)
            .map(|reader| reader.wants);
        let wants: Vec<_> = wants.collect();
        let floors = wants.iter().filter_map(|wants| match wants.start {
            Start::Floor(floor) => Some(floor),
            Start::Newest => None,
        });
        Some((
            wants.iter().map(|wants| wants.priority).max()?,
            wants.iter().map(|wants| wants.max_age).max()?,
            floors.min().map_or(Start::Newest, Start::Floor),
        ))
    }

    fn is_met(&self, slot: &DemandSlot) -> Option<bool> {
        let demand = self.demand(slot.track);
        let is_met = match slot.wanted {
            Wanted::Used => demand.is_some(),
            Wanted::Unused => demand.is_none(),
            Wanted::Closed => false,
        };
        let has_ended = self.track(slot.track).end.is_some();
        (is_met || has_ended).then_some(is_met)
    }

    fn poll_demand(&mut self, at: usize) -> Outcome {
        let expected = self.is_met(&self.demands[at]);
        let slot = &mut self.demands[at];
        let polled = slot.waiter.poll(|cx| slot.future.as_mut().poll(cx));
        let got = match polled {
            Poll::Ready(Ok(_)) => Some(true),
            Poll::Ready(Err(_)) => Some(false),
            Poll::Pending => None,
        };
        same("waiting for demand", &got, &expected)?;
        if got.is_some() {
            self.demands.swap_remove(at);
        }
        Ok(())
    }

    /// Whoever waits for an input or for demand is woken in time.
    pub(super) fn check_gates(&self) -> Outcome {
        for (at, slot) in self.gates.iter().enumerate() {
            let is_open = matches!(self.gate(at), Gate::Open | Gate::Stalled);
            let what = || format!("the input of {}", slot.sequence);
            slot.waiter.check(&what, is_open)?;
        }
        for slot in &self.demands {
            let what = || format!("who waits until track {} is {:?}", slot.track, slot.wanted);
            slot.waiter.check(&what, self.is_met(slot).is_some())?;
        }
        Ok(())
    }

    pub(super) async fn advance(&mut self, [a, b, ..]: [u64; 4]) -> Outcome {
        let step = [1, 10, 49, 50, 99, 100, 500, 999, 1_000, 2_000, 5_000][a as usize % 11];
        let step = step + u64::from(b % 4 == 0);
        self.pass(step).await
    }

    /// Lets time go by, in milliseconds.
    pub async fn pass(&mut self, step: u64) -> Outcome {
        self.note(|| format!("{step} ms pass"));
        tokio::time::advance(Duration::from_millis(step)).await;
        self.reference.now += step;
        Ok(())
    }
}

fn parts(demand: Demand) -> (u8, Duration, Start) {
    (demand.priority, demand.max_age, demand.start)
}
