"""The Python package moq-rs before 0.5: commands on stdin, events on stdout."""

import asyncio
import hashlib
import sys

import moq
import moq_ffi

# Since 0.4 frames have times, tracks have properties, and paths are published by an origin that makes them.
HAS_TIMES = hasattr(moq_ffi, "MoqTrackInfo")


class Endpoint:
    def __init__(self):
        self.published = moq.OriginProducer()
        self.received = moq.OriginProducer()
        self.client = None
        self.broadcasts = {}
        self.tracks = {}
        self.groups = {}
        self.consumers = {}
        self.seen = {}
        self.tasks = set()

    async def run(self, line):
        command, *args = line.split(" ")
        try:
            step = getattr(self, "do_" + command.replace("-", "_"), None)
            if step is None:
                raise RuntimeError(f"unknown command {command}")
            await step(*args)
        except Exception as error:
            tell(f"failed {error!r}")

    def spawn(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def do_about(self):
        tell("can demand dies")

    async def do_connect(self, url, fingerprint, _version):
        self.client = moq.Client(
            url, tls_fingerprints=[fingerprint], publish=self.published, subscribe=self.received
        )
        self.spawn(self.connecting())

    async def connecting(self):
        try:
            await self.client.__aenter__()
        except Exception as error:
            tell(f"refused {error!r}")
            return
        tell("connected -")
        self.spawn(self.follow())
        try:
            await self.client.session.closed()
            tell("disconnected closed")
        except Exception as error:
            tell(f"disconnected {error!r}")

    async def follow(self):
        async for announcement in self.received.consume().announced(""):
            self.seen[announcement.path] = announcement.broadcast

    async def do_close(self):
        if self.client is not None:
            await self.client.__aexit__()

    def broadcast(self, path):
        if path not in self.broadcasts:
            if HAS_TIMES:
                # It is announced from here on, soon enough: its tracks are made at once.
                self.broadcasts[path] = self.published.create_broadcast(path)
            else:
                self.broadcasts[path] = moq.BroadcastProducer()
        return self.broadcasts[path]

    async def do_track(self, path, name, max_age):
        broadcast = self.broadcast(path)
        if HAS_TIMES:
            info = moq_ffi.MoqTrackInfo(latency_max_ms=int(max_age), timescale=1000)
            track = broadcast.publish_track(name, info)
        else:
            track = broadcast.publish_track(name)
        self.tracks[path, name] = track
        self.spawn(self.demand(name, track))

    async def demand(self, name, track):
        while True:
            await noticed(track.used)
            tell(f"used {name}")
            await noticed(track.unused)
            tell(f"unused {name}")

    async def do_announce(self, path):
        broadcast = self.broadcast(path)
        if not HAS_TIMES:
            self.published.publish(path, broadcast)

    async def do_unannounce(self, path):
        self.broadcasts.pop(path).finish()

    async def do_group(self, path, name):
        self.groups[path, name] = self.tracks[path, name].append_group()

    async def do_frame(self, path, name, millis, file):
        time = [int(millis) * 1000] if HAS_TIMES else []
        with open(file, "rb") as source:
            self.groups[path, name].write_frame(source.read(), *time)

    async def do_finish_group(self, path, name):
        self.groups.pop((path, name)).finish()

    async def do_finish(self, path, name):
        self.tracks[path, name].finish()

    async def do_watch(self, prefix):
        announced = self.received.consume().announced("" if prefix == "-" else prefix)
        self.spawn(self.watch(announced))

    async def watch(self, announced):
        # The package does not tell what goes.
        async for announcement in announced:
            tell(f"+ {announcement.path}")

    async def do_subscribe(self, ident, path, name, start, max_age, priority):
        self.spawn(self.subscribe(ident, path, name, start, int(max_age), int(priority)))

    async def subscribe(self, ident, path, name, start, max_age, priority):
        try:
            if HAS_TIMES:
                broadcast = await self.received.consume().request_broadcast(path)
                first = {"newest": None, "oldest": 0}.get(start, start)
                subscription = moq_ffi.MoqSubscription(
                    priority=priority,
                    ordered=False,
                    latency_max_ms=max_age,
                    group_start=None if first is None else int(first),
                )
                track = await broadcast.subscribe_track(name, subscription)
            else:
                track = self.seen[path].subscribe_track(name)
            self.consumers[ident] = track
            groups = []
            while (group := await track.recv_group()) is not None:
                groups.append(asyncio.ensure_future(self.group(ident, group)))
            await asyncio.gather(*groups)
            tell(f"end {ident} finished")
        except Exception as error:
            tell(f"error {ident} {error!r}")

    async def group(self, ident, group):
        tell(f"group {ident} {group.sequence}")
        try:
            index = 0
            async for frame in group:
                payload = frame.payload if HAS_TIMES else frame
                digest = hashlib.sha256(payload).hexdigest()
                millis = frame.timestamp_us // 1000 if HAS_TIMES else "-"
                tell(f"frame {ident} {group.sequence} {index} {len(payload)} {digest} {millis}")
                index += 1
            tell(f"end-group {ident} {group.sequence}")
        except Exception as error:
            tell(f"lost {ident} {group.sequence} {error!r}")

    async def do_unsubscribe(self, ident):
        self.consumers.pop(ident).cancel()


async def noticed(change):
    """Waits for a change, and looks again now and then: a change right after the call may not wake it."""
    while True:
        try:
            return await asyncio.wait_for(change(), 0.2)
        except asyncio.TimeoutError:
            pass


def tell(line):
    sys.stdout.write(" ".join(line.split("\n")) + "\n")
    sys.stdout.flush()


async def main():
    endpoint = Endpoint()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        await endpoint.run(line.decode().rstrip("\n"))


asyncio.run(main())
