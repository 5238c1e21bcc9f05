// The entry for node: as in the browser, and folders.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openSource } from "./database.js";
import { wrongArgument } from "./error.js";
import { FolderSource } from "./folder.js";
import { sourceOf } from "./source.js";

export { PortolanError } from "./error.js";

/** Opens a release by URL, from a folder, or from files in memory. */
export async function open(release, options = {}) {
  const module = options.module ?? (() => readFile(new URL("../pkg/portolan_bg.wasm", import.meta.url)));
  const folder = folderOf(release);
  const source = folder === undefined ? sourceOf(release, options) : new FolderSource(folder);
  return openSource(source, module, options);
}

/** The folder that a path or a `file:` URL names; undefined for anything else. */
function folderOf(release) {
  if (release instanceof URL) return release.protocol === "file:" ? pathOf(release) : undefined;
  if (typeof release !== "string" || /^https?:\/\//i.test(release)) return undefined;
  return /^file:\/\//i.test(release) ? pathOf(release) : release;
}

function pathOf(url) {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw wrongArgument(`${url}: ${error.message}`);
  }
}
