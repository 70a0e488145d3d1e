//! PES packets and the packets that carry them.

/// The packets of a stream.
#[derive(Debug)]
pub(super) struct Packetizer {
    pub(super) pid: u16,
    counter: u8,
}

/// When a sample is decoded and shown, in ticks of 90 kHz.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) pts: i64,
    pub(super) dts: i64,
    /// Where the program's clock stands, if it is to be told.
    pub(super) reference: Option<i64>,
    pub(super) is_key: bool,
}

impl Packetizer {
    pub(super) fn new(pid: u16) -> Self {
        Self { pid, counter: 0 }
    }

    /// Writes a sample.
    pub(super) fn write(&mut self, clock: &Clock, kind: u8, payload: &[u8], to: &mut Vec<u8>) {
        let pes = [&head(clock, kind, payload.len()), payload].concat();
        let fields = adaptation(clock);
        let mut rest = &pes[..];
        while !rest.is_empty() {
            let is_start = rest.len() == pes.len();
            let fields = if is_start { &fields[..] } else { &[] };
            let used = self.packet(is_start, fields, rest, to);
            rest = &rest[used..];
        }
    }

    /// Writes one packet; says how many bytes of the payload are in it.
    pub(super) fn packet(
        &mut self,
        is_start: bool,
        adaptation: &[u8],
        payload: &[u8],
        to: &mut Vec<u8>,
    ) -> usize {
        let mut fields = (!adaptation.is_empty()).then(|| adaptation.to_vec());
        // The length of the fields is a byte before them.
        let taken = fields.as_ref().map_or(0, |fields| fields.len() + 1);
        let used = payload.len().min(ROOM - taken);
        let missing = ROOM - taken - used;
        match &mut fields {
            Some(fields) => fields.extend(std::iter::repeat_n(STUFFING, missing)),
            None if missing == 1 => fields = Some(Vec::new()),
            None if missing > 1 => {
                let mut stuffing = vec![STUFFING; missing - 1];
                // The flags.
                stuffing[0] = 0;
                fields = Some(stuffing);
            }
            None => {}
        }
        let [high, low] = self.pid.to_be_bytes();
        let start = if is_start { 0x40 } else { 0 };
        let control = if fields.is_some() { 0x30 } else { 0x10 };
        to.extend([0x47, high | start, low, control | self.counter]);
        self.counter = (self.counter + 1) & 0xf;
        if let Some(fields) = fields {
            to.push(u8::try_from(fields.len()).unwrap_or(0));
            to.extend_from_slice(&fields);
        }
        to.extend_from_slice(&payload[..used]);
        used
    }
}

/// The adaptation field behind its length: that decoding may begin here, and the clock.
fn adaptation(clock: &Clock) -> Vec<u8> {
    let key = if clock.is_key { 0x40 } else { 0 };
    match clock.reference {
        Some(reference) => {
            let base = wrapped(reference);
            let [.., b0, b1, b2, b3] = (base >> 1).to_be_bytes();
            let low = if base & 1 == 1 { 0x80 } else { 0 };
            // The extension of 27 MHz stays 0.
            vec![key | 0x10, b0, b1, b2, b3, low | 0x7e, 0]
        }
        None if clock.is_key => vec![key],
        None => Vec::new(),
    }
}

fn head(clock: &Clock, kind: u8, payload: usize) -> Vec<u8> {
    let (pts, dts) = (wrapped(clock.pts), wrapped(clock.dts));
    let mut times = Vec::new();
    if pts == dts {
        times.extend(time(2, pts));
    } else {
        times.extend(time(3, pts));
        times.extend(time(1, dts));
    }
    let flags = if pts == dts { 0x80 } else { 0xc0 };
    // 0 where the length has no place, which is allowed for video.
    let length = u16::try_from(3 + times.len() + payload).unwrap_or(0);
    let [high, low] = length.to_be_bytes();
    let count = u8::try_from(times.len()).unwrap_or(0);
    let mut head = vec![0, 0, 1, kind, high, low, 0x84, flags, count];
    head.extend(times);
    head
}

/// A time with its marks.
fn time(mark: u8, ticks: u64) -> [u8; 5] {
    let bits = |from: u32| (ticks >> from & 0xff) as u8;
    [
        mark << 4 | bits(29) & 0xe | 1,
        bits(22),
        bits(14) & 0xfe | 1,
        bits(7),
        bits(0) << 1 | 1,
    ]
}

/// The low 33 bits.
fn wrapped(ticks: i64) -> u64 {
    ticks.rem_euclid(1 << 33).unsigned_abs()
}

/// Bytes of a packet behind its head.
const ROOM: usize = 184;

const STUFFING: u8 = 0xff;
