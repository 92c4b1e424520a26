// The same requests as the page makes, as commands for a shell. A key is never written out.

import { hasKey } from "./api.js";

const quote = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

function command(path, parts) {
  const key = hasKey() ? ['-H "Authorization: Bearer $MARKWISE_KEY"'] : [];
  return [`curl -sS ${location.origin}${path}`, ...key, ...parts].join(" \\\n  ");
}

/** Mark a file with these settings. */
export function curlMark(fileName, settings) {
  const fields = Object.entries(settings).filter(([, value]) => value !== null);
  return command("/v1/marksets?include=masks", [
    `-F ${quote(`file=@${fileName}`)}`,
    ...fields.map(([name, value]) => `-F ${quote(`${name}=${value}`)}`),
  ]);
}

/** Ask a question about a mark set. */
export function curlAsk(body) {
  return command("/v1/ground", ["-H 'Content-Type: application/json'", `-d ${quote(JSON.stringify(body))}`]);
}
