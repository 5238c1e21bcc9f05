// node damage.mjs RELEASE STATEMENT: alters and cuts every file of a small release in memory and asks it. Every answer
// must be a typed error or the true answer; the module must never trap. Prints what it saw as one line of JSON.

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { open } from "../../bindings/js/src/node.js";
import { answer } from "./answers.mjs";

const [folder, statement] = process.argv.slice(2);
const names = (await readdir(folder)).sort();
const files = new Map(await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))])));
const seen = { tried: 0, refused: 0, same: 0, codes: {}, wrong: [] };

async function ask(changed) {
  let database;
  try {
    database = await open(changed);
    return await answer(database, statement);
  } catch (error) {
    if (!Number.isInteger(error.code)) throw error;
    return { error: { code: error.code } };
  } finally {
    database?.close();
  }
}

const essence = ({ rows }) => JSON.stringify(rows);
const truth = essence(await ask(files));
if (truth === undefined) throw new Error("the release does not answer even when it is whole");

async function attempt(name, what, bytes) {
  const result = await ask(new Map(files).set(name, bytes));
  seen.tried += 1;
  if (result.error) {
    seen.refused += 1;
    seen.codes[result.error.code] = (seen.codes[result.error.code] ?? 0) + 1;
    if (result.error.code >= 7000) seen.wrong.push({ name, what, code: result.error.code });
  } else if (essence(result) === truth) {
    seen.same += 1;
  } else if (name !== "release.json") {
    // The description holds names and bounds, which may be altered into other valid ones; the rest may not.
    seen.wrong.push({ name, what, answered: true });
  }
}

for (const [name, bytes] of files) {
  // Every byte of what is structure, and at least one byte of every block of what is data.
  const step = /^(heads-.*|release\.json)$/.test(name) ? 1 : 31;
  for (let place = 0; place < bytes.length; place += step) {
    const altered = bytes.slice();
    altered[place] ^= 1 << place % 8;
    await attempt(name, `byte ${place}`, altered);
  }
  for (const kept of [0, 1, 7, 8, 63, 64, bytes.length >> 1, bytes.length - 1]) {
    if (kept < bytes.length) await attempt(name, `cut to ${kept}`, bytes.slice(0, kept));
  }
}
console.log(JSON.stringify(seen));
