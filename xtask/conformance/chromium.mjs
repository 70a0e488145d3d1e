// Chromium for `cargo xtask conformance`, against one server on loopback.
//
//     chromium.mjs PORT BACKEND FINGERPRINT [WORD] [quick]
//
// tells `ok BACKEND NAME` or `not ok BACKEND NAME: WHY` for each case whose name contains the word, and at last
// `done`. CHROMIUM names the browser.

import { createServer } from "node:http";

import { chromium } from "playwright-core";

import { CASES, run } from "./cases.mjs";

const [port, backend, fingerprint, word = ""] = process.argv.slice(2);

// What comes out either way, and why that stays.
const UNSURE = {
	"quinn chromium/a-close-has-code-and-reason": "the connection may be lost before Chromium has read the capsule",
};

// WebTransport is for secure contexts only; loopback counts as one.
const pages = createServer((_request, response) => {
	response.setHeader("content-type", "text/html").end("<title>conformance</title>");
});
await new Promise((resolve) => pages.listen(0, "127.0.0.1", resolve));
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM,
	args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
try {
	const page = await browser.newPage();
	await page.goto(`http://127.0.0.1:${pages.address().port}/`);
	for (const [name, body] of Object.entries(CASES)) {
		const full = `chromium/${name}`;
		if (!full.includes(word)) continue;
		const unsure = UNSURE[`${backend} ${full}`];
		if (unsure) {
			console.log(`ok ${backend} ${full} # SKIP ${unsure}`);
			continue;
		}
		const why = await page.evaluate(`(${run})(${body}, ${port}, ${JSON.stringify(fingerprint)})`);
		console.log(why ? `not ok ${backend} ${full}: ${why}` : `ok ${backend} ${full}`);
	}
	console.log("done");
} finally {
	await browser.close();
}
process.exit(0);
