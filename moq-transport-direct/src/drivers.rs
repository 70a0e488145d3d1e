//! All drivers of an address.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use moq_transport_common::quic::{EndpointSettings, StreamLimits};
use quinn_proto::ServerConfig;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::driver::Driver;
use crate::handshake::{Admission, shake_hands};
use crate::hub::Hub;
use crate::ids::{SteeredIds, driver_of};
use crate::incoming;
use crate::workers::Workers;

/// What all drivers of a server have in common.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) incoming: Arc<incoming::Setup>,
    pub(crate) limits: StreamLimits,
}

/// The drivers of an address, each a task with a socket of its own among which the system shares
/// out the peers.
pub(crate) struct Drivers(Arc<[Arc<Hub>]>);

/// The drivers of an address, as one of them sees them.
pub(crate) struct Siblings {
    /// Which of them it is itself.
    number: usize,
    /// The hubs of all of them, by their numbers.
    hubs: Arc<[Arc<Hub>]>,
}

impl Siblings {
    /// A driver that is the only one.
    #[cfg(test)]
    pub(super) fn alone() -> Self {
        Self {
            number: 0,
            hubs: Arc::new([Arc::default()]),
        }
    }

    /// The driver's own hub.
    pub(super) fn own(&self) -> &Arc<Hub> {
        &self.hubs[self.number]
    }

    /// The hub of another driver that a datagram is for.
    pub(super) fn other(&self, datagram: &[u8]) -> Option<&Hub> {
        let number = driver_of(datagram).filter(|number| *number != self.number)?;
        self.hubs.get(number).map(Arc::as_ref)
    }
}

impl Drivers {
    /// Starts a driver per socket, each on its worker. They last as long as their connections, which
    /// may outlive the server; handshakes are `tasks`.
    pub(crate) fn start(
        sockets: Vec<UdpSocket>,
        endpoint: EndpointSettings,
        workers: &Workers,
        setup: &Setup,
        tasks: &mut JoinSet<()>,
    ) -> io::Result<Self> {
        let mut endpoint = endpoint;
        // The driver bounds them itself, by address.
        endpoint.config.min_reset_interval(Duration::ZERO);
        let hubs: Arc<[_]> = sockets.iter().map(|_| Arc::new(Hub::default())).collect();
        let numbered = (0..=u8::MAX).zip(sockets);
        let drivers = numbered
            .zip(workers.iter())
            .map(|((number, socket), worker)| {
                let _context = worker.runtime().enter();
                let (mut config, key) = (endpoint.config.clone(), endpoint.id_key);
                config.cid_generator(move || Box::new(SteeredIds::new(number, key)) as _);
                let (begun, taken) = mpsc::unbounded_channel();
                let (admission, incoming) = (setup.admission.clone(), setup.incoming.clone());
                let handshakes = shake_hands(admission, incoming, number.into(), taken);
                let siblings = Siblings {
                    number: number.into(),
                    hubs: hubs.clone(),
                };
                let driver = Driver::new(socket, siblings, config, setup.clone(), begun)?;
                Ok((worker, driver, handshakes))
            });
        for (worker, driver, handshakes) in drivers.collect::<io::Result<Vec<_>>>()? {
            tasks.spawn_on(handshakes, worker.runtime());
            worker.spawn(driver);
        }
        Ok(Self(hubs))
    }

    /// Takes no new connections any more.
    pub(crate) fn close(&self) {
        self.0.iter().for_each(|hub| hub.close());
    }

    /// Waits until there are no connections. Cancel safe.
    pub(crate) async fn wait_idle(&self) {
        for hub in self.0.iter() {
            hub.wait_idle().await;
        }
    }
}
