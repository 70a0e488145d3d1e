"""What a server of HTTP/3 and WebTransport does with heads, frames, settings and capsules that are odd or wrong.

Each row names its rule. `before` rows happen before there is a session, `inside` rows in one. What is
expected comes from the rule, not from any server. A rule that leaves a choice has more than one answer.
"""

from dataclasses import dataclass

from quic import (
    CANCEL_PUSH,
    CLOSE_SESSION,
    CONTROL,
    DATA,
    DECODER,
    ENCODER,
    GOAWAY,
    HEADERS,
    MAX_PUSH_ID,
    PUSH,
    PUSH_PROMISE,
    SETTINGS,
    WT_STREAM,
    WT_UNI,
    control,
    frame,
    headers,
    request,
    request_fields,
    settings,
    varint,
)

NO_ERROR, GENERAL, INTERNAL, STREAM_CREATION, CLOSED_CRITICAL = 0x100, 0x101, 0x102, 0x103, 0x104
FRAME_UNEXPECTED, FRAME_ERROR, EXCESSIVE_LOAD, ID_ERROR, SETTINGS_ERROR = 0x105, 0x106, 0x107, 0x108, 0x109
MISSING_SETTINGS, REJECTED, INCOMPLETE, MESSAGE_ERROR, DATAGRAM_ERROR = 0x10A, 0x10B, 0x10D, 0x10E, 0x33
DECOMPRESSION, ENCODER_ERROR, DECODER_ERROR = 0x200, 0x201, 0x202
BUFFERED_REJECTED = 0x3994BD84

# Answers. A connection or a stream ends with one of these codes, a request gets one of these statuses, or
# nothing happens and the session is served.
FINE = ("fine",)
OK = ("status", 200)


def connection(*codes):
    return ("connection", *codes)


def stream(*codes):
    return ("stream", *codes)


def refused(*statuses):
    return ("status", *statuses)


BAD_REQUEST = refused(400)
NOT_OURS = refused(400, 404, 405, 406, 421, 426, 501)
MALFORMED = (stream(MESSAGE_ERROR), BAD_REQUEST)


@dataclass
class Row:
    """One thing that a client does, and what has to follow."""

    name: str
    rule: str
    # ("uni" | "bidi", bytes), with "end" or "reset" as a third word; ("datagram", bytes); ("connect", bytes)
    # for the request stream of the session.
    steps: list
    # Any of these has to be seen.
    expected: tuple
    # Whether there is a session, with control and request streams.
    inside: bool = False


def before(name, rule, steps, *expected):
    return Row(name, rule, steps, expected)


def inside(name, rule, steps, *expected):
    return Row(name, rule, steps, expected, inside=True)


def on_control(name, rule, payload, *expected):
    return before(name, rule, [("uni", control(payload))], *expected)


def on_request(name, rule, payload, *expected):
    return before(name, rule, [("uni", control()), ("bidi", payload)], *expected)


def with_settings(name, rule, payload, *expected):
    return before(name, rule, [("uni", varint(CONTROL) + frame(SETTINGS, payload))], *expected)


def asked(name, rule, fields, *expected):
    return on_request(name, rule, headers(*fields), *expected)


# The settings of a WebTransport client, without their frame.
USUAL = settings()[2:]

