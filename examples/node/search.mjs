// Asks a release in a folder, or behind a URL, and prints the nearest records:
//   node examples/node/search.mjs out/release "a small furry animal that purrs"

import { open } from "../../bindings/js/src/node.js"; // in your program: from "portolan"

const [release = "out/release", text = "a small furry animal that purrs"] = process.argv.slice(2);

const database = await open(release);
const answer = await database.query(
  "SELECT collection, id, document, distance FROM * USING EMBEDDING (TEXT ?) TOPK 5",
  { params: [text] },
);
console.table(answer.rows);
console.log(`${answer.collections.asked.length} collections asked, ${answer.transfer.bytes} bytes in ${answer.waves} waves`);
database.close();
