// Builds the page into dist/, which is committed: whoever runs Markwise needs no Node. What was built from which sources is
// written to dist/sources.json, so that a test in Python can say when the two differ (see sources.js).

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { sourcesOf } from "./sources.js";

const here = fileURLToPath(new URL(".", import.meta.url));

function tellSources() {
  return {
    name: "tell-sources",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "sources.json", source: `${JSON.stringify(sourcesOf(here), null, 1)}\n` });
    },
  };
}

export default defineConfig({
  root: here,
  base: "/static/",
  build: {
    target: "es2023",
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the page's content security policy allows no data: URIs
    sourcemap: false,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    rollupOptions: {
      onwarn: (warning, tell) => warning.code === "MODULE_LEVEL_DIRECTIVE" || tell(warning), // "use client" in libraries means nothing here
      // `rle` is an entry so that a test can hold the decoder itself against pycocotools.
      input: { index: `${here}index.html`, rle: `${here}src/picture/rle.ts` },
      preserveEntrySignatures: "exports-only",
      output: { assetFileNames: "assets/[name]-[hash][extname]", chunkFileNames: "assets/[name]-[hash].js", entryFileNames: "assets/[name]-[hash].js" },
    },
  },
  plugins: [tellSources()],
  server: { proxy: Object.fromEntries(["/v1", "/readyz", "/docs", "/openapi.json"].map((path) => [path, process.env.MARKWISE_SERVER ?? "http://127.0.0.1:8000"])) },
});
