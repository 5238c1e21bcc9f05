// A release whose files are all in memory.

import { missingFile, wrongArgument, wrongLength } from "./error.js";

export class MemorySource {
  #files;

  constructor(files) {
    const entries = files instanceof Map ? [...files] : Object.entries(files);
    this.#files = new Map(entries.map(([name, bytes]) => [name, view(name, bytes)]));
  }

  async release() {
    const bytes = this.#files.get("release.json");
    if (!bytes) throw missingFile("release.json");
    return bytes;
  }

  async read(file, start, end) {
    const bytes = this.#files.get(file.name);
    if (!bytes) throw missingFile(file.name);
    if (bytes.length !== file.bytes) throw wrongLength(file.name, file.bytes, bytes.length);
    return { start, bytes: bytes.subarray(start, end) };
  }

  close() {
    this.#files.clear();
  }
}

function view(name, bytes) {
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  if (ArrayBuffer.isView(bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  throw wrongArgument(`${name}: a Uint8Array or an ArrayBuffer is needed`);
}
