/// <reference lib="esnext.disposable" />

/** A value of a result: what the column holds, as JSON. Times are ISO 8601 texts. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

/** What went wrong. Codes are the same in every language; 7000 to 7999 are this package's own. */
export declare class PortolanError extends Error {
  /** The fixed number of the error. */
  readonly code: number;
  /** Whose turn it is. */
  readonly kind: "usage" | "not_found" | "unsupported" | "damaged" | "io" | "internal";
  /** Where in the statement, from 1, for errors about the statement. */
  readonly line?: number;
  /** Where in the line, from 1, for errors about the statement. */
  readonly column?: number;
}

/**
 * Keeps bytes between visits. A `Map` fits, and so does a thin layer over IndexedDB. It may lose entries and may fail:
 * then the network is asked.
 */
export interface RangeStore {
  get(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  set(key: string, bytes: Uint8Array): unknown;
}

export interface OpenOptions {
  /** What to fetch with: for headers, credentials, retries. */
  fetch?: typeof fetch;
  /** The wasm file, or where it is. Needed by `portolan/slim`; only the first `open` of a page or process uses it. */
  module?: Module | (() => Module | Promise<Module>);
  /** Asked before the network. Keys name content, so an entry is never stale. */
  cache?: RangeStore;
  /** Stops the opening. */
  signal?: AbortSignal;
}

export type Module = string | URL | Response | BufferSource | WebAssembly.Module;

/** The files of a release by name, `release.json` among them. */
export type Files = Record<string, Uint8Array | ArrayBuffer> | Map<string, Uint8Array | ArrayBuffer>;

export interface Collection {
  name: string;
  rows: number;
  dimension: number;
  metric: string;
  /** The embedder that made the vectors, if it is known. */
  embedder: string | null;
  fields: { path: string; type: unknown }[];
}

/** A value for one place of a statement. Whole numbers are integers, other numbers are floats; a `Date` is a time. */
export type Scalar = null | undefined | boolean | number | bigint | string | Date;

/** What a `?` or `:name` can stand for: a value, a list of values (for IN, CONTAINS ANY, VECTOR), a query vector. */
export type Param = Scalar | readonly Scalar[] | Float32Array | Float64Array;

/** Values for `?`, in the order of the statement, or for `:name`, by name without the colon. */
export type Params = readonly Param[] | { readonly [name: string]: Param };

export interface QueryOptions {
  /** The values of the statement's parameters. They need no quoting and can never become syntax. */
  params?: Params;
  /** Stops the statement. */
  signal?: AbortSignal;
  /**
   * Whether one collection that cannot be searched fails the statement; otherwise it is reported in `collections.failed`,
   * and the rows of the others are the answer. Default: true.
   */
  strict?: boolean;
  /**
   * The program's own rule for which of the collections that FROM stands for are asked. One that holds a matching record
   * must not be left out: its rows would be missing.
   */
  router?: (collections: string[]) => Iterable<string> | Promise<Iterable<string>>;
  /**
   * Makes the vector of a text whose embedder the release does not carry. `model` is the name of that embedder, or what the
   * statement's MODEL says, if either is known. Called once for each text and embedder.
   */
  embed?: (text: string, model: string | null) => Vector | Promise<Vector>;
}

/** As many finite numbers as the collection has dimensions. */
export type Vector = Float32Array | Float64Array | readonly number[];

export interface Result {
  /** The names of the selected columns. */
  columns: string[];
  /** An object per row, keyed by column. */
  rows: Record<string, Value>[];
  /** The ids of the rows, in the same order; null for a row that stands for a group. */
  row_ids: (string | null)[];
  /** What became of each collection that FROM names. */
  collections: {
    asked: { name: string; rows: number; bytes: number; micros?: number }[];
    skipped: { name: string; reason: string }[];
    /** Those that could not be searched, of a statement that was not `strict`: their rows are missing. */
    failed: { name: string; code: number; message: string }[];
  };
  /** How many times bytes had to be brought: 0 when all were there. */
  waves: number;
  /** What a reader of the rows should know: how collections that cannot be compared were merged, and such. */
  notes: string[];
  /** Which rows answer which item of a BATCH, from `first` on. Only for a BATCH whose items are not fused. */
  sets?: { item: number; first: number; rows: number }[];
  /** Where the next page begins: the same statement with `AFTER ?` and this gives it. Missing where there is none. */
  cursor?: string;
  /** The plan, when the statement was an EXPLAIN; with EXPLAIN ANALYZE also what was done, beside the rows. */
  explanation?: string;
  /** The same for programs. */
  plan?: { [key: string]: Value };
  /** What this statement waited for. What was there already, or in the `cache`, counts nothing. */
  transfer: { requests: number; bytes: number };
}

export interface Database {
  /** Answers one statement. */
  query(sql: string, options?: QueryOptions): Promise<Result>;
  /** What can stand after FROM. */
  collections(): Collection[];
  /** Gives the memory back. Safe to call twice. */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Opens a release: the URL of its folder, its files in memory, or, in node, the path of its folder.
 * @throws {PortolanError}
 */
export declare function open(release: string | URL | Files, options?: OpenOptions): Promise<Database>;
