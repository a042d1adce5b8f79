/** Builds dist/: the loader, the widget under the hash of its content, their manifest and licences. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const PACKAGES = ["marked", "eventsource-parser"]; // what is built in
const LICENCES = "../static/widget-licenses.txt"; // where the service serves them
const BANNER = `/*! Dateline's widget, Apache-2.0; with ${PACKAGES.join(" and ")}, MIT: see /static/widget-licenses.txt */`;
const DIST = "dist";
process.chdir(import.meta.dirname);

/** Style sheets are texts in the scripts, made small. */
const css = {
  name: "css",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const { code } = await esbuild.transform(source, {
        loader: "css",
        minify: true,
        charset: "utf8",
        target: ["chrome123", "firefox120", "safari17.5"],
      });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

/** Of marked, only the lexer: its one module ends with an instance that holds on to all the rest. */
const lexer = {
  name: "lexer",
  setup(build) {
    build.onLoad({ filter: /marked\.esm\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const end = /var \w+=new \w+;function \w+\((?:(?!var \w+=new ).)*export\{.*?(\w+) as Lexer.*$/s;
      if (!end.test(source)) throw new Error("marked no longer ends as it did; see build.mjs");
      return { contents: source.replace(end, "export{$1 as Lexer}") };
    });
  },
};

async function bundle(entry, options) {
  const built = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    charset: "utf8",
    target: "es2022",
    legalComments: "none",
    tsconfigRaw: {}, // all is in modules and classes, which are strict without being told
    plugins: [css, lexer],
    ...options,
  });
  return built.outputFiles[0].text;
}

async function licences() {
  const texts = PACKAGES.map(async (name) => {
    const { version } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
    const licence = await readFile(`node_modules/${name}/LICENSE`, "utf8");
    return `${name} ${version}\n\n${licence.trim()}\n`;
  });
  const own = "The widget is part of Dateline, Apache-2.0. It holds these packages:\n";
  return [own, ...(await Promise.all(texts))].join("\n" + "-".repeat(72) + "\n\n");
}

function told(file, text) {
  const bytes = Buffer.from(text);
  return {
    file,
    bytes: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    integrity: "sha384-" + createHash("sha384").update(bytes).digest("base64"),
  };
}

const legal = await licences();
const main = await bundle("main.ts", { format: "esm", banner: { js: BANNER } });
const hash = createHash("sha256").update(main).digest("hex").slice(0, 16);
const file = `widget.${hash}.js`;
const loader = await bundle("loader.ts", {
  format: "iife",
  define: { WIDGET_FILE: JSON.stringify(file) },
});
const manifest = { loader: told("widget.js", loader), widget: told(file, main) };

await mkdir(DIST, { recursive: true });
for (const old of await readdir(DIST)) await rm(`${DIST}/${old}`);
await Promise.all([
  writeFile(`${DIST}/widget.js`, loader),
  writeFile(`${DIST}/${file}`, main),
  writeFile(`${DIST}/widget.d.ts`, await readFile("widget.d.ts")),
  writeFile(LICENCES, legal),
  writeFile(`${DIST}/manifest.json`, JSON.stringify(manifest, null, 2) + "\n"),
]);
for (const { file, bytes, gzip } of Object.values(manifest)) {
  console.log(`${file}: ${bytes} bytes, ${gzip} gzipped`);
}
