// What a statement can be asked with: parameters, pages, a router, the host's own embedder, answers that lack a collection.
// PORTOLAN_TEST_RELEASE is as in package.test.mjs; PORTOLAN_TEST_PAIR holds `left` and `right`, each with the same records.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { open, PortolanError } from "../src/node.js";

const [folder, pairFolder] = [process.env.PORTOLAN_TEST_RELEASE, process.env.PORTOLAN_TEST_PAIR];
const tiny = await open(folder);
const pair = await open(pairFolder);
const vector = [1, 0, 2, 0.5, 1, 0, 1, 2];
const nearest = "SELECT id, distance FROM tiny USING EMBEDDING (VECTOR ?) TOPK 5";

const code = (number, pattern = /./) => (error) =>
  error instanceof PortolanError && error.code === number && pattern.test(error.message);

/** The rows for a condition with parameters, which must be those for the condition without. */
async function same(condition, params, literal) {
  const ids = async (where, options) => (await tiny.query(`SELECT id FROM tiny WHERE ${where}`, options)).row_ids;
  const expected = await ids(literal, {});
  assert.deepEqual(await ids(condition, { params }), expected, literal);
  return expected.length;
}

test("a value of every type takes the place of its literal", async () => {
  const found = [
    await same("id = ?", ["t003"], "id = 't003'"),
    await same("metadata.senses > ?", [1], "metadata.senses > 1"),
    await same("metadata.senses > ?", [1n], "metadata.senses > 1"),
    await same("metadata.gloss.weight < :most", { most: 6.25 }, "metadata.gloss.weight < 6.25"),
    await same("metadata.gloss.long = ?", [true], "metadata.gloss.long = TRUE"),
    await same("metadata.seen > ?", [new Date("1972-06-01T00:00:00Z")], "metadata.seen > '1972-06-01'"),
    await same("metadata.seen < ?", [new Date(8.64e15)], "metadata.seen IS NOT NULL"),
    await same("metadata.seen IN ?", [[new Date(0), null]], "metadata.seen IN ('1970-01-01', NULL)"),
    await same("id IN ?", [["t001", "t002", "nobody"]], "id IN ('t001', 't002', 'nobody')"),
    await same("metadata.senses IN (?, ?)", [[1n, 2], 3], "metadata.senses IN (1, 2, 3)"),
    await same("metadata.senses < ? OR id = ?", [2 ** 63, "x"], "metadata.senses < 9223372036854775808.0 OR id = 'x'"),
    await same("metadata.senses > ? OR id = ?", [-(2n ** 63n), undefined], "metadata.senses > -9223372036854775808"),
    await same("metadata.words CONTAINS ANY :words", { words: ["dog", "able"] }, "metadata.words CONTAINS ANY ('dog', 'able')"),
  ];
  assert.ok(found.filter((rows) => rows > 0).length > 8, String(found));
  assert.equal(await same("metadata.senses = ?", [null], "metadata.senses = NULL"), 0);
});

test("vectors are typed arrays or lists", async () => {
  const { rows } = await tiny.query(nearest.replace("?", JSON.stringify(vector)));
  assert.equal(rows.length, 5);
  for (const given of [vector, new Float32Array(vector), new Float64Array(vector), vector.map((n) => (n === 2 ? 2n : n))]) {
    assert.deepEqual((await tiny.query(nearest, { params: [given] })).rows, rows);
  }
  const third = new Float32Array([1 / 3, 0, 0, 0, 0, 0, 0, 0]);
  const written = await tiny.query(nearest.replace("?", `[${[...third].join(", ")}]`));
  assert.deepEqual((await tiny.query(nearest, { params: [third] })).rows, written.rows);
});

test("whatever is in a text, it is a text", async () => {
  for (const text of ["' OR 1 = 1 --", "a\\", "\\'", '"', "a\nb\t\0\u2028\u007f", "é🦀", "__proto__", ":id", "?"]) {
    assert.equal(await same("id = ?", [text], `id = ${JSON.stringify(text)}`), 0);
    const { rows } = await tiny.query("SELECT id FROM tiny WHERE id = :text", { params: { text } });
    assert.deepEqual(rows, []);
  }
  assert.equal((await tiny.query("SELECT id FROM tiny WHERE id = :__proto__", { params: JSON.parse('{"__proto__": "t003"}') })).rows.length, 1);
});