CONTROL_ROWS = [
    before("control/goaway-first", "RFC 9114 6.2.1", [("uni", varint(CONTROL) + frame(GOAWAY, varint(0)))], connection(MISSING_SETTINGS)),
    before("control/grease-first", "RFC 9114 6.2.1", [("uni", varint(CONTROL) + frame(0x21, b"x"))], connection(MISSING_SETTINGS)),
    on_control("control/data", "RFC 9114 7.2.1", frame(DATA, b"x"), connection(FRAME_UNEXPECTED)),
    on_control("control/headers", "RFC 9114 7.2.2", request(), connection(FRAME_UNEXPECTED)),
    on_control("control/push-promise", "RFC 9114 7.2.5", frame(PUSH_PROMISE, b"\0\0\0"), connection(FRAME_UNEXPECTED)),
    on_control("control/second-settings", "RFC 9114 7.2.4", settings(), connection(FRAME_UNEXPECTED)),
    *(
        on_control(f"control/http2-frame-{kind}", "RFC 9114 7.2.8", frame(kind, b"x"), connection(FRAME_UNEXPECTED))
        for kind in (2, 6, 8, 9)
    ),
    on_control("control/webtransport-stream", "WebTransport draft 4.3", frame(WT_STREAM, b"x"), connection(FRAME_ERROR, FRAME_UNEXPECTED)),
    on_control("control/goaway-empty", "RFC 9114 7.1", frame(GOAWAY), connection(FRAME_ERROR)),
    on_control("control/goaway-too-long", "RFC 9114 7.1", frame(GOAWAY, b"\0\0"), connection(FRAME_ERROR)),
    on_control("control/goaway-grows", "RFC 9114 5.2", frame(GOAWAY, b"\1") + frame(GOAWAY, b"\2"), connection(ID_ERROR)),
    on_control("control/max-push-id-empty", "RFC 9114 7.1", frame(MAX_PUSH_ID), connection(FRAME_ERROR)),
    on_control("control/max-push-id-too-long", "RFC 9114 7.1", frame(MAX_PUSH_ID, b"\0\0"), connection(FRAME_ERROR)),
    on_control("control/max-push-id-shrinks", "RFC 9114 7.2.7", frame(MAX_PUSH_ID, b"\2") + frame(MAX_PUSH_ID, b"\1"), connection(ID_ERROR)),
    on_control("control/cancel-push-empty", "RFC 9114 7.1", frame(CANCEL_PUSH), connection(FRAME_ERROR)),
    on_control("control/cancel-push-unknown", "RFC 9114 7.2.3", frame(CANCEL_PUSH, b"\5"), connection(ID_ERROR)),
    before("control/closed", "RFC 9114 6.2.1", [("uni", control(), "end")], connection(CLOSED_CRITICAL)),
    before("control/reset", "RFC 9114 6.2.1", [("uni", control(), "reset")], connection(CLOSED_CRITICAL)),
    before("control/closed-empty", "RFC 9114 6.2.1", [("uni", varint(CONTROL), "end")], connection(CLOSED_CRITICAL, MISSING_SETTINGS)),
    before("control/second", "RFC 9114 6.2.1", [("uni", control()), ("uni", control())], connection(STREAM_CREATION)),
    on_control("control/grease", "RFC 9114 7.2.8", frame(0x21, b"grease") + frame(0x1F * 9 + 0x21), FINE),
    on_control("control/unknown-frame", "RFC 9114 9", frame(0x1F40, b"unknown"), FINE),
    on_control("control/goaway", "RFC 9114 5.2", frame(GOAWAY, b"\0"), FINE),
    on_control("control/max-push-id", "RFC 9114 7.2.7", frame(MAX_PUSH_ID, b"\1") + frame(MAX_PUSH_ID, b"\2"), FINE),
    on_control("control/priority-update", "RFC 9218 7.2", frame(0xF0700, b"\0u=1"), FINE),
]

STREAM_ROWS = [
    before("uni/push", "RFC 9114 6.2.2", [("uni", control()), ("uni", varint(PUSH) + b"\0")], connection(STREAM_CREATION)),
    before("uni/second-encoder", "RFC 9204 4.2", [("uni", varint(ENCODER)), ("uni", varint(ENCODER))], connection(STREAM_CREATION)),
    before("uni/second-decoder", "RFC 9204 4.2", [("uni", varint(DECODER)), ("uni", varint(DECODER))], connection(STREAM_CREATION)),
    before("uni/encoder-closed", "RFC 9204 4.2", [("uni", varint(ENCODER), "end")], connection(CLOSED_CRITICAL)),
    before("uni/encoder-reset", "RFC 9204 4.2", [("uni", varint(ENCODER), "reset")], connection(CLOSED_CRITICAL)),
    before("uni/decoder-reset", "RFC 9204 4.2", [("uni", varint(DECODER), "reset")], connection(CLOSED_CRITICAL)),
    before("uni/encoder-capacity", "RFC 9204 4.3.1", [("uni", varint(ENCODER) + b"\x3f\xe1\x7f")], connection(ENCODER_ERROR)),
    before("uni/decoder-increment", "RFC 9204 4.4.3", [("uni", varint(DECODER) + b"\x05")], connection(DECODER_ERROR)),
    before("uni/grease", "RFC 9114 6.2.3", [("uni", control()), ("uni", varint(0x21) + b"grease", "end")], FINE),
    before("uni/unknown", "RFC 9114 6.2", [("uni", control()), ("uni", varint(0x1F40) + b"unknown")], FINE),
    before("uni/no-type", "RFC 9114 6.2", [("uni", control()), ("uni", b"\x40", "end")], FINE),
    before("uni/reset-before-type", "RFC 9114 6.2", [("uni", control()), ("uni", b"\x40", "reset")], FINE),
    before("uni/qpack", "RFC 9204 4.2", [("uni", control()), ("uni", varint(ENCODER)), ("uni", varint(DECODER))], FINE),
    before("settings-after-request", "RFC 9114 6.2.1", [("bidi", request()), ("uni", control())], OK),
]

