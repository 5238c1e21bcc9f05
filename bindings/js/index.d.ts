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

export interface Result {
  /** The names of the selected columns. */
  columns: string[];
  /** An object per row, keyed by column. */
  rows: Record<string, Value>[];
  /** The ids of the rows, in the same order. */
  row_ids: string[];
  /** What became of each collection that FROM names. */
  collections: {
    asked: { name: string; rows: number; bytes: number }[];
    skipped: { name: string; reason: string }[];
  };
  /** How many times bytes had to be brought: 0 when all were there. */
  waves: number;
  /** The plan, when the statement was an EXPLAIN. */
  explanation?: string;
  /** What this statement waited for. What was there already, or in the `cache`, counts nothing. */
  transfer: { requests: number; bytes: number };
}

export interface Database {
  /** Answers one statement. */
  query(sql: string, options?: { signal?: AbortSignal }): Promise<Result>;
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