test("what is no value is refused with its place", async () => {
  for (const [params, pattern] of [
    [[1, Number.NaN], /parameter 2 is NaN/],
    [{ n: Infinity }, /parameter :n is Infinity/],
    [[2n ** 63n], /parameter 1 does not fit a 64-bit integer/],
    [[[1, 2n ** 64n]], /item of parameter 1 does not fit/],
    [[new Date("nonsense")], /parameter 1 is an invalid date/],
    [[{}], /parameter 1 is of the type Object/],
    [[new Map()], /parameter 1 is of the type Map/],
    [[() => 1], /parameter 1 is of the type function/],
    [[Symbol("x")], /parameter 1 is of the type symbol/],
    [[new Uint8Array(8)], /parameter 1 is of the type Uint8Array/],
    [[[[1]]], /item of parameter 1 is of the type Array/],
    [["\ud800"], /parameter 1 holds half of a surrogate pair/],
    [[new Float32Array([Number.NaN])], /number of parameter 1 is NaN/],
    [[new Float64Array([1e300])], /parameter 1 is no list of numbers that fit 32 bits/],
    [[new Float32Array()], /parameter 1 is no list of numbers/],
    ["t003", /an array for \?/],
    [new Float32Array(8), /an array for \?/],
  ]) {
    await assert.rejects(tiny.query("SELECT id FROM tiny WHERE id = ?", { params }), code(7005, pattern));
  }
});

test("parameters that do not belong to the statement are its errors, with their place", async () => {
  for (const [params, number] of [[undefined, 1130], [[], 1130], [["a", "b"], 1131], [{ a: "a" }, 1130], [[["a"]], 1132]]) {
    await assert.rejects(tiny.query("SELECT id FROM tiny\nWHERE id = ?", { params }), (error) => {
      assert.deepEqual([error.code, error.kind, error.line], [number, "usage", 2], String(error));
      return true;
    });
  }
});

test("options that query does not have are refused", async () => {
  for (const [options, pattern] of [
    [{ param: [] }, /no option param/],
    [{ timeout: 5 }, /no option timeout/],
    [{ strict: "no" }, /strict/],
    [{ embed: {} }, /embed is a function/],
    [{ router: [] }, /router is a function/],
    [null, /object/],
  ]) {
    await assert.rejects(tiny.query("SELECT id FROM tiny", options), code(7005, pattern));
  }
});

test("pages follow each other by their cursors", async () => {
  const all = (await tiny.query(nearest.replace("TOPK 5", "TOPK 40"), { params: [vector] })).row_ids;
  const sql = "SELECT id, distance FROM tiny USING EMBEDDING (VECTOR :v) LIMIT 7";
  let page = await tiny.query(sql, { params: { v: vector } });
  const ids = [...page.row_ids];
  for (let pages = 1; page.cursor !== undefined && pages < 9; pages += 1) {
    page = await tiny.query(`${sql} AFTER :after`, { params: { v: vector, after: page.cursor } });
    ids.push(...page.row_ids);
  }
  assert.deepEqual(ids, all);
  assert.equal(page.cursor, undefined);
  const { cursor } = await tiny.query(sql, { params: { v: vector } });
  await assert.rejects(tiny.query(`${sql} AFTER ?`.replace("tiny", "*").replace(":v", "?"), { params: [vector, cursor] }), code(1134));
});

test("a batch gives a set of rows for each question, a group has no id", async () => {
  const batch = "SELECT item, id FROM tiny USING EMBEDDING BATCH (VECTOR ?, VECTOR ?) TOPK 3";
  const { rows, sets, notes } = await tiny.query(batch, { params: [vector, vector.toReversed?.() ?? [...vector].reverse()] });
  assert.deepEqual(sets, [{ item: 0, first: 0, rows: 3 }, { item: 1, first: 3, rows: 3 }]);
  assert.deepEqual(rows.map(({ item }) => item), [0, 0, 0, 1, 1, 1]);
  assert.deepEqual(notes, []);
  const groups = await tiny.query("SELECT metadata.pos, COUNT(*) AS n FROM tiny GROUP BY metadata.pos");
  assert.deepEqual(groups.row_ids, groups.rows.map(() => null));
  assert.equal(groups.rows.reduce((sum, { n }) => sum + n, 0), 40);
});

test("EXPLAIN ANALYZE tells times", async () => {
  const answer = await tiny.query(`EXPLAIN ANALYZE ${nearest}`, { params: [vector] });
  assert.equal(answer.rows.length, 5);
  assert.match(answer.explanation, /executed: 5 rows/);
  assert.ok(answer.plan.executed.micros > 0, JSON.stringify(answer.plan.executed));
  assert.ok(answer.collections.asked[0].micros >= 0);
});

