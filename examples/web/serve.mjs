// A web server for the example: files of this folder with byte ranges, on this machine only.
//   node examples/web/serve.mjs [port]   then open http://localhost:8080/examples/web/

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
const port = Number(process.argv[2] ?? 8080);

/** The file that a URL names, inside this folder; undefined for what is no URL. */
function fileOf(url) {
  try {
    const path = normalize(decodeURIComponent(new URL(url, "http://localhost").pathname));
    return join(process.cwd(), path.replace(/\/$/, "/index.html"));
  } catch {
    return undefined;
  }
}

createServer(async (request, response) => {
  const file = fileOf(request.url);
  if (file === undefined) return response.writeHead(400).end();
  const size = await stat(file).then((info) => (info.isFile() ? info.size : undefined), () => undefined);
  if (size === undefined) return response.writeHead(404).end();
  const headers = { "content-type": types[extname(file)] ?? "application/octet-stream", "accept-ranges": "bytes" };
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  if (first === undefined) return createReadStream(file).pipe(response.writeHead(200, { ...headers, "content-length": size }));
  const [start, end] = [Number(first), Math.min(last === "" ? Infinity : Number(last), size - 1)];
  if (start > end) return response.writeHead(416, { "content-range": `bytes */${size}` }).end();
  response.writeHead(206, { ...headers, "content-length": end - start + 1, "content-range": `bytes ${start}-${end}/${size}` });
  createReadStream(file, { start, end }).pipe(response);
}).listen(port, "localhost", () => console.log(`http://localhost:${port}/examples/web/`));
