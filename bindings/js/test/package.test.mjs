// What the package promises about its host side: transfers, errors, closing. PORTOLAN_TEST_RELEASE names the folder of
// a release with the collection `tiny` of 40 records in 8 dimensions; `node --test` runs this.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { open, PortolanError } from "../src/node.js";
import { open as openSlim } from "../src/slim.js";

const folder = process.env.PORTOLAN_TEST_RELEASE;
const base = "https://example.org/r/";
const search = "SELECT id, distance FROM tiny USING EMBEDDING (VECTOR [1, 0, 2, 0.5, 1, 0, 1, 2]) TOPK 5";
const files = Object.fromEntries(
  await Promise.all((await readdir(folder)).map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))])),
);

/** A server in the place of `fetch`; `change` may replace the response to a request for a file. */
function server(change = () => undefined) {
  const requests = [];
  const fetch = async (url, { headers = {}, signal } = {}) => {
    const name = decodeURIComponent(new URL(url).pathname.split("/").pop());
    const [, start, end] = headers.Range?.match(/bytes=(\d+)-(\d+)/)?.map(Number) ?? [];
    requests.push({ name, start, end });
    await new Promise((resolve) => setTimeout(resolve, 1));
    signal?.throwIfAborted();
    const changed = await change({ name, start, end, signal });
    if (changed) return changed;
    if (!files[name]) return new Response("no", { status: 404, statusText: "Not Found" });
    if (start === undefined) return new Response(files[name]);
    return new Response(files[name].slice(start, end + 1), { status: 206 });
  };
  return { fetch, requests };
}

const code = (number, pattern = /./) => (error) =>
  error instanceof PortolanError && error.code === number && pattern.test(error.message);

test("a path, a file URL, memory and a server give the same rows", async () => {
  const answers = [];
  for (const [release, options] of [
    [folder, {}],
    [pathToFileURL(folder), {}],
    [pathToFileURL(folder).href, {}],
    [files, {}],
    [new Map(Object.entries(files).map(([name, bytes]) => [name, bytes.slice().buffer])), {}],
    [base, server()],
    [`${base}release.json`, server()],
  ]) {
    const database = await open(release, options);
    answers.push((await database.query(search)).rows);
    database.close();
  }
  assert.equal(answers[0].length, 5);
  for (const rows of answers) assert.deepEqual(rows, answers[0]);
});

// An address that ended in release.json used to get a double slash, which most servers take for another folder.
test("a folder's URL may lack its slash, name release.json, and carry a query", async () => {
  for (const [url, query] of [
    ["https://example.org/r", ""],
    ["https://example.org/r/", ""],
    ["https://example.org/r/release.json", ""],
    ["https://example.org/r/release.json?token=1", "?token=1"],
    ["https://example.org/r?token=1#top", "?token=1"],
  ]) {
    const asked = [];
    const { fetch } = server();
    const database = await open(url, { fetch: (url, options) => asked.push(url) && fetch(url, options) });
    await database.query(search);
    const folder = new Set(asked.map((url) => url.replace(/[^/]+$/, "")));
    assert.deepEqual([...folder], ["https://example.org/r/"], url);
    assert.ok(asked.every((url) => new URL(url).search === query), asked.join("\n"));
  }
});

test("collections are described without asking the server", async () => {
  const { fetch, requests } = server();
  const database = await open(base, { fetch });
  const [tiny] = database.collections();
  assert.deepEqual([tiny.name, tiny.rows, tiny.dimension, tiny.metric, tiny.embedder], ["tiny", 40, 8, "l2", null]);
  assert.ok(tiny.fields.some(({ path, type }) => path === "senses" && type === "int"));
  assert.deepEqual(requests.map(({ name }) => name), ["release.json"]);
});

test("bytes are asked for once, also by statements at the same time", async () => {
  const { fetch, requests } = server();
  const database = await open(base, { fetch });
  await Promise.all([database.query(search), database.query(search), database.query(search)]);
  const keys = requests.map(({ name, start, end }) => `${name} ${start} ${end}`);
  assert.equal(new Set(keys).size, keys.length, keys.join("\n"));
  const again = await database.query(search);
  assert.deepEqual([again.waves, again.transfer], [0, { requests: 0, bytes: 0 }]);
});

