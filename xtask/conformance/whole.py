"""What works: streams both ways, resets, stops, datagrams and closes, on raw QUIC and on WebTransport."""

import re

from quic import CLOSE_SESSION, capsules, control, dial, frame, mapped, read_varint, request, status, varint

CASES = []


def case(function):
    CASES.append(function)
    return function


async def whole(port, is_asked):
    """Yields each case's name, and what went wrong, or nothing."""
    for binding in (Raw, Web):
        for run in CASES:
            name = f"{binding.name}/{run.__name__.replace('_', '-')}"
            if is_asked(name):
                yield name, await tell(binding, port, run)


async def tell(binding, port, run):
    try:
        async with dial(port, binding.alpn) as peer:
            session = binding(peer, port)
            await session.begin()
            await run(session)
    except (AssertionError, ConnectionError) as error:
        return str(error) or type(error).__name__
    return None


class Raw:
    """A session on raw QUIC."""

    name, alpn = "quic", "moq-lite-06"
    uni_head = bidi_head = datagram_head = b""

    def __init__(self, peer, port):
        self.peer, self.port = peer, port

    async def begin(self):
        pass

    def uni(self, data, end=True):
        return self.peer.open(self.uni_head + data, unidirectional=True, end=end)

    def bidi(self, data, end=True):
        return self.peer.open(self.bidi_head + data, end=end)

    async def answer(self, number):
        stream = self.peer.stream(number)
        await self.peer.until("an answer", lambda: stream.ended or self.peer.closed)
        return stream.data

    async def told(self, before):
        """What comes next on a unidirectional stream of the server."""

        def ready():
            for number, stream in self.peer.streams.items():
                if number % 4 == 3 and number not in before and stream.ended and stream.data.startswith(self.uni_head):
                    return [(number, stream.data[len(self.uni_head) :])]
            return None

        ((number, data),) = await self.peer.until("a stream of the server", ready)
        before.add(number)
        return data

    def others(self):
        return {number for number in self.peer.streams if number % 4 == 3}

    async def ended(self):
        """With which code and reason the server has closed."""
        code, reason, kind = await self.peer.until("the end", lambda: self.peer.closed)
        assert kind is None, f"closed by the transport: {code:#x} {reason}"
        return code, reason

    def end(self, code, reason):
        self.peer.end(code, reason)


class Web(Raw):
    """A session of WebTransport."""

    name, alpn = "webtransport", "h3"
    uni_head, bidi_head, datagram_head = b"\x40\x54\0", b"\x40\x41\0", b"\0"

    async def begin(self):
        self.peer.open(control(), unidirectional=True)
        self.connect = self.peer.open(request())
        stream = self.peer.stream(self.connect)
        await self.peer.until("an answer", lambda: status(stream.data))
        assert status(stream.data) == 200, f"status {status(stream.data)}"

    async def ended(self):
        stream = self.peer.stream(self.connect)
        await self.peer.until("the end", lambda: stream.ended or self.peer.closed)
        kind, rest = read_varint(capsules(stream.data))
        length, rest = read_varint(rest)
        assert kind == CLOSE_SESSION and length == len(rest), "no capsule that closes the session"
        return int.from_bytes(rest[:4], "big"), rest[4:].decode()

    def end(self, code, reason):
        payload = code.to_bytes(4, "big") + reason.encode()
        self.peer.write(self.connect, frame(0, varint(CLOSE_SESSION) + varint(len(payload)) + payload), True)


@case
async def requests_are_answered(session):
    for data in (b"x", b"", b"0123456789" * 30_000):
        got = await session.answer(session.bidi(data))
        assert got == data, f"{len(got)} bytes instead of {len(data)}"


@case
async def streams_come_back(session):
    before = session.others()
    for data in (b"x", b"", b"0123456789" * 30_000):
        session.uni(data)
        got = await session.told(before)
        assert got == data, f"{len(got)} bytes instead of {len(data)}"


@case
async def many_streams_come_back(session):
    before = session.others()
    for index in range(300):
        data = str(index).encode()
        session.uni(data)
        assert await session.told(before) == data


@case
async def a_reset_has_its_code(session):
    for code in (0, 51, 4294967295):
        stream = session.peer.stream(session.bidi(f"reset {code}\n".encode(), end=False))
        await session.peer.until("a reset", lambda: stream.reset is not None)
        assert stream.reset == mapped(code), f"{stream.reset:#x} for {code}"


@case
async def a_stop_has_its_code(session):
    for code in (0, 52, 4294967295):
        stream = session.peer.stream(session.bidi(f"stop {code}\n".encode(), end=False))
        await session.peer.until("a stop", lambda: stream.stopped is not None)
        assert stream.stopped == mapped(code), f"{stream.stopped:#x} for {code}"


@case
async def resets_are_understood(session):
    before = session.others()
    for sent, code in [(mapped(54), 54), *([(54, 54)] if session.name == "quic" else [])]:
        number = session.uni(b"half", end=False)
        await session.answer(session.bidi(b"x"))
        session.peer.reset_stream(number, sent)
        assert await session.told(before) == f"reset {code}".encode()


@case
async def stops_are_understood(session):
    before = session.others()
    for sent, code in [(mapped(55), 55), *([(55, 55)] if session.name == "quic" else [])]:
        number = session.bidi(b"hold\n", end=False)
        await session.peer.until("bytes", lambda number=number: session.peer.stream(number).data)
        session.peer.stop(number, sent)
        assert await session.told(before) == f"stopped {code}".encode()


@case
async def datagrams_come_back(session):
    for data in (b"x", b"", b"0123456789" * 100):
        session.peer.datagrams.clear()
        session.peer.datagram(session.datagram_head + data)
        await session.peer.until("a datagram", lambda: session.peer.datagrams)
        assert session.peer.datagrams == [session.datagram_head + data]


@case
async def a_close_has_code_and_reason(session):
    session.bidi(b"close 67 good bye\n", end=False)
    end = await session.ended()
    assert end == (67, "good bye"), f"{end}"


@case
async def a_close_is_understood(session):
    await session.answer(session.bidi(b"x"))
    session.end(68, "adieu")
    for _ in range(50):
        async with dial(session.port, type(session).alpn) as peer:
            again = type(session)(peer, session.port)
            await again.begin()
            last = (await again.answer(again.bidi(b"last\n", end=False))).decode()
        if re.fullmatch("68 adieu", last):
            return
    raise AssertionError(f"the server was told `{last}`")
