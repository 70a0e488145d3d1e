//! A link of limited rate, with delay and seeded loss, between a client and a server on loopback.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// What a link does to packets, in both directions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    /// Bytes per second towards the client.
    pub(crate) rate: u64,
    /// One way.
    pub(crate) delay: Duration,
    /// Lost packets in ten thousand.
    pub(crate) loss: u32,
    pub(crate) seed: u64,
}

/// A UDP proxy for one client.
#[derive(Debug)]
pub(crate) struct Shaper {
    port: u16,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Shaper {
    /// Forwards to the server at this port.
    pub(crate) fn start(server: u16, link: Link) -> anyhow::Result<Self> {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("binding a shaped link");
        let (near, far) = (Arc::new(bind()?), Arc::new(bind()?));
        far.connect((Ipv4Addr::LOCALHOST, server))
            .context("binding a shaped link")?;
        for socket in [&near, &far] {
            socket
                .set_read_timeout(Some(TICK))
                .context("binding a shaped link")?;
        }
        let port = near.local_addr().context("binding a shaped link")?.port();
        let stop = Arc::new(AtomicBool::new(false));
        let (client, clients) = std::sync::mpsc::channel();
        let up = {
            let (near, far, stop) = (near.clone(), far.clone(), stop.clone());
            thread::spawn(move || {
                let mut from = None;
                let queue = Queue::new(Link {
                    rate: u64::MAX,
                    ..link
                });
                forward(&near, queue, &stop, |packet, source| {
                    if from.replace(source) != Some(source) {
                        // The other direction ends together with this one.
                        let _ = client.send(source);
                    }
                    // A packet that cannot be sent is lost, as on any link.
                    let _ = far.send(packet);
                });
            })
        };
        let down = {
            let stop = stop.clone();
            thread::spawn(move || {
                let mut to: Option<SocketAddr> = None;
                forward(&far, Queue::new(link), &stop, |packet, _| {
                    to = clients.try_iter().last().or(to);
                    if let Some(to) = to {
                        // A packet that cannot be sent is lost, as on any link.
                        let _ = near.send_to(packet, to);
                    }
                });
            })
        };
        Ok(Self {
            port,
            stop,
            threads: vec![up, down],
        })
    }

    /// Where the client finds it.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Shaper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that panicked has told so itself.
            let _ = thread.join();
        }
    }
}

fn forward(
    from: &UdpSocket,
    mut queue: Queue,
    stop: &AtomicBool,
    mut deliver: impl FnMut(&[u8], SocketAddr),
) {
    let mut buffer = [0; 65_536];
    while !stop.load(Ordering::Relaxed) {
        // A timeout is the usual error; others end with the client's own.
        if let Ok((length, source)) = from.recv_from(&mut buffer) {
            queue.push(&buffer[..length], source, Instant::now());
        }
        while let Some((packet, source)) = queue.pop(Instant::now()) {
            deliver(&packet, source);
        }
    }
}

/// Packets on their way.
struct Queue {
    link: Link,
    random: u64,
    /// When the link has sent everything so far.
    free: Option<Instant>,
    packets: VecDeque<(Instant, Vec<u8>, SocketAddr)>,
    bytes: usize,
}

impl Queue {
    fn new(link: Link) -> Self {
        Self {
            link,
            random: link.seed | 1,
            free: None,
            packets: VecDeque::new(),
            bytes: 0,
        }
    }

    fn push(&mut self, packet: &[u8], source: SocketAddr, now: Instant) {
        if self.bytes + packet.len() > BUFFER || self.draw() < u64::from(self.link.loss) {
            return;
        }
        let nanos = packet.len() as u64 * 1_000_000_000 / self.link.rate.max(1);
        let sent = self.free.unwrap_or(now).max(now) + Duration::from_nanos(nanos);
        self.free = Some(sent);
        self.bytes += packet.len();
        let due = sent + self.link.delay;
        self.packets.push_back((due, packet.to_vec(), source));
    }

    fn pop(&mut self, now: Instant) -> Option<(Vec<u8>, SocketAddr)> {
        let (due, ..) = self.packets.front()?;
        if *due > now {
            return None;
        }
        let (_, packet, source) = self.packets.pop_front()?;
        self.bytes -= packet.len();
        Some((packet, source))
    }

    /// A number below ten thousand.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % 10_000
    }
}

/// How long packets may lie about before the queue is looked at again.
const TICK: Duration = Duration::from_millis(1);

/// What a router would hold.
const BUFFER: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link = Link {
        rate: 1_000,
        delay: Duration::from_millis(10),
        loss: 0,
        seed: 7,
    };

    fn source() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 1).into()
    }

    #[test]
    fn packets_wait_for_those_before_them() {
        let now = Instant::now();
        let mut queue = Queue::new(LINK);
        queue.push(&[1; 100], source(), now);
        queue.push(&[2; 100], source(), now);
        let after = |millis| now + Duration::from_millis(millis);
        assert!(queue.pop(after(109)).is_none());
        assert_eq!(queue.pop(after(110)).unwrap().0, [1; 100]);
        assert!(queue.pop(after(209)).is_none());
        assert_eq!(queue.pop(after(210)).unwrap().0, [2; 100]);
    }

    #[test]
    fn the_same_seed_loses_the_same_packets() {
        let lost = |seed| {
            let loss = 5_000;
            let mut queue = Queue::new(Link { loss, seed, ..LINK });
            let now = Instant::now();
            (0..64).for_each(|i| queue.push(&[i], source(), now));
            queue
                .packets
                .into_iter()
                .map(|(_, packet, _)| packet[0])
                .collect::<Vec<u8>>()
        };
        assert_eq!(lost(3), lost(3));
        assert_ne!(lost(3), lost(4));
        assert!((10..54).contains(&lost(3).len()));
    }

    #[test]
    fn what_the_router_cannot_hold_is_lost() {
        let mut queue = Queue::new(LINK);
        let now = Instant::now();
        (0..100).for_each(|_| queue.push(&[0; 1_000], source(), now));
        assert_eq!(queue.packets.len(), BUFFER / 1_000);
    }
}
