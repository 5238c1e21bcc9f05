// A trap in the module: from then on it answers nothing. A process of its own, since it does not recover.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Engine, guarded, isDead } from "../src/wasm.js";
import { open } from "../src/node.js";

const folder = process.env.PORTOLAN_TEST_RELEASE;

test("a wasm file that cannot be read is an error of the package, and the next one is tried", async () => {
  const module = () => Promise.reject(new Error("no such file"));
  await assert.rejects(open(folder, { module }), { name: "PortolanError", code: 7002, message: /no such file/ });
});

test("after a trap every call says to reload", async () => {
  const database = await open(folder);
  Engine.prototype.start = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  const reload = { name: "PortolanError", code: 7003, message: /reload/ };
  await assert.rejects(database.query("SELECT id FROM tiny"), reload);
  await assert.rejects(database.query("SELECT id FROM tiny"), reload);
  await assert.rejects(open(folder), reload);
  assert.throws(() => guarded(() => 1), reload);
  assert.ok(isDead());
  database.close();
});
