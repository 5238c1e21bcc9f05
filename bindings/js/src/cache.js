// What the program keeps between visits. It may lose, cut or refuse anything: then the network is asked.

export class Cache {
  #store;
  #used = new Set();

  constructor(store) {
    this.#store = store;
  }

  /** The piece of a file that holds these bytes: the range, or the whole file from a server without ranges. */
  async get(file, start, end) {
    return (await this.#read(file, start, end)) ?? this.#read(file, 0, file.bytes);
  }

  async set(file, { start, bytes }) {
    await this.#write(keyOf(file, start, start + bytes.length), bytes);
  }

  /** Makes every entry that this release used unusable: one of them, or what it came from, is damaged. */
  async forget() {
    await Promise.all([...this.#used].map((key) => this.#write(key, new Uint8Array())));
    this.#used.clear();
  }

  /** An entry of another length than its key says counts as none: it would be asked for again without end. */
  async #read(file, start, end) {
    const key = keyOf(file, start, end);
    const bytes = await attempt(() => this.#store?.get(key));
    if (!(bytes instanceof Uint8Array) || bytes.length !== end - start) return undefined;
    this.#used.add(key);
    return { start, bytes };
  }

  async #write(key, bytes) {
    this.#used.add(key);
    await attempt(() => this.#store?.set(key, bytes));
  }
}

const keyOf = (file, start, end) => `${file.blake3}:${start}-${end}`;

/** A store that fails is as good as none: no answer depends on it. */
async function attempt(call) {
  try {
    return await call();
  } catch {
    return undefined;
  }
}
