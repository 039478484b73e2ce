// The viewer's law: api <- state <- scene, state <- panels; scene never knows the page, panels never the renderer.
// Exits 1 and names each import that breaks it.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "src");
const may = {
  api: ["api"],
  // what a certificate and a ledger are checked with is one
  state: ["api", "state", "proof"],
  scene: ["api", "state", "scene"],
  panels: ["api", "state", "panels", "i18n"],
  i18n: ["i18n"],
  theme: ["theme"],
  map: ["map"],
  proof: ["proof"],
  main: ["api", "state", "scene", "panels", "i18n", "theme"],
};
const packages = {
  api: [],
  state: ["vue"],
  scene: ["vue", "@cesium/engine", "@mapbox/vector-tile", "pbf"],
  panels: ["vue", "vue-i18n", "reka-ui", "uplot"],
  i18n: ["vue-i18n"],
  theme: [],
  map: ["maplibre-gl"],
  proof: ["vue", "@noble/ed25519"],
  main: ["vue", "pretendard"],
};

const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(ts|vue)$/.test(entry.name))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

const IMPORTS =
  /(?:^|\n)\s*(?:import|export)\s[^"'()=]*?from\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;
const broken = [];
for (const file of files) {
  const place = relative(root, file);
  const room = place.includes("/") ? place.split("/")[0] : "main";
  if (!may[room]) broken.push(`${place}: the room '${room}' has no floor`);
  const text = readFileSync(file, "utf8");
  for (const [, a, b, c] of text.matchAll(IMPORTS)) {
    const name = a ?? b ?? c;
    if (name.startsWith(".")) {
      const target = relative(root, normalize(join(dirname(file), name))).split("/");
      const other = target.length > 1 || may[target[0]] ? target[0] : "main";
      if (may[room] && !may[room].includes(other)) broken.push(`${place}: imports ${name} (${room} may not know ${other})`);
    } else if (!packages[room]?.some((p) => name === p || name.startsWith(`${p}/`))) {
      broken.push(`${place}: imports ${name} (not a package of ${room})`);
    }
  }
}
if (broken.length) {
  console.error(broken.join("\n"));
  process.exit(1);
}
console.log(`floors: ${files.length} files keep them`);
