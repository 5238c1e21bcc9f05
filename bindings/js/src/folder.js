// A release in a local folder. Node only. No file stays open between reads: there is nothing to forget to close.

import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { missingFile, unreadable, wrongLength } from "./error.js";

export class FolderSource {
  #folder;

  constructor(folder) {
    this.#folder = folder;
  }

  async release() {
    const path = join(this.#folder, "release.json");
    return readFile(path).catch((cause) => {
      throw unreadable(path, cause);
    });
  }

  async read(file, start, end) {
    const path = join(this.#folder, file.name);
    const handle = await open(path).catch((cause) => {
      throw cause.code === "ENOENT" ? missingFile(file.name) : unreadable(path, cause);
    });
    try {
      const { size } = await handle.stat();
      if (size !== file.bytes) throw wrongLength(file.name, file.bytes, size);
      return { start, bytes: await readRange(handle, start, end) };
    } finally {
      await handle.close();
    }
  }

  close() {}
}

async function readRange(handle, start, end) {
  const bytes = new Uint8Array(end - start);
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes;
}