SETTING_ROWS = [
    *(
        with_settings(f"settings/http2-{key}", "RFC 9114 7.2.4.1", varint(key) + b"\1" + USUAL, connection(SETTINGS_ERROR))
        for key in (2, 3, 4, 5)
    ),
    with_settings("settings/twice", "RFC 9114 7.2.4", USUAL + varint(0x33) + b"\1", connection(SETTINGS_ERROR), FINE),
    with_settings("settings/cut-short", "RFC 9114 7.1", USUAL + varint(0x33), connection(FRAME_ERROR)),
    with_settings("settings/cut-inside-varint", "RFC 9114 7.1", USUAL + b"\x80", connection(FRAME_ERROR)),
    with_settings("settings/connect-protocol-2", "RFC 8441 3", varint(8) + b"\2", connection(SETTINGS_ERROR)),
    with_settings("settings/datagram-2", "RFC 9297 2.1.1", varint(0x33) + b"\2" + varint(0x2B603742) + b"\1", connection(SETTINGS_ERROR)),
    with_settings("settings/grease", "RFC 9114 7.2.4.1", varint(0x21) + varint(1 << 40) + USUAL, FINE),
    with_settings("settings/webtransport-07", "WebTransport draft 3.1", varint(0x33) + b"\1" + varint(0xC671706A) + varint(16), FINE),
    with_settings("settings/webtransport-02", "WebTransport draft 3.1", varint(0x33) + b"\1" + varint(0x2B603742) + b"\1", FINE),
    with_settings("settings/webtransport-13", "WebTransport draft 3.1", varint(0x33) + b"\1" + varint(0x14E9CD29) + b"\1", FINE),
    with_settings("settings/webtransport-15", "WebTransport draft 3.1", varint(0x33) + b"\1" + varint(0x2C7CF000) + b"\1", FINE),
]

FRAME_ROWS = [
    on_request("request/data-first", "RFC 9114 4.1", frame(DATA, b"x"), connection(FRAME_UNEXPECTED)),
    *(
        on_request(f"request/{name}", f"RFC 9114 7.2.{rule}", frame(kind, payload), connection(FRAME_UNEXPECTED))
        for name, rule, kind, payload in (
            ("cancel-push", 3, CANCEL_PUSH, b"\0"),
            ("settings", 4, SETTINGS, b""),
            ("push-promise", 5, PUSH_PROMISE, b"\0\0\0"),
            ("goaway", 6, GOAWAY, b"\0"),
            ("max-push-id", 7, MAX_PUSH_ID, b"\0"),
            ("http2-priority", 8, 2, b"x"),
            ("http2-ping", 8, 6, b"x"),
            ("http2-window-update", 8, 8, b"x"),
            ("http2-continuation", 8, 9, b"x"),
        )
    ),
    before("request/nothing", "RFC 9114 4.1", [("uni", control()), ("bidi", b"", "end")], stream(INCOMPLETE), BAD_REQUEST),
    before("request/grease-only", "RFC 9114 4.1", [("uni", control()), ("bidi", frame(0x21, b"x"), "end")], stream(INCOMPLETE), BAD_REQUEST),
    before("request/cut-short", "RFC 9114 7.1", [("uni", control()), ("bidi", request()[:-3], "end")], connection(FRAME_ERROR)),
    before("request/head-cut-short", "RFC 9114 7.1", [("uni", control()), ("bidi", b"\x01", "end")], connection(FRAME_ERROR)),
    on_request("request/grease-first", "RFC 9114 7.2.8", frame(0x21, b"grease") + request(), OK),
    on_request("request/unknown-first", "RFC 9114 9", frame(0x1F40, b"unknown") + request(), OK),
    on_request("request/webtransport-stream-late", "WebTransport draft 4.3", frame(0x21) + varint(WT_STREAM) + varint(0), connection(FRAME_ERROR)),
    on_request("request/bad-qpack-index", "RFC 9204 2.2", frame(HEADERS, b"\0\0\xff\x7f"), connection(DECOMPRESSION)),
    on_request("request/dynamic-table", "RFC 9204 2.2.3", frame(HEADERS, b"\x05\0\x80"), connection(DECOMPRESSION)),
    on_request("request/qpack-cut-short", "RFC 9204 2.2", frame(HEADERS, b"\0\0\x51\x7f"), connection(DECOMPRESSION)),
    on_request("request/too-long", "RFC 9114 4.2.2", frame(HEADERS, b"\0\0" + b"\x51\x00" * 60_000, length=1 << 28), connection(EXCESSIVE_LOAD), stream(EXCESSIVE_LOAD, REJECTED), refused(431)),
]

