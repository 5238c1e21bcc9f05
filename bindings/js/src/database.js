// An opened release: brings the engine the bytes it asks for, and gives its answers as plain objects.

import { Cache } from "./cache.js";
import { closed } from "./error.js";
import { Inflight } from "./inflight.js";
import { namesOf, requestOf, vectorOf } from "./request.js";
import { Engine, guarded, isDead, load } from "./wasm.js";

/** Opens the release behind `source`. The module and `release.json` load at the same time. */
export async function openSource(source, module, { cache, signal } = {}) {
  signal?.throwIfAborted();
  const [json] = await Promise.all([source.release(signal), load(module)]);
  signal?.throwIfAborted();
  return new Database(guarded(() => new Engine(json)), source, json, cache);
}

class Database {
  #engine;
  #source;
  #cache;
  #files;
  #description;
  #inflight = new Inflight();

  constructor(engine, source, json, cache) {
    this.#engine = engine;
    this.#source = source;
    this.#cache = new Cache(cache);
    this.#files = this.#call((engine) => engine.files());
    this.#description = JSON.parse(new TextDecoder().decode(json));
  }

  /** What can stand after FROM. */
  collections() {
    const { schemas, files, collections } = this.#description;
    return collections.map(({ name, file, rows, fields }) => {
      const schema = schemas[files[file].schema];
      const own = fields ? fields.map((place) => schema.fields[place]) : schema.fields;
      return {
        name,
        rows,
        dimension: schema.dimension,
        metric: schema.metric,
        embedder: schema.embedder?.name ?? null,
        fields: own.map(([path, type]) => ({ path, type: typeOf(type) })),
      };
    });
  }

  /** Answers one statement. */
  async query(sql, options = {}) {
    const request = requestOf(sql, options);
    const { signal } = options;
    signal?.throwIfAborted();
    await this.#consult(request, options);
    signal?.throwIfAborted();
    const statement = this.#call((engine) => engine.start(JSON.stringify(request)));
    try {
      const answer = await this.#run(statement, signal);
      if (answer.collections.failed.some(({ code }) => code >= 4000 && code < 5000)) await this.#distrust();
      return answer;
    } catch (error) {
      if (this.#engine && !isDead()) this.#engine.cancel(statement);
      if (error?.kind === "damaged") await this.#distrust();
      throw error;
    }
  }

  /** Gives the memory back. Statements under way fail. */
  close() {
    if (!isDead()) this.#engine?.free();
    this.#engine = undefined;
    this.#inflight.stop(closed());
    this.#source.close();
  }

  /** Something that arrived is damaged: nothing that was kept on the way is used again. The engine has dropped its own. */
  async #distrust() {
    this.#source.distrust?.();
    await this.#cache.forget();
  }

  /** Asks the host's own functions, which may take their time: the engine is told what they decided. */
  async #consult(request, { router, embed, signal }) {
    if (!router && !embed) return;
    const { collections, texts } = this.#call((engine) => engine.preview(JSON.stringify(request)));
    const [only, vectors] = await unlessAborted(
      Promise.all([
        router && (async () => namesOf(await router(collections)))(),
        embed && Promise.all(texts.map(async ({ text, model }) => vectorOf(await embed(text, model)))),
      ]),
      signal,
    );
    request[3] = only ?? null;
    request[4] = vectors ?? null;
  }

  async #run(statement, signal) {
    const transfer = { requests: 0, bytes: 0 };
    for (;;) {
      const { needs, ...answer } = this.#call((engine) => engine.step(statement));
      if (!needs) return { ...answer, transfer };
      const brought = await Promise.all(needs.map((need) => this.#bring(need, signal)));
      transfer.requests += brought.filter((bytes) => bytes > 0).length;
      transfer.bytes += brought.reduce((sum, bytes) => sum + bytes, 0);
    }
  }

  #bring([file, start, end], signal) {
    const begin = (stop) => this.#transfer(file, start, end, stop);
    return this.#inflight.join(`${file}:${start}-${end}`, begin, signal);
  }

  /** Brings one range to the engine; gives the number of bytes that the source had to give. */
  async #transfer(file, start, end, signal) {
    const description = this.#files[file];
    const known = await this.#cache.get(description, start, end);
    const piece = known ?? (await this.#source.read(description, start, end, signal));
    if (!piece) return 0;
    this.#call((engine) => engine.provide(file, piece.start, piece.bytes));
    if (!known) await this.#cache.set(description, piece);
    return known ? 0 : piece.bytes.length;
  }

  #call(call) {
    const engine = this.#engine;
    if (!engine) throw closed();
    return guarded(() => call(engine));
  }
}

/** What `promise` comes to, unless `signal` comes first. */
function unlessAborted(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

if (Symbol.dispose) Database.prototype[Symbol.dispose] = Database.prototype.close;

/** `text[]` is a list of texts. */
function typeOf(name) {
  return name.endsWith("[]") ? { list: typeOf(name.slice(0, -2)) } : name;
}