test("the host's embedder makes the vectors of texts that the release cannot embed", async () => {
  const text = "SELECT id, distance FROM tiny USING EMBEDDING (TEXT ? MODEL 'mine') TOPK 5";
  await assert.rejects(tiny.query(text, { params: ["a dog"] }), code(2005));
  const { rows } = await tiny.query(nearest, { params: [vector] });
  for (const given of [vector, new Float32Array(vector), Promise.resolve(new Float64Array(vector))]) {
    const asked = [];
    const embed = (...what) => asked.push(what) && given;
    assert.deepEqual((await tiny.query(text, { params: ["a dog"], embed })).rows, rows);
    assert.deepEqual(asked, [["a dog", "mine"]]);
  }
});

test("each text is embedded once, whatever the number of collections", async () => {
  const asked = [];
  const embed = async (what, model) => {
    asked.push([what, model]);
    return what === "a" ? vector : [...vector].reverse();
  };
  const sql = "SELECT item, id FROM * USING EMBEDDING BATCH (TEXT 'a', TEXT 'b', TEXT 'a', VECTOR ?) TOPK 2";
  const { sets } = await pair.query(sql, { params: [vector], embed });
  assert.deepEqual([asked, sets.length], [[["a", null], ["b", null]], 4]);
  assert.equal((await pair.query("SELECT id FROM *", { embed: () => assert.fail("there is no text") })).rows.length, 80);
});

test("an embedder that fails fails the statement", async () => {
  const sql = "SELECT id FROM tiny USING EMBEDDING (TEXT 'a')";
  const broken = new Error("the model is not loaded");
  await assert.rejects(tiny.query(sql, { embed: async () => Promise.reject(broken) }), broken);
  for (const [given, number] of [[undefined, 7005], ["text", 7005], [[], 7005], [["1"], 7005], [[1, Number.NaN], 7005], [[1, 2], 3001]]) {
    await assert.rejects(tiny.query(sql, { embed: () => given }), code(number));
  }
});

test("a statement stops waiting for the host's functions when it is aborted", async () => {
  const reason = new Error("changed my mind");
  const sql = "SELECT id FROM tiny USING EMBEDDING (TEXT 'a')";
  for (const option of ["embed", "router"]) {
    const controller = new AbortController();
    const never = () => new Promise(() => queueMicrotask(() => controller.abort(reason)));
    await assert.rejects(tiny.query(sql, { [option]: never, signal: controller.signal }), reason);
    const at_once = new AbortController();
    const abort = () => at_once.abort(reason) ?? (option === "embed" ? vector : ["tiny"]);
    await assert.rejects(tiny.query(sql, { [option]: abort, signal: at_once.signal }), reason);
  }
});

test("a router chooses among the collections that FROM stands for", async () => {
  const sql = "SELECT collection, id FROM * LIMIT 50";
  for (const chosen of [["right"], new Set(["right", "elsewhere"]), Promise.resolve(["right"])]) {
    const asked = [];
    const { rows, collections } = await pair.query(sql, { router: (names) => asked.push(names) && chosen });
    assert.deepEqual(asked, [["left", "right"]]);
    assert.deepEqual([...new Set(rows.map(({ collection }) => collection))], ["right"]);
    assert.deepEqual(collections.skipped, [{ name: "left", reason: "the router does not name it" }]);
  }
  for (const chosen of [undefined, "right", [1], 5]) {
    await assert.rejects(pair.query(sql, { router: () => chosen }), code(7005, /router/));
  }
  const refused = new Error("not today");
  const router = () => {
    throw refused;
  };
  await assert.rejects(pair.query(sql, { router }), refused);
});

test("an answer that is not strict says which collection it lacks, and the next one fetches again", async () => {
  const names = await readdir(pairFolder);
  const files = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(pairFolder, name))])));
  let damaged = true;
  const fetch = async (url, { headers = {} } = {}) => {
    const name = new URL(url).pathname.split("/").pop();
    const [, start, end] = headers.Range?.match(/(\d+)-(\d+)/)?.map(Number) ?? [];
    if (start === undefined) return new Response(files[name]);
    const bytes = new Uint8Array(files[name].slice(start, end + 1));
    return new Response(damaged && name === "left.portolan" ? bytes.fill(7) : bytes, { status: 206 });
  };
  const database = await open("https://example.org/r/", { fetch });
  const sql = "SELECT collection, id FROM * USING EMBEDDING (VECTOR ?) TOPK 80";
  await assert.rejects(database.query(sql, { params: [vector] }), code(4006));
  const { rows, collections } = await database.query(sql, { params: [vector], strict: false });
  assert.equal(rows.length, 40);
  assert.deepEqual(collections.failed.map(({ name, code }) => [name, code]), [["left", 4006]]);
  assert.match(collections.failed[0].message, /left\.portolan/);
  damaged = false;
  assert.equal((await database.query(sql, { params: [vector] })).rows.length, 80);
});
