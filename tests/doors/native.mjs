// node native.mjs RELEASE CASES: answers each case of a file over a release, one line of JSON per case.

import { readFile } from "node:fs/promises";
import { open } from "../../bindings/js/src/node.js";
import { caseLines } from "./cases.mjs";

const [release, cases] = process.argv.slice(2);
const text = await readFile(cases, "utf8");
for (const line of await caseLines(() => open(release), text)) console.log(line);