HEAD_ROWS = [
    asked("head/uppercase", "RFC 9114 4.2", [*request_fields(), ("Origin", "x")], *MALFORMED),
    asked("head/connection-field", "RFC 9114 4.2", [*request_fields(), ("connection", "close")], *MALFORMED),
    asked("head/transfer-encoding", "RFC 9114 4.2", [*request_fields(), ("transfer-encoding", "chunked")], *MALFORMED),
    asked("head/no-method", "RFC 9114 4.3.1", request_fields(method=None), *MALFORMED),
    asked("head/no-path", "RFC 9114 4.3.1", request_fields(path=None), *MALFORMED),
    asked("head/no-scheme", "RFC 9114 4.3.1", request_fields(scheme=None), *MALFORMED),
    asked("head/no-authority", "RFC 9114 4.3.1", request_fields(authority=None), *MALFORMED),
    asked("head/empty-path", "RFC 9114 4.3.1", request_fields(path=""), *MALFORMED),
    asked("head/empty-authority", "RFC 9114 4.3.1", request_fields(authority=""), *MALFORMED),
    asked("head/method-twice", "RFC 9114 4.3", [*request_fields(), (":method", "CONNECT")], *MALFORMED),
    asked("head/path-twice", "RFC 9114 4.3", [*request_fields(), (":path", "/other")], *MALFORMED),
    asked("head/unknown-pseudo", "RFC 9114 4.3", [*request_fields(), (":odd", "x")], *MALFORMED),
    asked("head/status", "RFC 9114 4.3", [*request_fields(), (":status", "200")], *MALFORMED),
    asked("head/pseudo-late", "RFC 9114 4.3", [*request_fields(path=None), ("x", "y"), (":path", "/")], *MALFORMED),
    asked("head/line-feed", "RFC 9114 10.3", [*request_fields(), ("x", "a\nb")], *MALFORMED),
    asked("head/nul", "RFC 9114 10.3", [*request_fields(), ("x", "a\0b")], *MALFORMED),
    asked("head/empty-name", "RFC 9114 4.2", [*request_fields(), ("", "x")], *MALFORMED),
    asked("head/webtransport", "WebTransport draft 3.2", request_fields(), OK),
    asked("head/webtransport-h3", "WebTransport draft 15 3.2", request_fields(protocol="webtransport-h3"), OK),
    asked("head/origin", "WebTransport draft 3.2", [*request_fields(), ("origin", "https://page.example")], OK),
    asked("head/get", "RFC 9110 15.5", request_fields(method="GET", protocol=None), NOT_OURS),
    asked("head/post", "RFC 9110 15.5", request_fields(method="POST", protocol=None), NOT_OURS),
    asked("head/connect-tcp", "RFC 9114 4.4", [(":method", "CONNECT"), (":authority", "localhost:1")], NOT_OURS),
    asked("head/websocket", "RFC 9220 3", request_fields(protocol="websocket"), NOT_OURS),
    asked("head/http-scheme", "WebTransport draft 3.2", request_fields(scheme="http"), NOT_OURS, *MALFORMED),
]

SESSION = varint(0)


def capsule(kind, payload, length=None):
    return frame(DATA, frame(kind, payload, length))


