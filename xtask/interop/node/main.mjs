// @moq/net under Node, with WebTransport from @moq/web-transport: commands on stdin, events on stdout.

import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

// Node 20 lacks it.
Promise.withResolvers ??= () => {
	let resolve;
	let reject;
	const promise = new Promise((a, b) => {
		resolve = a;
		reject = b;
	});
	return { promise, resolve, reject };
};

// Only events belong on stdout.
console.log = console.debug = console.info = console.warn = console.error;

const { install } = await import("@moq/web-transport");
install();
const { Endpoint } = await import("./endpoint.mjs");

const endpoint = new Endpoint(
	(line) => process.stdout.write(`${line}\n`),
	async (file) => new Uint8Array(await readFile(file)),
);
process.on("unhandledRejection", (error) => console.error("unhandled rejection", error));
for await (const line of createInterface({ input: process.stdin })) {
	await endpoint.run(line);
}
process.exit(0);
