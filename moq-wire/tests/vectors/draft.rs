//! Reads the vectors of a draft and compares them with messages, in both directions.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;

use bytes::BytesMut;
use moq_wire::{
    AnnounceDecoder, AnnounceEncoder, AnnounceEvent, ClientSetup, Datagram, Decode, Encode,
    FrameDecoder, FrameEncoder, ServerSetup, SubscribeResponse, Version, decode_body, limits,
    put_message, split_message,
};

/// The vectors of one draft, and which of them were looked at.
pub(crate) struct Draft {
    version: Version,
    seen: BTreeSet<String>,
}

impl Draft {
    pub(crate) fn new(version: Version) -> Self {
        Self {
            version,
            seen: BTreeSet::new(),
        }
    }

    pub(crate) fn messages<M: Encode + Decode + PartialEq + Debug>(
        &mut self,
        name: &str,
        expected: &[M],
    ) {
        let lines = self.lines(name);
        assert_eq!(lines.len(), expected.len(), "{name}");
        for (line, expected) in lines.iter().zip(expected) {
            let mut buf = BytesMut::from(&line[..]);
            let body = split_message(&mut buf, limits::MAX_MESSAGE, self.version)
                .ok()
                .flatten();
            assert_eq!(
                decode_body::<M>(body.expect("whole"), self.version).as_ref(),
                Ok(expected)
            );
            assert!(buf.is_empty());
            assert_eq!(put_message(expected, &mut buf, self.version), Ok(()));
            assert_eq!(buf, line, "{name}");
        }
    }

    /// Announcements without a list.
    pub(crate) fn announcements(&mut self, name: &str, expected: &[AnnounceEvent]) {
        self.listed(name, expected, 0);
    }

    /// Announcements, of which the first are in a list if the draft has one.
    pub(crate) fn listed(&mut self, name: &str, expected: &[AnnounceEvent], listed: usize) {
        let stream = self.announcements_read(name, expected);
        let (listed, rest) = expected.split_at(listed);
        let mut again = BytesMut::new();
        let mut encoder = AnnounceEncoder::with_initial(self.version, listed, &mut again)
            .expect("events do not contradict each other");
        for event in rest {
            encoder
                .encode(event, &mut again)
                .expect("events do not contradict each other");
        }
        assert_eq!(again, stream, "{name}");
    }

    /// Announcements that the encoder would spell another way.
    pub(crate) fn announcements_read(&mut self, name: &str, expected: &[AnnounceEvent]) -> Vec<u8> {
        let stream = self.lines(name).concat();
        let mut buf = BytesMut::from(&stream[..]);
        let mut decoder = AnnounceDecoder::new(self.version);
        for event in expected {
            assert_eq!(decoder.decode(&mut buf).as_ref(), Ok(&Some(event.clone())));
        }
        assert!(buf.is_empty());
        stream
    }

    /// An offer of these versions, and the acceptance of the first.
    pub(crate) fn handshake(&mut self, versions: &[u64]) {
        let stream = self.lines("handshake").concat();
        let mut buf = BytesMut::from(&stream[..]);
        let client = ClientSetup::split(&mut buf).ok().flatten().expect("whole");
        assert_eq!(client.versions, versions);
        assert_eq!(client.choose(Version::ALL), Some(self.version));
        let server = ServerSetup::split(&mut buf);
        assert_eq!(server, Ok(Some(ServerSetup::new(self.version))));
        assert!(buf.is_empty());
        assert_eq!(client.put(&mut buf), Ok(()));
        assert_eq!(ServerSetup::new(self.version).put(&mut buf), Ok(()));
        assert_eq!(buf, stream);
    }

    pub(crate) fn responses(&mut self, expected: &[SubscribeResponse]) {
        let stream = self.lines("subscribe_response").concat();
        let mut buf = BytesMut::from(&stream[..]);
        let mut again = BytesMut::new();
        for expected in expected {
            assert_eq!(
                SubscribeResponse::split(&mut buf, self.version).as_ref(),
                Ok(&Some(expected.clone()))
            );
            assert_eq!(expected.put(&mut again, self.version), Ok(()));
        }
        assert!(buf.is_empty());
        assert_eq!(again, stream);
    }

    /// The payloads are those of every draft; `timestamps` is empty where there are none.
    pub(crate) fn frames(&mut self, timestamps: &[u64]) {
        let stream = self.lines("frame").concat();
        let mut buf = BytesMut::from(&stream[..]);
        let mut again = BytesMut::new();
        let mut decoder = FrameDecoder::new(self.version);
        let mut encoder = FrameEncoder::new(self.version);
        for (index, payload) in [&b"hello"[..], b"", b"I"].into_iter().enumerate() {
            let header = decoder.header(&mut buf).ok().flatten().expect("a frame");
            assert_eq!(header.timestamp.as_ref(), timestamps.get(index));
            assert_eq!(buf.split_to(payload.len()), payload);
            encoder
                .header(header.timestamp.unwrap_or(0), payload.len(), &mut again)
                .expect("in range");
            again.extend_from_slice(payload);
        }
        assert!(buf.is_empty());
        assert_eq!(again, stream);
    }

    pub(crate) fn datagrams(&mut self, expected: &[Datagram]) {
        let lines = self.lines("datagram");
        assert_eq!(lines.len(), expected.len());
        for (line, expected) in lines.into_iter().zip(expected) {
            let mut again = BytesMut::new();
            assert_eq!(expected.encode(&mut again, self.version), Ok(()));
            assert_eq!(again, line);
            assert_eq!(
                decode_body(line.into(), self.version).as_ref(),
                Ok(expected)
            );
        }
    }

    /// There is no file that nobody looked at.
    pub(crate) fn finish(self) {
        let files = fs::read_dir(self.folder()).expect("vectors are part of the repository");
        let names = files.map(|file| {
            file.expect("readable")
                .path()
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
        });
        assert_eq!(names.flatten().collect::<BTreeSet<_>>(), self.seen);
    }

    fn lines(&mut self, name: &str) -> Vec<Vec<u8>> {
        self.seen.insert(name.to_owned());
        let file = self.folder().join(name).with_extension("hex");
        let text = fs::read_to_string(file).expect("vectors are part of the repository");
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(unhex)
            .collect()
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/vectors")
            .join(self.version.name())
    }
}

fn unhex(line: &str) -> Vec<u8> {
    let digits = line
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect::<Vec<_>>();
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("two digits"))
        .collect()
}