test("a server that ignores Range sends each file once", async () => {
  const { fetch, requests } = server(({ name }) => files[name] && new Response(files[name]));
  const database = await open(base, { fetch });
  const { rows, transfer } = await database.query(search);
  assert.deepEqual([rows.length, transfer.requests], [5, requests.length - 1]);
  assert.ok((await database.query("SELECT * FROM tiny WHERE metadata.senses > 1")).rows.length > 0);
  assert.equal(new Set(requests.map(({ name }) => name)).size, requests.length, JSON.stringify(requests));
});

test("a store of ranges takes the place of the network", async () => {
  const cache = new Map();
  const first = await open(base, { ...server(), cache });
  const { rows } = await first.query(search);
  const { fetch, requests } = server();
  const second = await open(base, { fetch, cache });
  const answer = await second.query(search);
  assert.deepEqual([answer.rows, answer.transfer], [rows, { requests: 0, bytes: 0 }]);
  assert.deepEqual(requests.map(({ name }) => name), ["release.json"]);
});

// Whole files used to be kept under the key of the range that had been asked for.
test("a store of ranges serves a release whose server ignores Range", async () => {
  const whole = () => server(({ name }) => files[name] && new Response(files[name]));
  const cache = new Map();
  const { rows } = await (await open(base, { ...whole(), cache })).query(search);
  const { fetch, requests } = whole();
  assert.deepEqual((await (await open(base, { fetch, cache })).query(search)).rows, rows);
  assert.deepEqual(requests.map(({ name }) => name), ["release.json"]);
});

// The engine would ask for the missing bytes again, and get the same ones, without end.
test("entries of the wrong length are fetched again", { timeout: 10_000 }, async () => {
  const cache = new Map();
  const { rows } = await (await open(base, { ...server(), cache })).query(search);
  for (const [key, bytes] of cache) cache.set(key, bytes.slice(1));
  assert.deepEqual((await (await open(base, { ...server(), cache })).query(search)).rows, rows);
});

test("a store that fails costs nothing but its use", async () => {
  const cache = {
    get: async () => Promise.reject(new Error("no database")),
    set: () => {
      throw new Error("QuotaExceededError");
    },
  };
  const database = await open(base, { ...server(), cache });
  assert.equal((await database.query(search)).rows.length, 5);
});

// A download that was damaged on its way used to stay in the store: the release could never be asked again.
test("damaged bytes do not stay in the store", async () => {
  let damaged = true;
  const change = ({ name, start, end }) =>
    damaged && name === "tiny.portolan" ? new Response(new Uint8Array(end + 1 - start), { status: 206 }) : undefined;
  const cache = new Map();
  await assert.rejects((await open(base, { ...server(change), cache })).query(search), code(4006));
  damaged = false;
  assert.equal((await (await open(base, { ...server(change), cache })).query(search)).rows.length, 5);
});

// The engine used to keep the damaged bytes, and every later statement failed without asking the server again.
test("after damage the next statement fetches again, past the browser's cache", async () => {
  let damaged = true;
  const { fetch } = server(({ name, start, end }) =>
    damaged && name === "tiny.portolan" ? new Response(new Uint8Array(end + 1 - start), { status: 206 }) : undefined,
  );
  const modes = [];
  const database = await open(base, { fetch: (url, options) => modes.push(options.cache) && fetch(url, options) });
  const heads = await database.query("SELECT id FROM tiny LIMIT 0");
  assert.equal(heads.rows.length, 0);
  await assert.rejects(database.query(search), code(4006));
  damaged = false;
  modes.length = 0;
  assert.equal((await database.query(search)).rows.length, 5);
  assert.deepEqual([...new Set(modes)], ["reload"]);
});

test("a statement beside one that meets damage still gets its answer", async () => {
  let replies = 0;
  const { fetch } = server(({ name, start, end }) => {
    if (name !== "tiny.portolan" || (replies += 1) > 1) return undefined;
    return new Response(new Uint8Array(end + 1 - start), { status: 206 });
  });
  const database = await open(base, { fetch });
  const ends = await Promise.allSettled([search, `${search} LIMIT 3`, "SELECT id FROM tiny"].map((sql) => database.query(sql)));
  for (const { value, reason } of ends) assert.ok(value ? value.rows.length > 0 : reason.code === 4006, reason);
  assert.ok(ends.some(({ value }) => value), "nobody was answered");
  assert.equal((await database.query(search)).rows.length, 5);
});

