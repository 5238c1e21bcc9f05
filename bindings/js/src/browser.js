// The entry for pages and workers.

import { openSource } from "./database.js";
import { sourceOf } from "./source.js";

export { PortolanError } from "./error.js";

/** Opens a release by URL, or from files in memory. */
export async function open(release, options = {}) {
  const module = options.module ?? new URL("../pkg/portolan_bg.wasm", import.meta.url);
  return openSource(sourceOf(release, options), module, options);
}
