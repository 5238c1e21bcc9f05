// A release behind a URL: `release.json` whole, everything else by `Range` requests.

import { network, wrongArgument, wrongLength } from "./error.js";

export class HttpSource {
  #base;
  #fetch;
  #ranged = false;
  #mode = "default";
  #first = new Map();

  constructor(url, fetch = globalThis.fetch) {
    this.#base = folderOf(url);
    this.#fetch = (...args) => fetch(...args);
  }

  /** The bytes of `release.json`. */
  async release(signal) {
    const { bytes } = await this.#get("release.json", { signal, cache: "no-cache" });
    return bytes;
  }

  /**
   * At least the bytes from `start` to `end`, and where they begin: the whole file when the server ignores `Range`.
   * Nothing when another call has just brought them.
   */
  async read(file, start, end, signal) {
    if (this.#ranged) return this.#range(file, start, end, signal);
    // Until the server has honoured `Range` once, a file's first request goes alone: it may bring all of the file.
    const first = this.#first.get(file.name);
    if (!first) {
      const request = this.#range(file, start, end, signal);
      this.#first.set(file.name, request);
      return request.finally(() => this.#first.delete(file.name));
    }
    const piece = await first.catch(() => undefined);
    const brought = piece && piece.start <= start && end <= piece.start + piece.bytes.length;
    return brought ? undefined : this.#range(file, start, end, signal);
  }

  /** From now on the browser's own cache is passed by, and mended. */
  distrust() {
    this.#mode = "reload";
  }

  close() {}

  async #range(file, start, end, signal) {
    const headers = { Range: `bytes=${start}-${end - 1}` };
    const { status, range, bytes } = await this.#get(file.name, { signal, headers, cache: this.#mode });
    if (status === 416) throw wrongLength(file.name, file.bytes, `fewer than ${end}`);
    const whole = status === 200;
    if (!whole) this.#check(range, file, start, end);
    const expected = whole ? file.bytes : end - start;
    if (bytes.length !== expected) throw wrongLength(file.name, file.bytes, whole ? bytes.length : start + bytes.length);
    this.#ranged ||= !whole;
    return { start: whole ? 0 : start, bytes };
  }

  /** What the server says of its answer, where it may be seen: another origin has to expose the header. */
  #check(range, file, start, end) {
    const [, first, last, length] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range ?? "")?.map(Number) ?? [];
    if (length >= 0 && length !== file.bytes) throw wrongLength(file.name, file.bytes, length);
    if (first !== undefined && (first !== start || last !== end - 1)) {
      throw network(this.#url(file.name), `asked for bytes ${start}-${end - 1}, got ${first}-${last}; the server or a proxy mixes up ranges`);
    }
  }

  #url(name) {
    const url = new URL(encodeURIComponent(name), this.#base);
    url.search = this.#base.search;
    return url;
  }

  async #get(name, options) {
    const url = this.#url(name);
    try {
      const response = await this.#fetch(url.href, options);
      const { status } = response;
      if (status === 416) return { status };
      if (!response.ok) throw network(url, `HTTP ${status} ${response.statusText}`.trim());
      const range = response.headers.get("content-range");
      return { status, range, bytes: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      // A fetch may reject with an error of its own when it is stopped.
      options.signal?.throwIfAborted();
      if (error?.code === 7001) throw error;
      throw network(url, `no answer (${error?.message ?? error})`, error);
    }
  }
}

/** The URL of the release's folder, with a slash at its end. */
function folderOf(url) {
  let base;
  try {
    base = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);
    new URL("release.json", base); // blob: and data: URLs hold no files
  } catch {
    throw wrongArgument(`${url} is not the URL of a folder; a relative one needs a page`);
  }
  base.pathname = base.pathname.replace(/(\/release\.json|\/)?$/, "/");
  return base;
}