test("a missing file names its URL and status", async () => {
  const gone = server(({ name }) => (name.startsWith("heads") ? new Response("", { status: 404 }) : undefined));
  const database = await open(base, gone);
  await assert.rejects(database.query(search), code(7001, /https:\/\/example\.org\/r\/heads-.*HTTP 404/));
  await assert.rejects(open(`${base}nowhere/`, { fetch: async () => new Response("", { status: 503 }) }), code(7001, /503/));
  const refused = async () => {
    throw new TypeError("fetch failed");
  };
  await assert.rejects(open(base, { fetch: refused }), code(7001, /example\.org.*fetch failed/));
});

test("a page of HTML in the place of release.json is refused", async () => {
  const fetch = async () => new Response("<!doctype html>");
  await assert.rejects(open(base, { fetch }), code(4008));
});

test("a release of another version says so, and which side is too old", async () => {
  const text = new TextDecoder().decode(files["release.json"]).replace('"layout":1', '"layout":7');
  const unsupported = (pattern) => (error) => code(4002, pattern)(error) && error.kind === "unsupported";
  await assert.rejects(open({ ...files, "release.json": new TextEncoder().encode(text) }), unsupported(/format 7.*upgrade/));
  const name = Object.keys(files).find((name) => name.startsWith("heads"));
  const heads = files[name].slice();
  heads[10] = 9; // the oldest reader that may open the first snapshot: docs/format.md
  const database = await open({ ...files, [name]: heads });
  await assert.rejects(database.query(search), unsupported(/format 9.*upgrade/));
});

test("short, long and unsatisfiable answers are refused as damage", async () => {
  for (const reply of [
    () => new Response(new Uint8Array(3), { status: 206 }),
    () => new Response(new Uint8Array(3)),
    () => new Response("", { status: 416 }),
  ]) {
    const { fetch } = server(({ name }) => (name === "tiny.portolan" ? reply() : undefined));
    const database = await open(base, { fetch });
    await assert.rejects(database.query(search), code(4005, /tiny\.portolan/));
  }
});

test("an answer of another range or another file's length says so", async () => {
  const reply = (range, length) => new Response(new Uint8Array(length), { status: 206, headers: { "content-range": range } });
  for (const [range, refused] of [
    [(start, end) => `bytes ${start + 64}-${end + 64}/${files["tiny.portolan"].length}`, code(7001, /got \d+-\d+/)],
    [(start, end) => `bytes ${start}-${end}/9999999`, code(4005, /9999999/)],
    [(start, end) => `bytes ${start}-${end}/*`, code(4006)],
  ]) {
    const { fetch } = server(({ name, start, end }) =>
      name === "tiny.portolan" ? reply(range(start, end), end + 1 - start) : undefined,
    );
    await assert.rejects((await open(base, { fetch })).query(search), refused);
  }
});

test("wrong bytes of the right length are refused", async () => {
  const { fetch } = server(({ name, start, end }) =>
    name === "tiny.portolan" ? new Response(new Uint8Array(end + 1 - start), { status: 206 }) : undefined,
  );
  const database = await open(base, { fetch });
  await assert.rejects(database.query(search), code(4006));
});

test("missing and cut files are refused as native code refuses them", async () => {
  const { "tiny.portolan": tiny, ...rest } = files;
  await assert.rejects(open(rest).then((database) => database.query(search)), code(2004, /tiny\.portolan/));
  const cut = { ...rest, "tiny.portolan": tiny.slice(0, -1) };
  await assert.rejects(open(cut).then((database) => database.query(search)), code(4005));
  await assert.rejects(open({}), code(2004, /release\.json/));
  await assert.rejects(open(join(folder, "nowhere")), code(5001, /nowhere/));
});

test("an aborted statement throws the reason and leaves the database usable", async () => {
  const { fetch } = server();
  const database = await open(base, { fetch });
  const reason = new Error("changed my mind");
  const controller = new AbortController();
  const aborted = database.query(search, { signal: controller.signal });
  const kept = database.query(search);
  controller.abort(reason);
  await assert.rejects(aborted, reason);
  await assert.rejects(database.query(search, { signal: controller.signal }), reason);
  assert.equal((await kept).rows.length, 5);
});

test("an aborted opening opens nothing, wherever the release is", async () => {
  const reason = new Error("changed my mind");
  for (const release of [files, folder, base]) {
    await assert.rejects(open(release, { ...server(), signal: AbortSignal.abort(reason) }), reason);
  }
});

