//! The hello world of the README, against a relay.

use moq_session::{BroadcastProducer, Session, Track};
use moq_transport_quinn::{Client, ClientConfig};

use crate::program::Relay;

#[test]
fn hello_world_reaches_a_subscriber() {
    let relay = Relay::start(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for scheme in ["https", "moqt", "http"] {
        let track = ["my-broadcast", "--track", "chat"];
        let mut subscriber = relay.run("subscribe", "https", &track);
        subscriber.line("waiting for");
        let url = format!("{scheme}://{}", relay.addr);
        let said = runtime.block_on(async {
            let pinned = ClientConfig::default().with_fingerprint(relay.fingerprint.parse()?);
            let client = Client::new(pinned);
            let connection = client.connect(url.parse()?).await?;
            let session = Session::connect(connection).await?;

            let broadcast = BroadcastProducer::new();
            let track = broadcast.create(Track::new("chat"))?;

            let mut group = track.append()?;
            group.append("Hello")?;
            group.append("World")?;
            group.finish();

            let _publication = session.publish("my-broadcast", broadcast.consume())?;
            track.used().await;
            track.finish();
            Ok::<_, Box<dyn std::error::Error>>(subscriber.end().expect(0).stdout)
        });
        assert_eq!(said.unwrap(), b"Hello\nWorld\n", "{scheme}");
    }
}
