// What the doors of node and of the page share: statements in, one line of JSON per statement out.

/** The answer to one statement, or what went wrong. */
export async function answer(database, sql) {
  try {
    return await database.query(sql);
  } catch (error) {
    if (!Number.isInteger(error.code)) throw error;
    return { error: { code: error.code, kind: error.kind, message: error.message } };
  }
}

/** The statements of a file: one per line. */
export const statementsOf = (text) => text.split("\n").filter((line) => line.trim() !== "");

/** All answers as lines. With `reopen`, every statement begins with nothing but the description of the release. */
export async function lines(open, statements, { reopen = false } = {}) {
  const lines = [];
  let database;
  for (const sql of statements) {
    database ??= await open();
    lines.push(JSON.stringify(await answer(database, sql)));
    if (reopen) {
      database.close();
      database = undefined;
    }
  }
  database?.close();
  return lines;
}
