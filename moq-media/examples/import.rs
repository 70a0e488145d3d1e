//! Publishes fragmented MP4 from stdin and says what it became.
//!
//! ```sh
//! ffmpeg -re -i in.mp4 -c copy -f mp4 -movflags +frag_keyframe+empty_moov+default_base_moof - \
//!     | cargo run -p moq-media --example import
//! ```

use std::io::{Read as _, Write as _, stderr, stdin};
use std::time::Instant;

use moq_media::{Import, ImportConfig};
use moq_model::BroadcastProducer;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A session publishes this: `session.publish("name", broadcast.consume())`.
    let broadcast = BroadcastProducer::new();
    let mut import = Import::new(broadcast, ImportConfig::default())?;
    let start = Instant::now();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let len = stdin().lock().read(&mut buffer)?;
        if len == 0 {
            break;
        }
        let pushed = import.push(buffer[..len].to_vec(), start.elapsed());
        import.publish(std::time::Duration::MAX)?;
        while let Some(notice) = import.next_notice() {
            writeln!(stderr(), "{notice}")?;
        }
        pushed?;
    }
    for track in import.stats() {
        let moq_media::packager::TrackStats {
            name,
            codec,
            samples,
            groups,
            ..
        } = track;
        writeln!(
            stderr(),
            "{name}: {codec}, {samples} samples in {groups} groups"
        )?;
    }
    Ok(import.finish()?)
}