test("a transfer that nobody waits for is stopped", async () => {
  let stopped = false;
  const { fetch } = server(async ({ name, signal }) => {
    if (!name.startsWith("heads")) return undefined;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    stopped = true;
    return signal.throwIfAborted();
  });
  const database = await open(base, { fetch });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(database.query(search, { signal: controller.signal }), { name: "AbortError" });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(stopped);
});

test("an error in the statement has code, kind and place", async () => {
  const database = await open(files);
  await assert.rejects(database.query("SELECT id\nFORM tiny"), (error) => {
    assert.deepEqual([error.name, error.code, error.kind, error.line, error.column], ["PortolanError", 1001, "usage", 2, 1]);
    return true;
  });
  await assert.rejects(database.query("SELECT id FROM tyni"), code(2001, /tiny/));
});

// The examples doubled quotes only: a backslash before one ended the literal.
test("JSON.stringify makes a literal of any text", async () => {
  const database = await open(files);
  for (const text of ["it's", "a\\", "\\'", '"', "a\nb\t\0\u2028\u007f", "') TOPK 1 --", "é🦀"]) {
    const { rows } = await database.query(`SELECT id FROM tiny WHERE id = ${JSON.stringify(text)}`);
    assert.deepEqual(rows, [], text);
  }
  const { rows } = await database.query(`SELECT id FROM tiny WHERE id = ${JSON.stringify("t003")}`);
  assert.deepEqual(rows, [{ id: "t003" }]);
});

test("wrong arguments are refused and harm nothing", async () => {
  const database = await open(files);
  await assert.rejects(database.query(undefined), code(7005));
  await assert.rejects(database.query({}), code(7005));
  await assert.rejects(open(), code(7005));
  await assert.rejects(open({ "release.json": "text" }), code(7005));
  await assert.rejects(open(new Uint8Array(3)), code(7005, /object of names/));
  await assert.rejects(open("file://elsewhere/r"), code(7005, /elsewhere/));
  await assert.rejects(open(new URL("blob:https://example.org/0")), code(7005, /blob/));
  await assert.rejects(openSlim(base), code(7005, /module/));
  await assert.rejects(openSlim("r/", { module: new Uint8Array() }), code(7005, /r\/ .*URL/));
  assert.equal((await database.query(search)).rows.length, 5);
});

test("a closed database says so; closing twice is fine", async () => {
  const { fetch } = server();
  const database = await open(base, { fetch });
  const under_way = database.query(search);
  database.close();
  database.close();
  await assert.rejects(under_way, code(7004));
  await assert.rejects(database.query(search), code(7004));
});

test("closing stops the transfers under way", async () => {
  let stopped = 0;
  const { fetch } = server(async ({ name, signal }) => {
    if (!name.startsWith("heads")) return undefined;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    stopped += 1;
    throw new DOMException("stopped", "AbortError");
  });
  const database = await open(base, { fetch });
  const under_way = database.query(search);
  const refused = assert.rejects(under_way, code(7004));
  await new Promise((resolve) => setTimeout(resolve, 10));
  database.close();
  await refused;
  assert.equal(stopped, 1);
});

test("the slim entry takes the module as bytes", async () => {
  const module = await readFile(new URL("../pkg/portolan_bg.wasm", import.meta.url));
  const database = await openSlim(files, { module });
  assert.equal((await database.query(search)).rows.length, 5);
});

test("the package's name leads to the entries that its types describe", async () => {
  const names = (types) => [...types.matchAll(/^export declare (?:class|function|const) (\w+)/gm)].map(([, name]) => name).sort();
  const types = (name) => readFile(new URL(`../${name}`, import.meta.url), "utf8").then(names);
  assert.deepEqual(Object.keys(createRequire(import.meta.url)("portolan")), await types("index.d.cts"));
  assert.deepEqual(Object.keys(await import("portolan")).sort(), await types("index.d.ts"));
  assert.deepEqual(Object.keys(await import("portolan/slim")).sort(), await types("index.d.ts"));
});

test("CommonJS can open", async () => {
  const { open } = createRequire(import.meta.url)("portolan");
  assert.equal((await (await open(folder)).query(search)).row_ids.length, 5);
});

test("memory is given back", async () => {
  const rounds = async () => {
    for (let round = 0; round < 300; round += 1) {
      const database = await open(files);
      await database.query(search);
      database.close();
    }
  };
  await rounds();
  const { initSync } = await import("../pkg/portolan.js");
  const before = initSync().memory.buffer.byteLength;
  await rounds();
  assert.equal(initSync().memory.buffer.byteLength, before);
});
