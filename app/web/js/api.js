// Talks to the HTTP API: requests, problem documents, uploads with progress, and a job's events with reconnection.

const KEY = "markwise-key";

/** What went wrong, in words for the person: from a problem document, a failed job or a dead connection. */
export class Problem extends Error {
  constructor({ title, detail = null, status = 0, code = null, requestId = null, errors = [], retryAfterS = null }) {
    super(title);
    Object.assign(this, { title, detail, status, code, requestId, errors, retryAfterS });
  }

  /** A failed or cancelled job as a problem. */
  static ofJob(job) {
    const error = job.error || {};
    const title = job.status === "cancelled" ? "The job was cancelled" : error.title || "The job failed";
    return new Problem({ ...error, title, requestId: null });
  }
}

let askForKey = async () => false;

/** Tell this module how to ask the person for a key; `ask` resolves to true when there is a new one. */
export function onKeyNeeded(ask) {
  askForKey = ask;
}

export function setKey(key) {
  sessionStorage.setItem(KEY, key.trim());
}

const currentKey = () => sessionStorage.getItem(KEY);

export function hasKey() {
  return Boolean(currentKey());
}

// A refusal of a key that was replaced in the meantime is no reason to ask the person again.
async function hasOtherKey(refused) {
  return currentKey() !== refused || askForKey();
}

function headersWith(extra, key) {
  return key ? { ...extra, Authorization: `Bearer ${key}` } : { ...extra };
}

const unreachable = () =>
  new Problem({ title: "The server does not answer", detail: "Is it still running? Nothing was lost; try again." });

function problemOf(status, requestId, retryAfter, body) {
  const known = body && typeof body === "object" ? body : {};
  return new Problem({
    title: known.title || `The server answered ${status}`,
    detail: known.detail || null,
    status,
    code: known.code || null,
    requestId: known.request_id || requestId,
    errors: Array.isArray(known.errors) ? known.errors : [],
    retryAfterS: retryAfter ? Number(retryAfter) : null,
  });
}

async function respond(method, path, { body, headers = {}, signal } = {}) {
  const key = currentKey();
  const init = { method, signal, headers: headersWith(headers, key), cache: "no-cache" };
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    throw error.name === "AbortError" ? error : unreachable();
  }
  if (response.status === 401 && (await hasOtherKey(key))) return respond(method, path, { body, headers, signal });
  if (!response.ok) {
    const found = await response.json().catch(() => null);
    throw problemOf(response.status, response.headers.get("X-Request-ID"), response.headers.get("Retry-After"), found);
  }
  return response;
}

/** GET a JSON body. */
export async function get(path, signal) {
  return (await respond("GET", path, { signal })).json();
}

/** POST a JSON body; resolves to the status and the body, 202 with a job included. */
export async function post(path, body, headers = {}) {
  const response = await respond("POST", path, { body, headers });
  return { status: response.status, body: await response.json() };
}

/** PATCH with a JSON body; resolves to the body. */
export async function patch(path, body) {
  return (await respond("PATCH", path, { body })).json();
}

/** GET a picture as an object URL, so that servers with keys work, too; the caller revokes it. */
export async function picture(path, signal) {
  return URL.createObjectURL(await (await respond("GET", path, { signal })).blob());
}

/** GET /readyz without treating 503 as an error; null when nobody answers. */
export async function readiness() {
  try {
    return await (await fetch("/readyz", { cache: "no-store" })).json();
  } catch {
    return null;
  }
}

/** POST the file as multipart; `onShare` hears the share that was sent, 0 to 1. */
export function upload(file, onShare, signal) {
  const form = new FormData();
  form.append("file", file, file.name || "picture");
  const key = currentKey();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/images");
    for (const [name, value] of Object.entries(headersWith({}, key))) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && onShare(event.loaded / event.total);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    request.onload = async () => {
      if (request.status < 300 && request.response) return resolve(request.response);
      if (request.status === 401 && (await hasOtherKey(key))) return resolve(upload(file, onShare, signal));
      const header = (name) => request.getResponseHeader(name);
      return reject(problemOf(request.status, header("X-Request-ID"), header("Retry-After"), request.response));
    };
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

function eventOf(block) {
  const event = { id: null, type: "message", data: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const content = line.slice(colon + 1).trimStart();
    if (line.startsWith("id:")) event.id = content;
    if (line.startsWith("event:")) event.type = content;
    if (line.startsWith("data:")) event.data += content;
  }
  return event;
}

/** Split a stream of text into server-sent events: {id, type, data}. */
async function* eventsOf(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true }).replaceAll("\r", "");
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = eventOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (event.data) yield { ...event, data: JSON.parse(event.data) };
    }
  }
}

/**
 * Follow a job to its end; resolves to the finished job. EventSource cannot send a key, so the stream is read by hand;
 * a broken one is taken up again after the last event that was seen. `onEvent(type, data)` hears progress, log, metric.
 */
export async function watchJob(job, onEvent, signal) {
  const ended = (found) => ["succeeded", "failed", "cancelled"].includes(found.status);
  let lastId = null;
  for (let misses = 0; ; ) {
    if (ended(job)) return job;
    try {
      const headers = { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) };
      const response = await respond("GET", `/v1/jobs/${job.id}/events`, { headers, signal });
      for await (const { id, type, data } of eventsOf(response.body)) {
        lastId = id ?? lastId;
        misses = 0;
        // A job that was retried has the end of its earlier run in its history: only the stream's end is the end.
        if (type !== "completed") onEvent(type, data);
      }
    } catch (error) {
      if (error.name === "AbortError" || error.status === 404 || error.status === 403) throw error;
      misses += 1;
      if (misses > 8) throw error;
    }
    try {
      job = await get(`/v1/jobs/${job.id}`, signal);
      if (!ended(job)) onEvent("progress", { ...job.progress, status: job.status });
    } catch (error) {
      if (error.name === "AbortError" || error.status === 404) throw error;
      misses += 1;
    }
    if (!ended(job)) await new Promise((resume) => setTimeout(resume, Math.min(500 * 2 ** misses, 8000)));
  }
}
