// Errors that programs can tell apart by number.

/** What went wrong, with the fixed number that all languages share. 7000 to 7999 are this package's own. */
export class PortolanError extends Error {
  constructor(code, kind, message, options) {
    super(message, options);
    this.name = "PortolanError";
    this.code = code;
    this.kind = kind;
  }
}

// Numbers of the engine that the host has to raise itself, because the host reads the files.
export const missingFile = (name) => {
  const message = `the release needs the file "${name}", which is missing; copy the whole release directory`;
  return new PortolanError(2004, "not_found", message);
};

export const wrongLength = (name, expected, got) => {
  const message = `${name} has ${got} bytes, release.json says ${expected}; it is truncated or has a tail, copy it again`;
  return new PortolanError(4005, "damaged", message);
};

export const unreadable = (path, cause) =>
  new PortolanError(5001, "io", `read ${path}: ${cause.message}`, { cause });

// Numbers of this package.
export const network = (url, what, cause) => new PortolanError(7001, "io", `${url}: ${what}`, { cause });
export const notLoaded = (what, cause) => new PortolanError(7002, "io", what, { cause });
export const stopped = (cause) => {
  const message = `the engine stopped (${cause}); nothing it says can be trusted now: reload the page or start a new worker or process`;
  return new PortolanError(7003, "internal", message, { cause });
};
export const closed = () => new PortolanError(7004, "usage", "the database is closed; open it again");
export const wrongArgument = (what) => new PortolanError(7005, "usage", what);
