// What a statement is asked with, as the engine reads it: values become the JSON of docs/query.md's parameters.

import { wrongArgument } from "./error.js";

const OPTIONS = ["params", "signal", "strict", "router", "embed"];

/** The request `[sql, params, strict, only, vectors]`, still to be told what the host's own functions decide. */
export function requestOf(sql, options) {
  if (typeof sql !== "string") throw wrongArgument("query needs the statement as a string");
  if (options === null || typeof options !== "object") throw wrongArgument("the options of query are an object");
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw wrongArgument(`query has no option ${unknown}; there are ${OPTIONS.join(", ")}`);
  const { params, strict = true, router, embed } = options;
  if (typeof strict !== "boolean") throw wrongArgument("the option strict is a boolean");
  for (const [name, value] of Object.entries({ router, embed })) {
    if (value !== undefined && typeof value !== "function") throw wrongArgument(`the option ${name} is a function`);
  }
  return [sql, paramsOf(params), strict, null, null];
}

/** The names that a router gave, to be asked. */
export function namesOf(chosen) {
  const names = typeof chosen?.[Symbol.iterator] === "function" && typeof chosen !== "string" ? [...chosen] : [null];
  if (names.every((name) => typeof name === "string")) return names;
  throw wrongArgument("router gives the names of the collections to ask, as an array or a set");
}

/** The vector that `embed` gave for a text. */
export function vectorOf(given) {
  if (Array.isArray(given)) return { vector: paramOf(given, "the vector that embed gave") };
  return paramOf(given, "the vector that embed gave");
}

function paramsOf(params) {
  if (params === undefined || params === null) return null;
  if (Array.isArray(params)) return Array.from(params, (value, place) => paramOf(value, `parameter ${place + 1}`));
  if (kindOf(params) !== "Object") throw wrongArgument("params is an array for ?, or an object for :name");
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, paramOf(value, `parameter :${name}`)]));
}

function paramOf(value, which) {
  const kind = kindOf(value);
  if (kind === "Array") return Array.from(value, (item) => scalarOf(item, `an item of ${which}`));
  if (kind === "Float32Array" || kind === "Float64Array") {
    return { vector: Array.from(value, (number) => scalarOf(number, `a number of ${which}`)) };
  }
  return scalarOf(value, which);
}

function scalarOf(value, which) {
  switch (kindOf(value)) {
    case "null":
    case "undefined":
      return null;
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw wrongArgument(`${which} is ${value}; numbers are finite`);
      return value;
    case "bigint":
      if (BigInt.asIntN(64, value) !== value) throw wrongArgument(`${which} does not fit a 64-bit integer`);
      return { int: String(value) };
    case "string":
      // Half a pair of surrogates is no text, and would reach the engine as another one.
      if (/\p{Surrogate}/u.test(value)) throw wrongArgument(`${which} holds half of a surrogate pair, which is no text`);
      return value;
    case "Date":
      if (Number.isNaN(value.getTime())) throw wrongArgument(`${which} is an invalid date`);
      return { time: value.toISOString() };
    default:
      throw wrongArgument(
        `${which} is of the type ${kindOf(value)}; a value is null, a boolean, a number, a bigint, a string, a Date, an array of these, ` +
          "a Float32Array or a Float64Array",
      );
  }
}

/** The type of a value, or the class of an object: also of one from another window, whose classes are others. */
function kindOf(value) {
  if (value === null) return "null";
  return typeof value === "object" ? Object.prototype.toString.call(value).slice(8, -1) : typeof value;
}
