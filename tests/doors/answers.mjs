// What the doors of node and of the page share: statements in, one line of JSON per statement out. A line is a statement,
// and after a tab its parameters as JSON, if it has any.

/** The answer to one statement, or what went wrong. */
export async function answer(database, line) {
  const [sql, json] = line.split("\t");
  try {
    return await database.query(sql, json === undefined ? {} : { params: JSON.parse(json, revive) });
  } catch (error) {
    if (!Number.isInteger(error.code)) throw error;
    return { error: { code: error.code, kind: error.kind, message: error.message } };
  }
}

/** `{"time"}`, `{"int"}` and `{"vector"}` as the values of JavaScript that they stand for. */
function revive(key, value) {
  if (typeof value?.time === "string") return new Date(value.time);
  if (typeof value?.int === "string") return BigInt(value.int);
  if (Array.isArray(value?.vector)) return new Float32Array(value.vector);
  return value;
}

/** The statements of a file: one per line. */
export const statementsOf = (text) => text.split("\n").filter((line) => line.trim() !== "");

/** All answers as lines. With `reopen`, every statement begins with nothing but the description of the release. */
export async function lines(open, statements, { reopen = false } = {}) {
  const lines = [];
  let database;
  for (const line of statements) {
    database ??= await open();
    lines.push(JSON.stringify(await answer(database, line)));
    if (reopen) {
      database.close();
      database = undefined;
    }
  }
  database?.close();
  return lines;
}
