// Talks to the HTTP API: JSON requests, pictures and uploads, with the key of this tab. The only place that calls fetch.

import { Problem, wasAborted } from "./problem";
import type { FieldError, ImageOut, Job, List } from "./types";

const KEY = "markwise-key";

let askForKey = async (): Promise<boolean> => false;

/** Tell this module how to ask the person for a key; `ask` resolves to true when there is a new one. */
export function onKeyNeeded(ask: () => Promise<boolean>): void {
  askForKey = ask;
}

let tellAway = (): void => undefined;

/** Tell this module whom to tell that nobody answered. */
export function onAway(tell: () => void): void {
  tellAway = tell;
}

/** What nobody answered. */
function unreachable(): Problem {
  tellAway();
  return Problem.unreachable();
}

export function setKey(key: string): void {
  if (key.trim()) sessionStorage.setItem(KEY, key.trim());
  else sessionStorage.removeItem(KEY);
}

const currentKey = (): string | null => sessionStorage.getItem(KEY);

export function hasKey(): boolean {
  return Boolean(currentKey());
}

// A refusal of a key that was replaced in the meantime is no reason to ask the person again.
async function hasOtherKey(refused: string | null): Promise<boolean> {
  return currentKey() !== refused || askForKey();
}

interface Request {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

interface KnownProblem {
  title?: string;
  detail?: string;
  code?: string;
  request_id?: string;
  errors?: FieldError[];
}

function problemOf(status: number, requestId: string | null, retryAfter: string | null, body: KnownProblem | null): Problem {
  return new Problem({
    title: body?.title || `The server answered ${status}`,
    detail: body?.detail ?? null,
    status,
    code: body?.code ?? null,
    requestId: body?.request_id || requestId,
    errors: Array.isArray(body?.errors) ? body.errors : [],
    retryAfterS: retryAfter ? Number(retryAfter) : null,
  });
}

/** Send one request; throws a Problem for every answer above 399 and for none at all. */
export async function respond(method: string, path: string, { body, headers = {}, signal }: Request = {}): Promise<Response> {
  const key = currentKey();
  const sent: Record<string, string> = { ...headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  const init: RequestInit = { method, headers: sent, cache: "no-cache", signal: signal ?? null };
  if (body !== undefined) {
    sent["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    throw wasAborted(error) ? error : unreachable();
  }
  if (response.status === 401 && (await hasOtherKey(key))) return respond(method, path, { body, headers, signal });
  if (!response.ok) {
    const found = (await response.json().catch(() => null)) as KnownProblem | null;
    throw problemOf(response.status, response.headers.get("X-Request-ID"), response.headers.get("Retry-After"), found);
  }
  return response;
}

/** GET a JSON body. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await respond("GET", path, { signal })).json() as Promise<T>;
}

/** GET a JSON body for something by the way: null where that fails, and nobody is asked for a key. */
export async function glance<T>(path: string): Promise<T | null> {
  const key = currentKey();
  try {
    const response = await fetch(path, { headers: key ? { Authorization: `Bearer ${key}` } : {}, cache: "no-cache" });
    return response.ok ? ((await response.json()) as T) : null;
  } catch {
    return null;
  }
}

/** GET one page of a list; `query` may hold undefined and empty values, which are left out. */
export async function list<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<List<T>> {
  return get<List<T>>(withQuery(path, query), signal);
}

/** POST a JSON body; resolves to the status and the body, 202 with a job included. */
export async function post<T>(path: string, body?: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<{ status: number; body: T }> {
  const response = await respond("POST", path, { body, headers, signal });
  return { status: response.status, body: (await response.json()) as T };
}

/** POST work that a worker does; resolves to its job at once, or to the body where the answer was there already. */
export async function order<T>(path: string, body: unknown, signal?: AbortSignal): Promise<{ job: Job; made: null } | { job: null; made: T }> {
  const { status, body: found } = await post<T | Job>(path, body, { Prefer: "respond-async" }, signal);
  return status === 202 ? { job: found as Job, made: null } : { job: null, made: found as T };
}

/** PATCH with a JSON body; resolves to the body. */
export async function patch<T>(path: string, body: unknown): Promise<T> {
  return (await respond("PATCH", path, { body })).json() as Promise<T>;
}

/** DELETE; resolves to the body where there is one. */
export async function remove<T = null>(path: string): Promise<T | null> {
  const response = await respond("DELETE", path);
  return response.status === 204 ? null : ((await response.json()) as T);
}

/** GET a picture as an object URL, so that servers with keys work, too; the caller revokes it. */
export async function picture(path: string, signal?: AbortSignal): Promise<string> {
  return URL.createObjectURL(await (await respond("GET", path, { signal })).blob());
}

/** GET a file and let the browser save it under `name`. */
export async function download(path: string, name: string): Promise<void> {
  const url = await picture(path);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export type Query = Record<string, string | number | boolean | null | undefined>;

/** A path with its query; undefined, null and empty values are left out. */
export function withQuery(path: string, query: Query): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") parts.set(name, String(value));
  }
  return parts.size ? `${path}?${parts}` : path;
}

/** GET /readyz without treating 503 as an error; null when nobody answers. */
export async function readiness(): Promise<{ checks: Record<string, string> } | null> {
  try {
    return await (await fetch("/readyz", { cache: "no-store" })).json();
  } catch {
    return null;
  }
}

/** POST the file as multipart; `onShare` hears the share that was sent, 0 to 1. */
export function upload(file: File, labels: string[], onShare: (share: number) => void, signal?: AbortSignal): Promise<ImageOut> {
  const form = new FormData();
  form.append("file", file, file.name || "picture");
  if (labels.length) form.append("labels", JSON.stringify(labels));
  const key = currentKey();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch cannot tell how much was sent
    request.open("POST", "/v1/images");
    if (key) request.setRequestHeader("Authorization", `Bearer ${key}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && onShare(event.loaded / event.total);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    request.onload = async () => {
      if (request.status < 300 && request.response) return resolve(request.response as ImageOut);
      if (request.status === 401 && (await hasOtherKey(key))) return resolve(upload(file, labels, onShare, signal));
      const header = (name: string) => request.getResponseHeader(name);
      return reject(problemOf(request.status, header("X-Request-ID"), header("Retry-After"), request.response as KnownProblem | null));
    };
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
