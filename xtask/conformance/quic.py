"""aioquic's transport, moved by hand: streams, datagrams, and what the server does to them."""

import asyncio
import contextlib
import ssl

import pylsqpack
from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration

PATIENCE = 5.0
MAPPED = 0x52E4A40FA8DB


def mapped(code):
    """A stream code as HTTP/3 carries it for WebTransport."""
    return MAPPED + code + code // 30


def varint(value):
    for bits, prefix in ((6, 0), (14, 1), (30, 2), (62, 3)):
        if value < 1 << bits:
            size = (bits + 2) // 8
            return (value | prefix << bits).to_bytes(size, "big")
    raise ValueError(value)


def frame(kind, payload=b"", length=None):
    return varint(kind) + varint(len(payload) if length is None else length) + payload


def read_varint(data):
    """The value at the front, and what follows it; `None` if it is cut short."""
    if not data or len(data) < (size := 1 << (data[0] >> 6)):
        return None, data
    value = int.from_bytes(data[:size], "big") & ((1 << (8 * size - 2)) - 1)
    return value, data[size:]


class Stream:
    """What is known of one stream."""

    def __init__(self):
        self.data = b""
        self.ended = False
        self.reset = None
        self.stopped = None


class Peer(QuicConnectionProtocol):
    """A client's connection. `changed` is set whenever anything has happened."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.streams = {}
        self.datagrams = []
        self.closed = None
        self.changed = asyncio.Event()

    def stream(self, number):
        return self.streams.setdefault(number, Stream())

    def quic_event_received(self, event):
        match event:
            case events.StreamDataReceived():
                stream = self.stream(event.stream_id)
                stream.data += event.data
                stream.ended |= event.end_stream
            case events.StreamReset():
                self.stream(event.stream_id).reset = event.error_code
            case events.StopSendingReceived():
                self.stream(event.stream_id).stopped = event.error_code
            case events.DatagramFrameReceived():
                self.datagrams.append(event.data)
            case events.ConnectionTerminated():
                self.closed = (event.error_code, event.reason_phrase, event.frame_type)
        self.changed.set()

    def open(self, data, unidirectional=False, end=False):
        number = self._quic.get_next_available_stream_id(is_unidirectional=unidirectional)
        self.stream(number)
        self.write(number, data, end)
        return number

    def write(self, number, data, end=False):
        # The server may have ended the connection already.
        with contextlib.suppress(AssertionError, ValueError):
            self._quic.send_stream_data(number, data, end)
        self.transmit()

    def reset_stream(self, number, code):
        self._quic.reset_stream(number, code)
        self.transmit()

    def stop(self, number, code):
        self._quic.stop_stream(number, code)
        self.transmit()

    def datagram(self, data):
        self._quic.send_datagram_frame(data)
        self.transmit()

    def end(self, code, reason):
        self._quic.close(error_code=code, reason_phrase=reason)
        self.transmit()

    async def until(self, what, ready, patience=PATIENCE):
        """Waits until `ready` yields something, and returns that."""

        async def wait():
            while not (found := ready()):
                self.changed.clear()
                await self.changed.wait()
            return found

        try:
            return await asyncio.wait_for(wait(), patience)
        except TimeoutError:
            raise AssertionError(f"{what}: nothing for {patience} s") from None


def dial(port, alpn):
    """A connection to the server on loopback, as a context."""
    configuration = QuicConfiguration(
        is_client=True,
        alpn_protocols=[alpn],
        max_datagram_frame_size=65536,
        verify_mode=ssl.CERT_NONE,
        server_name="localhost",
    )
    return connect("127.0.0.1", port, configuration=configuration, create_protocol=Peer)


# HTTP/3, as RFC 9114 has it.

DATA, HEADERS, CANCEL_PUSH, SETTINGS, PUSH_PROMISE, GOAWAY, MAX_PUSH_ID = 0, 1, 3, 4, 5, 7, 13
CONTROL, PUSH, ENCODER, DECODER = 0, 1, 2, 3
WT_STREAM, WT_UNI, CLOSE_SESSION = 0x41, 0x54, 0x2843


def settings(*pairs):
    """A SETTINGS frame: what a WebTransport client needs, old and new, unless pairs are given."""
    usual = ((0x8, 1), (0x33, 1), (0x2B603742, 1), (0xC671706A, 1), (0x2C7CF000, 1))
    return frame(SETTINGS, b"".join(varint(key) + varint(value) for key, value in pairs or usual))


def headers(*fields):
    """A HEADERS frame of literal fields, whatever their names and values are."""
    block = b"\0\0"
    for name, value in fields:
        block += prefixed(0x20, 3, name.encode()) + prefixed(0, 7, value.encode())
    return frame(HEADERS, block)


def prefixed(flags, bits, data):
    """A string behind its length, as QPACK has it, without Huffman's code."""
    most = (1 << bits) - 1
    if len(data) < most:
        return bytes([flags | len(data)]) + data
    length, more = bytearray([flags | most]), len(data) - most
    while more >= 128:
        length.append(more % 128 | 128)
        more //= 128
    return bytes(length) + bytes([more]) + data


def request_fields(**changes):
    """The fields of a WebTransport request, with some changed, or left out as `None`."""
    fields = {
        "method": "CONNECT",
        "protocol": "webtransport",
        "scheme": "https",
        "authority": "localhost",
        "path": "/room",
    }
    fields.update(changes)
    return [(f":{key}", value) for key, value in fields.items() if value is not None]


def request(*more, **changes):
    return headers(*request_fields(**changes), *more)


def control(*frames):
    return varint(CONTROL) + settings() + b"".join(frames)


def status(data):
    """The status of an answer, or `None` if there is none yet."""
    while True:
        kind, rest = read_varint(data)
        if kind is None:
            return None
        length, rest = read_varint(rest)
        if length is None or len(rest) < length:
            return None
        if kind == HEADERS:
            _, fields = pylsqpack.Decoder(0, 0).feed_header(0, rest[:length])
            return int(dict(fields)[b":status"])
        data = rest[length:]


def capsules(data):
    """The payloads of the DATA frames behind an answer."""
    payload = b""
    while True:
        kind, rest = read_varint(data)
        length, rest = read_varint(rest) if kind is not None else (None, b"")
        if length is None or len(rest) < length:
            return payload
        if kind == DATA:
            payload += rest[:length]
        data = rest[length:]
