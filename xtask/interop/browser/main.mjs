// @moq/net in Chromium: commands on stdin, events on stdout.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

// WebTransport and hashing are for secure contexts only; loopback counts as one.
const script = fileURLToPath(new URL("page.js", import.meta.url));
const server = createServer(async (request, response) => {
	try {
		const { pathname, search } = new URL(request.url, "http://localhost");
		if (pathname === "/file") response.end(await readFile(decodeURIComponent(search.slice(1))));
		else if (pathname === "/page.js") response.end(await readFile(script));
		else response.setHeader("content-type", "text/html").end("<script src=page.js></script>");
	} catch (error) {
		response.writeHead(404).end(String(error));
	}
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM,
	args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
try {
	const page = await browser.newPage();
	page.on("console", (message) => console.error(message.text()));
	page.on("pageerror", (error) => console.error("page error", error));
	await page.exposeFunction("tell", (line) => process.stdout.write(`${line}\n`));
	await page.goto(`http://127.0.0.1:${server.address().port}/`);
	for await (const line of createInterface({ input: process.stdin })) {
		await page.evaluate((line) => globalThis.run(line), line);
	}
} finally {
	await browser.close();
}
process.exit(0);
