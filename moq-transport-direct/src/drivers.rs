//! All drivers of an address.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;

use moq_transport_common::quic::StreamLimits;
use quinn_proto::{EndpointConfig, ServerConfig};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::driver::Driver;
use crate::handshake::{Admission, shake_hands};
use crate::hub::Hub;
use crate::ids::SteeredIds;
use crate::incoming;
use crate::workers::Workers;

/// What the drivers of an address have in common.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) endpoint: EndpointConfig,
    /// Has connection ids recognised in another life of the server.
    pub(crate) id_key: Option<u64>,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) incoming: Arc<incoming::Setup>,
    pub(crate) limits: StreamLimits,
}

/// The drivers of an address, each a task with a socket of its own among which the system shares
/// out the peers.
pub(crate) struct Drivers(Arc<[Arc<Hub>]>);

impl Drivers {
    /// Starts a driver per socket, each on its worker. They last as long as their connections, which
    /// may outlive the server; handshakes are `tasks`.
    pub(crate) fn start(
        sockets: Vec<UdpSocket>,
        workers: &Workers,
        setup: &Setup,
        tasks: &mut JoinSet<()>,
    ) -> io::Result<Self> {
        let hubs: Arc<[_]> = sockets.iter().map(|_| Arc::new(Hub::default())).collect();
        let numbered = (0..=u8::MAX).zip(sockets);
        let drivers = numbered
            .zip(workers.iter())
            .map(|((number, socket), worker)| {
                let _context = worker.runtime().enter();
                let (mut setup, key) = (setup.clone(), setup.id_key);
                let ids = move || Box::new(SteeredIds::new(number, key)) as _;
                setup.endpoint.cid_generator(ids);
                let (begun, taken) = mpsc::unbounded_channel();
                let (admission, incoming) = (setup.admission.clone(), setup.incoming.clone());
                let handshakes = shake_hands(admission, incoming, number.into(), taken);
                let driver = Driver::new(socket, number, hubs.clone(), setup, begun)?;
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
