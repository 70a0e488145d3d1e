"""Does the rows of `rows.py` to a server, and tells what it answers."""

import asyncio
import contextlib

from quic import control, dial, request, status
from rows import NO_ERROR, ROWS, Row

# How long a server may take to notice, where it is expected to.
NOTICE = 2.0
CODE = 0x10C
# How many rows run at a time.
BESIDE = 12


async def odd(port, is_asked):
    """Yields each row's name, and what is wrong with the answer, or nothing. Some rows run side by side."""
    asked = [(f"http3/{row.name}", row) for row in ROWS if is_asked(f"http3/{row.name}")]
    for at in range(0, len(asked), BESIDE):
        some = asked[at : at + BESIDE]
        answers = await asyncio.gather(*(judge(port, row) for _, row in some))
        for (name, _), why in zip(some, answers, strict=True):
            yield name, why


async def judge(port, row: Row):
    seen = await observe(port, row)
    wanted = row.expected
    if not any(matches(seen, answer) for answer in wanted):
        return f"{row.rule}: {show(seen)} instead of {' or '.join(map(show, wanted))}"
    if not await serves(port):
        return f"{row.rule}: the next client is not served"
    return None


async def observe(port, row):
    """What the server does first: one of the answers of `rows.py`."""
    try:
        async with dial(port, "h3") as peer:
            return await act(peer, row)
    except ConnectionError:
        return ("lost",)


async def act(peer, row):
    connect = None
    if row.inside:
        peer.open(control(), unidirectional=True)
        connect = peer.open(request())
        await peer.until("an answer", lambda: peer.closed or status(peer.stream(connect).data))
        if peer.closed or status(peer.stream(connect).data) != 200:
            return ("no session",)
    touched, has_control, has_request = [], row.inside, False
    for kind, data, *end in row.steps:
        if kind == "datagram":
            peer.datagram(data)
            continue
        if kind == "connect":
            number = connect
            peer.write(number, data, end == ["end"])
        else:
            number = peer.open(data, kind == "uni", end == ["end"])
        if end == ["reset"]:
            # What comes in one flight with a reset need not be read: the server has it by now.
            with contextlib.suppress(ConnectionError):
                await peer.ping()
            peer.reset_stream(number, CODE)
        touched.append(number)
        has_control |= kind == "uni" and data[:1] == b"\0"
        has_request |= kind == "bidi"
    fine = ("fine",) in row.expected
    if fine and not row.inside and not has_request:
        connect = peer.open(request())
    probe = peer.open(b"\x40\x41\x00still", end=True) if fine and row.inside else None

    def seen():
        if peer.closed:
            return closed(peer.closed)
        for number in touched:
            stream = peer.stream(number)
            if number == connect and row.inside and stream.ended:
                return ("over",)
            # A server that has answered in full may stop the rest of the request; RFC 9114 4.1.
            stopped = None if stream.stopped == NO_ERROR else stream.stopped
            for code in (stream.reset, stopped):
                if code is not None and not (fine and number & 2):
                    return ("stream", code)
            if number != connect and number % 4 == 0 and (code := status(stream.data)):
                return ("status", code)
        if not fine:
            return None
        if row.inside:
            return ("fine",) if peer.stream(probe).data == b"still" else None
        return ("fine",) if connect is not None and status(peer.stream(connect).data) == 200 else None

    try:
        answer = await peer.until("an answer", seen, NOTICE)
    except AssertionError:
        return ("nothing",)
    if answer[0] in ("stream", "status") and answer != ("status", 200) and not row.inside:
        # The next request of the same client is served.
        if not has_control:
            peer.open(control(), unidirectional=True)
        again = peer.open(request())
        try:
            await peer.until("an answer", lambda: peer.closed or status(peer.stream(again).data), NOTICE)
        except AssertionError:
            return (*answer, "and the next request is not answered")
        if peer.closed or status(peer.stream(again).data) != 200:
            return (*answer, "and the next request is refused")
    return answer


def closed(end):
    code, _, kind = end
    # aioquic tells an application's close by the absence of a frame type.
    return ("connection", code) if kind is None else ("transport", code)


async def serves(port):
    """Whether another client gets a session, and an answer in it."""
    try:
        async with dial(port, "h3") as peer:
            peer.open(control(), unidirectional=True)
            connect = peer.open(request())
            await peer.until("an answer", lambda: peer.closed or status(peer.stream(connect).data))
            asked = peer.open(b"\x40\x41\x00still", end=True)
            await peer.until("an echo", lambda: peer.closed or peer.stream(asked).data == b"still")
            return peer.closed is None
    except (ConnectionError, AssertionError):
        return False


def matches(seen, answer):
    if len(answer) == 1:
        return seen[0] == answer[0] or (answer[0] == "over" and seen[:1] == ("connection",) and session_over(seen[1]))
    return len(seen) == 2 and seen[0] == answer[0] and seen[1] in answer[1:]


def session_over(code):
    """Codes with which a connection may be closed once its only session is over."""
    return code == 0x100 or 0x52E4A40FA8DB <= code <= 0x52E5AC983162


def show(answer):
    is_code = answer[0] != "status"
    return " ".join(hex(part) if is_code and isinstance(part, int) else str(part) for part in answer)
