"""What a backend does otherwise, and why that stays."""

from fnmatch import fnmatchcase

# The server of moq-transport-quinn is web-transport-quinn's. It is for small servers; relays use the other one.
QUINN = (
    ("the library closes the connection with code 0 when a stream that it reads before the session is not as it expects", (
        "http3/control/goaway-first",
        "http3/control/reset",
        "http3/control/closed-empty",
        "http3/uni/second-*",
        "http3/uni/encoder-*",
        "http3/uni/decoder-*",
        "http3/settings/cut-*",
        "http3/settings/connect-protocol-2",
        "http3/settings/datagram-2",
        "http3/request/data-first",
        "http3/request/cancel-push",
        "http3/request/settings",
        "http3/request/push-promise",
        "http3/request/goaway",
        "http3/request/max-push-id",
        "http3/request/http2-*",
        "http3/request/nothing",
        "http3/request/grease-only",
        "http3/request/*cut-short",
        "http3/request/webtransport-stream-late",
        "http3/request/bad-qpack-index",
        "http3/request/dynamic-table",
        "http3/request/too-long",
    )),
    ("the library reads nothing of the control stream but its first SETTINGS frame", (
        "http3/control/grease-first",
        "http3/control/data",
        "http3/control/headers",
        "http3/control/push-promise",
        "http3/control/second-settings",
        "http3/control/http2-frame-*",
        "http3/control/webtransport-stream",
        "http3/control/goaway-empty",
        "http3/control/goaway-too-long",
        "http3/control/goaway-grows",
        "http3/control/max-push-id-*",
        "http3/control/cancel-push-*",
        "http3/control/closed",
    )),
    ("the library skips streams that are none of the session's, whatever they are", (
        "http3/control/second",
        "http3/uni/push",
        "http3/session/uni-of-no-request*",
        "http3/session/bidi-of-no-request",
        "http3/session/second*",
        "http3/session/get-beside",
    )),
    ("the library takes settings of HTTP/2 for unknown ones", ("http3/settings/http2-[2345]",)),
    ("the library does not know the settings of the newer drafts", ("http3/settings/webtransport-1[35]",)),
    ("the library takes fields that HTTP/3 forbids", (
        "http3/head/uppercase",
        "http3/head/connection-field",
        "http3/head/transfer-encoding",
        "http3/head/empty-*",
        "http3/head/*-twice",
        "http3/head/unknown-pseudo",
        "http3/head/status",
        "http3/head/pseudo-late",
    )),
    ("the library closes the connection where the request alone is wrong", (
        "http3/head/no-*",
        "http3/head/line-feed",
        "http3/head/nul",
        "http3/head/get",
        "http3/head/post",
        "http3/head/connect-tcp",
        "http3/head/websocket",
        "http3/head/http-scheme",
    )),
    ("the library knows `webtransport` alone", ("http3/head/webtransport-h3",)),
    ("the library drops datagrams that it cannot read", ("http3/session/datagram-empty", "http3/session/datagram-cut-short", "http3/session/datagram-id")),
    ("the library skips all frames of the CONNECT stream but DATA", ("http3/connect/headers", "http3/connect/settings", "http3/connect/http2-frame", "http3/connect/webtransport-stream")),
    ("the library takes whatever ends the CONNECT stream for the session's end", ("http3/connect/frame-cut-short", "http3/capsule/cut-short")),
    ("the library waits for the rest of a capsule that is too short", ("http3/capsule/close-too-short",)),
)  # fmt: skip

def reason(backend, name):
    """Why this case is known to fail, or `None`."""
    if backend != "quinn":
        return None
    for why, names in QUINN:
        if any(fnmatchcase(name, pattern) for pattern in names):
            return why
    return None
