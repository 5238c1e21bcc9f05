// Which kind of release a program means.

import { wrongArgument } from "./error.js";
import { HttpSource } from "./http.js";
import { MemorySource } from "./memory.js";

/** A source for a URL or for files in memory. */
export function sourceOf(release, { fetch }) {
  if (typeof release === "string" || release instanceof URL) return new HttpSource(release, fetch);
  if (release !== null && typeof release === "object" && !isBytes(release)) return new MemorySource(release);
  throw wrongArgument("open needs the URL of a release, or its files as an object of names and bytes");
}

/** One file's bytes: taken for an object of files, each byte would be one. */
const isBytes = (value) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
