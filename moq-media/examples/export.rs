//! Publishes a fragmented MP4 file and writes what a subscriber gets to stdout.
//!
//! ```sh
//! cargo run -p moq-media --example export -- in.mp4 | ffplay -
//! ```

use std::io::{Write as _, stderr, stdout};
use std::time::Duration;

use moq_media::{Export, ExportConfig, Import, ImportConfig};
use moq_model::{BroadcastProducer, Start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: export FILE.mp4")?;
    let broadcast = BroadcastProducer::new();
    // A subscriber has this from a session instead: `session.consume("name")`.
    let consumer = broadcast.consume();
    let mut import = Import::new(broadcast.clone(), ImportConfig::default())?;
    import.push(std::fs::read(path)?, Duration::ZERO)?;
    import.publish(Duration::MAX)?;

    let mut config = ExportConfig::default();
    config.start = Start::OLDEST;
    // A live broadcast skips what is half a second late. This one comes all at once.
    config.max_age = Duration::MAX;
    let mut export = Export::open(&consumer, config).await?;
    import.finish()?;
    while let Some(bytes) = export.next().await? {
        stdout().write_all(&bytes)?;
    }
    while let Some(notice) = export.next_notice() {
        writeln!(stderr(), "{notice}")?;
    }
    Ok(())
}