SESSION_ROWS = [
    before("session/uni-of-no-request", "WebTransport draft 4.1", [("uni", control()), ("uni", varint(WT_UNI) + varint(1))], connection(ID_ERROR)),
    before("session/bidi-of-no-request", "WebTransport draft 4.1", [("uni", control()), ("bidi", varint(WT_STREAM) + varint(2))], connection(ID_ERROR)),
    before("session/early-streams", "WebTransport draft 4.5", [("uni", control()), *(("uni", varint(WT_UNI) + varint(400)) for _ in range(100))], stream(BUFFERED_REJECTED), FINE),
    inside("session/uni-of-no-request-later", "WebTransport draft 4.1", [("uni", varint(WT_UNI) + varint(3))], connection(ID_ERROR)),
    inside("session/datagram-empty", "RFC 9297 2.1", [("datagram", b"")], connection(DATAGRAM_ERROR)),
    inside("session/datagram-cut-short", "RFC 9297 2.1", [("datagram", b"\x80\0")], connection(DATAGRAM_ERROR)),
    inside("session/datagram-id", "RFC 9297 2.1", [("datagram", varint((1 << 62) - 1))], connection(DATAGRAM_ERROR)),
    inside("session/datagram-of-another", "RFC 9297 2.1", [("datagram", varint(9) + b"x")], FINE),
    inside("session/second", "WebTransport draft 5.2", [("bidi", request())], stream(REJECTED), refused(429)),
    inside("session/get-beside", "RFC 9110 15.5", [("bidi", request(method="GET", protocol=None))], NOT_OURS, stream(REJECTED)),
    inside("session/uni-cut-short", "RFC 9114 6.2", [("uni", varint(WT_UNI), "end")], FINE),
    inside("session/second-control", "RFC 9114 6.2.1", [("uni", control())], connection(STREAM_CREATION)),
    inside("connect/headers", "RFC 9114 4.4", [("connect", headers(("x", "y")))], connection(FRAME_UNEXPECTED)),
    inside("connect/settings", "RFC 9114 7.2.4", [("connect", settings())], connection(FRAME_UNEXPECTED)),
    inside("connect/http2-frame", "RFC 9114 7.2.8", [("connect", frame(6, b"x"))], connection(FRAME_UNEXPECTED)),
    inside("connect/webtransport-stream", "WebTransport draft 4.3", [("connect", varint(WT_STREAM) + SESSION)], connection(FRAME_ERROR)),
    inside("connect/grease", "RFC 9114 7.2.8", [("connect", frame(0x21, b"grease"))], FINE),
    inside("connect/unknown-frame", "RFC 9114 9", [("connect", frame(0x1F40, b"unknown"))], FINE),
    inside("connect/frame-cut-short", "RFC 9114 7.1", [("connect", frame(DATA, b"x", length=9), "end")], connection(FRAME_ERROR)),
    inside("capsule/unknown", "RFC 9297 3.2", [("connect", capsule(0x1F40, b"unknown"))], FINE),
    inside("capsule/drain", "WebTransport draft 4.7", [("connect", capsule(0x78AE, b""))], FINE),
    inside("capsule/in-pieces", "RFC 9297 3.1", [("connect", frame(DATA, b"\x17")), ("connect", frame(DATA, b"\2x")), ("connect", frame(DATA, b"y"))], FINE),
    inside("capsule/close", "WebTransport draft 6", [("connect", capsule(CLOSE_SESSION, b"\0\0\0\7bye"), "end")], ("over",)),
    inside("capsule/end-alone", "WebTransport draft 6", [("connect", b"", "end")], ("over",)),
    inside("capsule/close-too-short", "RFC 9297 3.3", [("connect", capsule(CLOSE_SESSION, b"\0\0\7"))], stream(MESSAGE_ERROR)),
    inside("capsule/close-too-long", "WebTransport draft 6", [("connect", capsule(CLOSE_SESSION, b"\0\0\0\7" + b"x" * 1025))], stream(MESSAGE_ERROR), ("over",)),
    inside("capsule/cut-short", "RFC 9297 3.3", [("connect", frame(DATA, varint(0x17) + b"\5xy"), "end")], stream(MESSAGE_ERROR)),
    inside("capsule/after-close", "WebTransport draft 6", [("connect", capsule(CLOSE_SESSION, b"\0\0\0\7") + frame(DATA, b"more"))], stream(MESSAGE_ERROR), ("over",)),
]

ROWS = CONTROL_ROWS + STREAM_ROWS + SETTING_ROWS + FRAME_ROWS + HEAD_ROWS + SESSION_ROWS
