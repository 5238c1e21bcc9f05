// The entry for programs that bring the module themselves: bundlers and runtimes with their own way to load wasm.

import { openSource } from "./database.js";
import { wrongArgument } from "./error.js";
import { sourceOf } from "./source.js";

export { PortolanError } from "./error.js";

/** Opens a release by URL, or from files in memory. `options.module` is needed. */
export async function open(release, options = {}) {
  if (!options.module) throw wrongArgument("portolan/slim needs the option module: the wasm file as bytes, URL, Response or Module");
  return openSource(sourceOf(release, options), options.module, options);
}
