// Validates glTF files with Khronos' gltf-validator: `node check.mjs FILE…`, or the paths on standard input, one a line.
// Prints one JSON object: file → { errors, warnings, infos: [codes, each once], messages: [errors and warnings] }.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { validateBytes } = createRequire(import.meta.url)("gltf-validator");
const named = process.argv.slice(2);
const files = named.length ? named : readFileSync(0, "utf8").split("\n").filter(Boolean);
const found = {};
for (const file of files) {
  const { issues } = await validateBytes(new Uint8Array(readFileSync(file)), { uri: file, maxIssues: 0 });
  const bad = issues.messages.filter((message) => message.severity < 2);
  found[file] = {
    errors: issues.numErrors,
    warnings: issues.numWarnings,
    infos: [...new Set(issues.messages.filter((message) => message.severity >= 2).map((message) => message.code))].sort(),
    messages: bad.slice(0, 20).map(({ code, pointer, message }) => `${code} ${pointer ?? ""} ${message}`),
  };
}
process.stdout.write(`${JSON.stringify(found)}\n`);
