// The one wasm instance of this page, worker or process: loading it, and calling it so that a trap is noticed.

import init, { Engine } from "../pkg/portolan.js";
import { PortolanError, notLoaded, stopped } from "./error.js";

export { Engine };

let loading;
let dead;

/** Loads the module once; later calls wait for the first and ignore their own `module`. */
export async function load(module) {
  if (dead) throw dead;
  const mine = (loading ??= start(module));
  try {
    await mine;
  } catch (error) {
    // Another call may have begun anew: a second instance beside its own would mix up their memories.
    if (loading === mine) loading = undefined;
    throw error;
  }
}

async function start(module) {
  let source;
  try {
    source = await (typeof module === "function" ? module() : module);
  } catch (error) {
    throw notLoaded(`the wasm file cannot be read: ${reason(error)}`, error);
  }
  if (typeof source === "string" || source instanceof URL) source = await download(source);
  try {
    await init({ module_or_path: source });
  } catch (error) {
    throw notLoaded(`WebAssembly did not start: ${reason(error)}`, error);
  }
}

async function download(url) {
  const fail = (what, cause) => notLoaded(`${url}: ${what}; the wasm file must be served with the package`, cause);
  const response = await fetch(url).catch((cause) => {
    throw fail(cause.message, cause);
  });
  if (!response.ok) throw fail(`HTTP ${response.status}`);
  return response;
}

function reason(error) {
  const text = String(error?.message ?? error);
  if (/content.security.policy|\bCSP\b|unsafe-eval/i.test(text)) {
    return `the page's Content-Security-Policy forbids it; add 'wasm-unsafe-eval' to script-src (${text})`;
  }
  if (/simd/i.test(text)) return `this engine has no 128-bit SIMD; use one from 2023 or later (${text})`;
  return text;
}

/** Runs one call into the module. What is thrown without a number is a trap: from then on nothing is answered. */
export function guarded(call) {
  if (dead) throw dead;
  try {
    return call();
  } catch (error) {
    if (Number.isInteger(error?.code)) throw Object.assign(new PortolanError(error.code, error.kind, error.message), places(error));
    dead = stopped(error);
    throw dead;
  }
}

function places({ line, column }) {
  return line === undefined ? {} : { line, column };
}

/** Whether the instance has trapped. */
export const isDead = () => dead !== undefined;
