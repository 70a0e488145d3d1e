"""A foreign client for `cargo xtask conformance`: aioquic, against one server on loopback.

    main.py PORT BACKEND FINGERPRINT [WORD] [quick]

tells `ok BACKEND NAME` or `not ok BACKEND NAME: WHY` for each case whose name contains the word, and at last
`done`. What the backend is known to fail is not asked when it has to be quick.
"""

import asyncio
import sys

from known import reason
from odd import odd
from whole import whole


async def main():
    port, backend, _, *rest = sys.argv[1:]
    only, is_quick = (rest or [""])[0], rest[1:] == ["quick"]

    def is_asked(name):
        return only in name and not (is_quick and reason(backend, name))

    for cases in (whole(int(port), is_asked), odd(int(port), is_asked)):
        async for name, why in cases:
            print(line(f"{backend} {name}", why, reason(backend, name)), flush=True)
    print("done", flush=True)


def line(name, why, known):
    if why and known:
        return f"ok {name} # known: {known}"
    if known:
        return f"not ok {name}: passes, although it is known to fail: {known}"
    return f"not ok {name}: {why}" if why else f"ok {name}"


asyncio.run(main())
