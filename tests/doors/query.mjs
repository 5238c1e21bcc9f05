// node query.mjs RELEASE STATEMENTS: answers each statement of a file over a release, one line of JSON per statement.
// RELEASE is a folder or a URL.

import { readFile } from "node:fs/promises";
import { open } from "../../bindings/js/src/node.js";
import { lines, statementsOf } from "./answers.mjs";

const [release, statements] = process.argv.slice(2);
const text = await readFile(statements, "utf8");
for (const line of await lines(() => open(release), statementsOf(text))) console.log(line);
