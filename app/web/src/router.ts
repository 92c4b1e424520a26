// Addresses of the page: #/jobs/ID?status=failed. Kept in the fragment, so that the server needs no route per page.

import { signal } from "@preact/signals";

export interface Route {
  /** Name of a page, as in pages.ts. */
  page: string;
  /** What the page shows: an id, or null for its list or start. */
  id: string | null;
  query: URLSearchParams;
}

export const START = "ask";

function parse(fragment: string): Route {
  const text = fragment.replace(/^#\/?/, "");
  if (/^(set|tab)=/.test(text)) {
    // Links to mark sets as the page wrote them before it had several pages.
    const old = new URLSearchParams(text);
    const tab = old.get("tab");
    return tab && tab !== "picture" ? { page: tab, id: null, query: new URLSearchParams() } : { page: START, id: old.get("set"), query: new URLSearchParams() };
  }
  const [path = "", query = ""] = text.split("?", 2);
  const [page, id] = path.split("/", 2);
  return { page: page || START, id: id ? decodeURIComponent(id) : null, query: new URLSearchParams(query) };
}

/** Where we are; changes with the address. */
export const route = signal<Route>(parse(location.hash));

const lastOf = new Map<string, string>();

function follow(): void {
  route.value = parse(location.hash);
  lastOf.set(route.value.page, location.hash || "#/");
}

window.addEventListener("hashchange", follow);
window.addEventListener("popstate", follow);
follow();

/** The address of a page, for links. */
export function href(page: string, id: string | null = null, query: Record<string, string | null | undefined> = {}): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) parts.set(name, value);
  return `#/${page}${id ? `/${encodeURIComponent(id)}` : ""}${parts.size ? `?${parts}` : ""}`;
}

/** The address of a page as it was last seen: the navigation leads back to where one was. */
export function lastHref(page: string): string {
  return lastOf.get(page) ?? href(page);
}

/** Go to an address; with `replace` the one before is forgotten. */
export function go(address: string, { replace = false } = {}): void {
  if (address === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  follow();
}
