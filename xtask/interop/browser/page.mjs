// The page's half of the browser client: @moq/net on the browser's own WebTransport.

import { Endpoint } from "./endpoint.mjs";

const read = async (file) => {
	const response = await fetch(`/file?${encodeURIComponent(file)}`);
	return new Uint8Array(await response.arrayBuffer());
};
const endpoint = new Endpoint((line) => globalThis.tell(line), read);
globalThis.run = (line) => endpoint.run(line);
