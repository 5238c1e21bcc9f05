// Cases of the conformance suite: statements with parameters, and statements that are asked page by page.

/** No case takes more pages than this. */
const MOST_PAGES = 1000;

/** A parameter as a program would pass it. */
function param(value) {
  if (value?.int !== undefined) return BigInt(value.int);
  if (value?.time !== undefined) return new Date(value.time);
  if (value?.vector !== undefined) return Float32Array.from(value.vector);
  return value;
}

function params(json) {
  if (json === null) return undefined;
  if (Array.isArray(json)) return json.map(param);
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, param(value)]));
}

async function answer(database, { sql, params: json, pages: paged }) {
  const pages = [];
  try {
    do {
      const cursor = pages.at(-1)?.cursor;
      const statement = sql.replace("$AFTER", () => (cursor ? `AFTER '${cursor}'` : ""));
      pages.push(await database.query(statement, { params: params(json) }));
    } while (paged && pages.at(-1).cursor && pages.length < MOST_PAGES);
    return { pages };
  } catch (error) {
    if (!Number.isInteger(error.code)) throw error;
    return { error: { code: error.code } };
  }
}

/** The answers to the cases of a text, one per line, as lines. */
export async function caseLines(open, text) {
  const database = await open();
  const lines = [];
  for (const line of text.split("\n").filter((line) => line !== "")) {
    lines.push(JSON.stringify(await answer(database, JSON.parse(line))));
  }
  database.close();
  return lines;
}
