// Derives pregon/panel/static/vendor/ from node_modules: copies, never bundles. `npm run build`.
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const vendor = join(root, "pregon/panel/static/vendor");
const modules = join(root, "node_modules");
const from = (path) => join(modules, path);

// The strict CSP refuses data: images, and a hashed-files storage refuses maps that are not there.
function copyStyles() {
  const css = readFileSync(from("@tabler/core/dist/css/tabler.min.css"), "utf8");
  const clean = css.replace(/url\((["'])data:.*?\1\)/g, "none").replace(/\/\*# sourceMappingURL.*?\*\//g, "");
  if (clean.includes("data:")) throw new Error("tabler.min.css still holds a data: address");
  writeFileSync(join(vendor, "tabler.min.css"), clean);
}

function copyScripts() {
  const unmapped = (path) => readFileSync(from(path), "utf8").replace(/\/\/# sourceMappingURL=.*$/m, "");
  writeFileSync(join(vendor, "htmx.min.js"), unmapped("htmx.org/dist/htmx.min.js"));
}

// One variable file holds weight and width; the latin subset has all of Spanish, Portuguese and English.
function copyFont() {
  const name = "archivo-latin-wdth-normal.woff2";
  const faces = readFileSync(from("@fontsource-variable/archivo/wdth.css"), "utf8").match(/@font-face\s*{[^}]*}/g);
  const latin = faces.find((face) => face.includes(name));
  writeFileSync(join(vendor, "archivo.css"), latin.replace(/url\([^)]*\)/, "url(archivo.woff2)") + "\n");
  copyFileSync(from(`@fontsource-variable/archivo/files/${name}`), join(vendor, "archivo.woff2"));
}

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !["vendor", "__pycache__"].includes(entry.name)) yield* sources(path);
    else if ([".html", ".py", ".js"].includes(extname(entry.name))) yield path;
  }
}

// Every quoted word that is the name of an outline icon goes into the sprite: a few too many, never one too few.
function usedIcons() {
  const drawn = (name) => existsSync(from(`@tabler/icons/icons/outline/${name}.svg`));
  const words = new Set();
  for (const path of sources(join(root, "pregon")))
    for (const match of readFileSync(path, "utf8").matchAll(/["']([a-z][a-z0-9-]+)["']|icons\.svg#([a-z0-9-]+)/g))
      words.add(match[1] ?? match[2]);
  return [...words, "x"].filter(drawn).sort();
}

function symbol(name) {
  const svg = readFileSync(from(`@tabler/icons/icons/outline/${name}.svg`), "utf8");
  const shapes = svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"));
  const drawing = shapes.replace(/<path stroke="none"[^>]*\/>/, "").replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24">${drawing}</symbol>`;
}

function drawSprite() {
  const names = usedIcons();
  writeFileSync(join(vendor, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">\n${names.map(symbol).join("\n")}\n</svg>\n`);
  return names.length;
}

rmSync(vendor, { recursive: true, force: true });
mkdirSync(vendor, { recursive: true });
copyStyles();
copyScripts();
copyFont();
console.log(`pregon/panel/static/vendor: tabler, htmx, archivo, ${drawSprite()} icons`);
