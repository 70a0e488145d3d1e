// Does what the commands say with @moq/net, wherever that runs; `tell` takes the events.

import * as Moq from "@moq/net";

const { Announce, Broadcast, Connection, Path, Time } = Moq;

export class Endpoint {
	#tell;
	#read;
	#connection;
	#settled;
	#broadcasts = new Map();
	#subscriptions = new Map();

	// `tell` takes a line, `read` yields the bytes of a file.
	constructor(tell, read) {
		this.#tell = tell;
		this.#read = read;
	}

	async run(line) {
		const [command, ...args] = line.split(" ");
		try {
			const step = this[command.replaceAll("-", "_")];
			if (step === undefined) throw new Error(`unknown command ${command}`);
			await step.apply(this, args);
		} catch (error) {
			this.#tell(`failed ${reason(error)}`);
		}
	}

	about() {
		this.#tell("can demand max-age priority fetch datagram probe");
	}

	async connect(url, fingerprint) {
		const value = Uint8Array.from(fingerprint.match(/../g), (digits) => Number.parseInt(digits, 16));
		try {
			this.#connection = await Connection.connect(new URL(url), {
				websocket: { enabled: false },
				webtransport: { serverCertificateHashes: [{ algorithm: "sha-256", value }] },
			});
		} catch (error) {
			this.#tell(`refused ${reason(error)}`);
			return;
		}
		this.#settled = new Promise((resolve) => setTimeout(resolve, 300));
		const version = this.#connection.version;
		this.#tell(`connected ${version}`);
		this.#connection.closed.then(
			() => this.#tell("disconnected"),
			(error) => this.#tell(`disconnected ${reason(error)}`),
		);
	}

	close() {
		this.#connection.close();
	}

	track(path, name, maxAge) {
		const broadcast = this.#broadcast(path);
		const track = broadcast.producer.createTrack(name, { latencyMax: Number(maxAge) });
		broadcast.tracks.set(name, { track });
		track.used.subscribe((used) => this.#tell(`${used ? "used" : "unused"} ${name}`));
	}

	async announce(path) {
		// What is published while the package answers an Announce stream, which comes first thing, is
		// not told before the next change.
		await this.#settled;
		this.#connection.publish(Path.from(path), this.#broadcast(path).producer);
	}

	unannounce(path) {
		this.#broadcast(path).producer.close();
		this.#broadcasts.delete(path);
	}

	group(path, name) {
		const open = this.#track(path, name);
		open.group = open.track.appendGroup();
	}

	async frame(path, name, millis, file) {
		const { group } = this.#track(path, name);
		const payload = await this.#read(file);
		group.writeFrame({ payload, timestamp: Time.Timestamp.fromMillis(Number(millis)) });
	}

	async datagram(path, name, millis, file) {
		const { track } = this.#track(path, name);
		track.appendDatagram(Time.Timestamp.fromMillis(Number(millis)), await this.#read(file));
	}

	finish_group(path, name) {
		this.#track(path, name).group.close();
	}

	finish(path, name) {
		this.#track(path, name).track.close();
	}

	watch(prefix) {
		const announced = this.#connection.announced(Path.from(prefix === "-" ? "" : prefix));
		this.#watch(announced);
	}

	async #watch(announced) {
		for (;;) {
			const event = await announced.next();
			if (event === undefined) return;
			this.#tell(`${event.active ? "+" : "-"} ${event.path}`);
		}
	}

	subscribe(id, path, name, from, maxAge, priority) {
		const broadcast = this.#connection.consume(Path.from(path));
		const startGroup = from === "newest" ? undefined : from === "oldest" ? 0 : Number(from);
		const options = { priority: Number(priority), latencyMax: Number(maxAge), startGroup };
		const track = broadcast.subscribe(name, options);
		this.#subscriptions.set(id, { track, broadcast });
		this.#follow(id, track);
		this.#followDatagrams(id, track);
	}

	async fetch(id, path, name, sequence) {
		const broadcast = this.#connection.consume(Path.from(path));
		try {
			const group = await broadcast.fetchGroup(name, Number(sequence));
			this.#followGroup(id, group);
		} catch (error) {
			this.#tell(`error ${id} ${reason(error)}`);
		}
	}

	probe() {
		this.#connection.probe.subscribe(({ estimatedRecvRate, rtt }) => {
			if (estimatedRecvRate !== undefined || rtt !== undefined) {
				this.#tell(`bandwidth ${estimatedRecvRate ?? "-"} ${rtt ?? "-"}`);
			}
		});
	}

	unsubscribe(id) {
		const { track, broadcast } = this.#subscriptions.get(id);
		track.close();
		broadcast.close();
	}

	async #follow(id, track) {
		const groups = [];
		try {
			for (;;) {
				const group = await track.recvGroup();
				if (group === undefined) break;
				groups.push(this.#followGroup(id, group));
			}
			await Promise.all(groups);
			this.#tell(`end ${id} finished`);
		} catch (error) {
			this.#tell(`error ${id} ${reason(error)}`);
		}
	}

	async #followDatagrams(id, track) {
		try {
			for (;;) {
				const datagram = await track.recvDatagram();
				if (datagram === undefined) return;
				const { sequence, payload, timestamp } = datagram;
				const hash = await sha256(payload);
				this.#tell(`datagram ${id} ${sequence} ${payload.byteLength} ${hash} ${timestamp.asMillis()}`);
			}
		} catch {
			// How the subscription ended is told by whoever reads its groups.
		}
	}

	async #followGroup(id, group) {
		this.#tell(`group ${id} ${group.sequence}`);
		try {
			for (let index = 0; ; index++) {
				const frame = await group.readFrame();
				if (frame === undefined) break;
				const { payload, timestamp } = frame;
				const hash = await sha256(payload);
				const millis = timestamp.asMillis();
				this.#tell(`frame ${id} ${group.sequence} ${index} ${payload.byteLength} ${hash} ${millis}`);
			}
			this.#tell(`end-group ${id} ${group.sequence}`);
		} catch (error) {
			this.#tell(`lost ${id} ${group.sequence} ${reason(error)}`);
		}
	}

	#broadcast(path) {
		let found = this.#broadcasts.get(path);
		if (found === undefined) {
			found = { producer: new Broadcast.Producer(), tracks: new Map() };
			this.#broadcasts.set(path, found);
		}
		return found;
	}

	#track(path, name) {
		const found = this.#broadcast(path).tracks.get(name);
		if (found === undefined) throw new Error(`there is no track ${path} ${name}`);
		return found;
	}
}

async function sha256(bytes) {
	const digest = await crypto.subtle.digest("SHA-256", bytes);
	return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function reason(error) {
	const text = error instanceof AggregateError ? error.errors.map(String).join("; ") : String(error);
	return text.replaceAll("\n", " ");
}
