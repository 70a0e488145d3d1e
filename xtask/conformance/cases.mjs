// What Chromium tries, in a page. Each case is a function of a session and a few helpers, which is sent there as text.

/** Runs one case in a session of its own, and tells what went wrong. */
export async function run(body, port, fingerprint) {
	const hash = Uint8Array.from(fingerprint.match(/[0-9a-f]{2}/g), (byte) => Number.parseInt(byte, 16));
	const dial = async () => {
		const session = new WebTransport(`https://127.0.0.1:${port}/room`, {
			serverCertificateHashes: [{ algorithm: "sha-256", value: hash }],
		});
		await session.ready;
		return session;
	};
	const encode = (text) => new TextEncoder().encode(text);
	const read = async (readable) => {
		const blob = await new Response(readable).blob();
		return new Uint8Array(await blob.arrayBuffer());
	};
	const text = async (readable) => new TextDecoder().decode(await read(readable));
	/** The error that a promise ends in. */
	const error = (promise) =>
		promise.then(
			() => {
				throw new Error("it did not fail");
			},
			(error) => error,
		);
	const check = (got, wanted) => {
		if (got !== wanted) throw new Error(`${got} instead of ${wanted}`);
	};
	/** A bidirectional stream that begins with this, and stays open. */
	const ask = async (session, line) => {
		const stream = await session.createBidirectionalStream();
		const writer = stream.writable.getWriter();
		await writer.write(encode(line));
		return { writer, readable: stream.readable };
	};
	/** The next stream of the server. */
	const told = async (session) => {
		const reader = session.incomingUnidirectionalStreams.getReader();
		const { value } = await reader.read();
		reader.releaseLock();
		return read(value);
	};
	const late = new Promise((_, reject) => setTimeout(() => reject(new Error("nothing for 20 s")), 20_000));
	try {
		const session = await Promise.race([dial(), late]);
		await Promise.race([body(session, { ask, check, dial, encode, error, read, text, told }), late]);
		session.close();
		return null;
	} catch (error) {
		return String(error);
	}
}

export const CASES = {
	"requests-are-answered": async (session, { check, read }) => {
		for (const size of [0, 1, 300_000, 8 << 20]) {
			const { readable, writable } = await session.createBidirectionalStream();
			const sent = new Uint8Array(size).map((_, index) => 32 + (index % 199));
			const writer = writable.getWriter();
			const [got] = await Promise.all([read(readable), writer.write(sent).then(() => writer.close())]);
			check(got.length, size);
			check(
				got.findIndex((byte, index) => byte !== 32 + (index % 199)),
				-1,
			);
		}
	},
	"streams-come-back": async (session, { check, encode, told }) => {
		for (let index = 0; index < 200; index++) {
			const writer = (await session.createUnidirectionalStream()).getWriter();
			await writer.write(encode(String(index)));
			await writer.close();
			check(new TextDecoder().decode(await told(session)), String(index));
		}
	},
	"a-reset-has-its-code": async (session, { ask, check, error, read }) => {
		for (const code of [0, 51, 4294967295]) {
			const { readable } = await ask(session, `reset ${code}\n`);
			check((await error(readable.getReader().read())).streamErrorCode, code);
		}
	},
	"a-stop-has-its-code": async (session, { ask, check, error }) => {
		for (const code of [0, 52, 4294967295]) {
			const { writer } = await ask(session, `stop ${code}\n`);
			check((await error(writer.closed)).streamErrorCode, code);
		}
	},
	"resets-are-understood": async (session, { ask, check, text, told }) => {
		// Chromium sends codes of one byte alone.
		for (const code of [0, 54, 255]) {
			const { writer } = await ask(session, "half");
			// With an answer to what follows, the server has the stream's head, which a reset would discard.
			await text((await ask(session, "last\n")).readable);
			writer.abort(new WebTransportError({ streamErrorCode: code }));
			check(new TextDecoder().decode(await told(session)), `reset ${code}`);
		}
	},
	"stops-are-understood": async (session, { ask, check, told }) => {
		for (const code of [0, 55, 255]) {
			const { readable } = await ask(session, "hold\n");
			const reader = readable.getReader();
			await reader.read();
			await reader.cancel(new WebTransportError({ streamErrorCode: code }));
			check(new TextDecoder().decode(await told(session)), `stopped ${code}`);
		}
	},
	"datagrams-come-back": async (session, { check }) => {
		const reader = session.datagrams.readable.getReader();
		const writer = session.datagrams.writable.getWriter();
		for (const size of [1, 1000]) {
			await writer.write(new Uint8Array(size).fill(7));
			const { value } = await reader.read();
			check(value.length, size);
		}
	},
	"a-close-has-code-and-reason": async (session, { ask, check }) => {
		const [end] = await Promise.all([session.closed, ask(session, "close 67 good bye\n")]);
		check(`${end.closeCode} ${end.reason}`, "67 good bye");
	},
	"a-close-is-understood": async (session, { ask, check, dial, text }) => {
		session.close({ closeCode: 68, reason: "adieu" });
		let last = "";
		for (let tries = 0; tries < 50 && last !== "68 adieu"; tries++) {
			const again = await dial();
			const { readable } = await ask(again, "last\n");
			last = await text(readable);
		}
		check(last, "68 adieu");
	},
};
