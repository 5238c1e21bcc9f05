// What `require` gives: `open` alone. ES modules load asynchronously, so the class of the errors cannot come with it;
// tell errors apart by `code`.

export type {
  Collection,
  Database,
  Files,
  Module,
  OpenOptions,
  Param,
  Params,
  PortolanError,
  QueryOptions,
  RangeStore,
  Result,
  Scalar,
  Value,
  Vector,
} from "./index.js" with { "resolution-mode": "import" };

export declare const open: typeof import("./index.js", { with: { "resolution-mode": "import" } }).open;
