//! A relay inside a program: an admission of its own, a page of its own, and a broadcast of its own.
//!
//! Whoever knows the password may subscribe below the URL's path; nobody may publish. The program
//! publishes the time of day as the broadcast `clock`, a group a second.
#![expect(clippy::print_stdout, reason = "it tells where it listens")]

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::routing::get;
use moq_relay::{Admission, Applicant, Certificate, Denial, Relay};
use moq_session::{
    BroadcastPath, BroadcastProducer, Grant, Pattern, Publication, Refusal, Track, TrackProducer,
    WriteError,
};

/// Asks for a password, and lets nobody publish.
struct Password;

impl Admission for Password {
    async fn admit(&self, applicant: &Applicant) -> Result<Grant, Denial> {
        if applicant.query() != Some("password=tick") {
            return Err(Denial::new(Refusal::Unauthorized, "wrong password"));
        }
        Ok(Grant::new(applicant.root()?).subscribe([Pattern::everything()]))
    }
}

/// Starts the relay on this address.
pub(crate) fn start(addr: SocketAddr) -> Result<Relay, Box<dyn Error>> {
    let hosts = ["localhost".into(), addr.ip().to_string()];
    let pages = Router::new().route("/hello", get(async || "Hello\n"));
    let relay = Relay::builder()
        .certificate(Certificate::generate(&hosts, None)?)
        .listen(addr)
        .admission(Password)
        .router(pages)
        .start()?;
    Ok(relay)
}

/// The broadcast `clock`, which ends when this is dropped.
pub(crate) struct Clock {
    pub(crate) seconds: TrackProducer,
    _broadcast: BroadcastProducer,
    _publication: Publication,
}

impl Clock {
    /// Publishes it on the relay.
    pub(crate) fn publish(relay: &Relay) -> Result<Self, Box<dyn Error>> {
        let broadcast = BroadcastProducer::new();
        let path = BroadcastPath::new("clock")?;
        Ok(Self {
            seconds: broadcast.create(Track::new("seconds"))?,
            _publication: relay.origin().publish(&path, broadcast.consume()),
            _broadcast: broadcast,
        })
    }

    /// Tells the seconds since 1970, each in a group of its own.
    pub(crate) fn tick(&self) -> Result<(), WriteError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = now.unwrap_or_default().as_secs();
        let mut group = self.seconds.append()?;
        group.append(seconds.to_string())?;
        group.finish();
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut relay = start((Ipv4Addr::LOCALHOST, 4443).into())?;
    let clock = Clock::publish(&relay)?;
    println!("moq subscribe 'http://localhost:4443/?password=tick' clock --track seconds");
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = seconds.tick() => clock.tick()?,
            () = relay.stopped() => return Err("the relay stopped".into()),
            stop = tokio::signal::ctrl_c() => {
                stop?;
                break;
            }
        }
    }
    relay.drain(Duration::from_secs(10)).await;
    Ok(())
}
