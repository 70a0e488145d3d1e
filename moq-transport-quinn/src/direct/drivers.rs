//! All drivers of an address.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;

use quinn_proto::{EndpointConfig, ServerConfig};
use tokio::sync::mpsc;

use crate::direct::driver::Driver;
use crate::direct::hub::Hub;
use crate::direct::ids::SteeredIds;
use crate::handshake::{Admission, Begun};
use crate::transport_config::StreamLimits;

/// What the drivers of an address have in common.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) endpoint: EndpointConfig,
    /// Has connection ids recognised in another life of the server.
    pub(crate) id_key: Option<u64>,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) admission: Arc<Admission>,
    /// Where connections go whose handshake has begun.
    pub(crate) begun: mpsc::UnboundedSender<Begun>,
    pub(crate) limits: StreamLimits,
}

/// The drivers of an address, each a task with a socket of its own among which the system shares
/// out the peers.
pub(crate) struct Drivers(Arc<[Arc<Hub>]>);

impl Drivers {
    /// Starts a driver per socket, at most 256. They last as long as their connections, which may
    /// outlive the server.
    pub(crate) fn start(sockets: Vec<UdpSocket>, setup: &Setup) -> io::Result<Self> {
        let hubs: Arc<[_]> = sockets.iter().map(|_| Arc::new(Hub::default())).collect();
        let numbered = (0..=u8::MAX).zip(sockets);
        let drivers = numbered.map(|(number, socket)| {
            let (mut setup, key) = (setup.clone(), setup.id_key);
            let ids = move || Box::new(SteeredIds::new(number, key)) as _;
            setup.endpoint.cid_generator(ids);
            Driver::new(socket, number, hubs.clone(), setup)
        });
        for driver in drivers.collect::<io::Result<Vec<_>>>()? {
            tokio::spawn(driver);
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
