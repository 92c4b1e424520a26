// The hash of everything that the built page is made of; tests/architecture/test_web_build.py computes the same in Python.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FILES = ["index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.js", "sources.js"];
const FOLDERS = ["src", "public"];

function below(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? below(root, path) : [path];
  });
}

/** {path: sha256} of the sources below `root`, sorted by path. */
export function sourcesOf(root) {
  const paths = [...FILES, ...FOLDERS.flatMap((folder) => below(root, folder))].sort();
  return Object.fromEntries(paths.map((path) => [path, createHash("sha256").update(readFileSync(join(root, path))).digest("hex")]));
}
