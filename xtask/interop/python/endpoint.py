"""The Python package moq-rs: commands on stdin, events on stdout."""

import asyncio
import hashlib
import sys

import moq
from moq_ffi import MoqSubscription, MoqTrackInfo


class Endpoint:
    def __init__(self):
        self.published = moq.OriginProducer()
        self.received = moq.OriginProducer()
        self.client = None
        self.server = None
        self.session = None
        self.broadcasts = {}
        self.tracks = {}
        self.groups = {}
        self.consumers = {}
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
        return task

    async def do_about(self):
        tell("can demand max-age priority listen reconnect fetch datagram")

    async def do_connect(self, url, fingerprint, _version):
        self.client = moq.Client(
            url,
            tls_fingerprints=[fingerprint],
            websocket_enabled=False,
            publish=self.published,
            subscribe=self.received,
        )
        self.spawn(self.connecting())

    async def connecting(self):
        try:
            await self.client.__aenter__()
        except Exception as error:
            tell(f"refused {error!r}")
            return
        self.session = self.client.session
        self.spawn(self.status(self.session))

    async def status(self, session):
        while True:
            try:
                status = await session.status()
            except Exception as error:
                tell(f"disconnected {error!r}")
                return
            # The package does not tell which draft was agreed on.
            tell("connected -" if status.name == "CONNECTED" else f"disconnected {status.name}")

    async def do_listen(self, _version):
        self.server = moq.Server(
            "127.0.0.1:0", tls_generate=["localhost"], publish=self.published, subscribe=self.received
        )
        await self.server.__aenter__()
        port = self.server.local_addr.rsplit(":", 1)[1]
        tell(f"listening {port} {self.server.cert_fingerprints()[0]}")
        self.spawn(self.accept())

    async def accept(self):
        async for request in self.server:
            session = await request.accept()
            self.session = session
            tell("connected -")
            self.spawn(session.closed())

    async def do_close(self):
        if self.client is not None:
            await self.client.__aexit__()

    def broadcast(self, path):
        if path not in self.broadcasts:
            self.broadcasts[path] = self.published.create_broadcast(path)
        return self.broadcasts[path]

    async def do_track(self, path, name, max_age):
        info = MoqTrackInfo(max_age_us=int(max_age) * 1000, timescale=1000)
        track = self.broadcast(path).publish_track(name, info)
        self.tracks[path, name] = track
        self.spawn(self.demand(name, track.demand()))

    async def demand(self, name, demand):
        while True:
            await demand.used()
            tell(f"used {name}")
            await demand.unused()
            tell(f"unused {name}")

    async def do_announce(self, path):
        self.broadcast(path).announce()

    async def do_unannounce(self, path):
        self.broadcasts.pop(path).unannounce()

    async def do_group(self, path, name):
        self.groups[path, name] = self.tracks[path, name].append_group()

    async def do_frame(self, path, name, millis, file):
        with open(file, "rb") as source:
            self.groups[path, name].write_frame(source.read(), int(millis) * 1000)

    async def do_finish_group(self, path, name):
        self.groups.pop((path, name)).finish()

    async def do_finish(self, path, name):
        self.tracks[path, name].finish()

    async def do_datagram(self, path, name, millis, file):
        with open(file, "rb") as source:
            self.tracks[path, name].append_datagram(source.read(), int(millis) * 1000)

    async def do_fetch(self, ident, path, name, sequence):
        self.spawn(self.fetch(ident, path, name, int(sequence)))

    async def fetch(self, ident, path, name, sequence):
        try:
            broadcast = await self.received.consume().request_broadcast(path)
            group = await broadcast.fetch_group(name, sequence)
        except Exception as error:
            tell(f"error {ident} {error!r}")
            return
        await self.group(ident, group)

    async def do_probe(self):
        self.spawn(self.probe())

    async def probe(self):
        told = None
        while True:
            rate = self.session.stats().estimated_recv_rate_bps
            if rate is not None and rate != told:
                tell(f"bandwidth {rate} -")
                told = rate
            await asyncio.sleep(0.1)

    async def do_watch(self, prefix):
        announced = self.received.consume().announced("" if prefix == "-" else prefix)
        self.spawn(self.watch(announced))

    async def watch(self, announced):
        async for update in announced:
            tell(f"{'+' if update.active else '-'} {update.prefix}")

    async def do_subscribe(self, ident, path, name, start, max_age, priority):
        start = {"newest": None, "oldest": 0}.get(start, start)
        subscription = MoqSubscription(
            priority=int(priority),
            max_age_us=int(max_age) * 1000,
            group_start=None if start is None else int(start),
        )
        self.spawn(self.subscribe(ident, path, name, subscription))

    async def subscribe(self, ident, path, name, subscription):
        try:
            broadcast = await self.received.consume().request_broadcast(path)
            track = await broadcast.subscribe_track(name, subscription)
            self.consumers[ident] = track
            datagrams = self.spawn(self.datagrams(ident, track))
            groups = []
            async for group in track.groups_as_arrived():
                groups.append(self.spawn(self.group(ident, group)))
            await asyncio.gather(datagrams, *groups)
            tell(f"end {ident} finished")
        except Exception as error:
            tell(f"error {ident} {error!r}")

    async def datagrams(self, ident, track):
        while (datagram := await track.recv_datagram()) is not None:
            digest = hashlib.sha256(datagram.payload).hexdigest()
            millis = datagram.timestamp_us // 1000
            tell(f"datagram {ident} {datagram.sequence} {len(datagram.payload)} {digest} {millis}")

    async def group(self, ident, group):
        tell(f"group {ident} {group.sequence}")
        try:
            index = 0
            async for frame in group:
                digest = hashlib.sha256(frame.payload).hexdigest()
                millis = frame.timestamp_us // 1000
                tell(f"frame {ident} {group.sequence} {index} {len(frame.payload)} {digest} {millis}")
                index += 1
            tell(f"end-group {ident} {group.sequence}")
        except Exception as error:
            tell(f"lost {ident} {group.sequence} {error!r}")

    async def do_unsubscribe(self, ident):
        self.consumers.pop(ident).cancel()


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
