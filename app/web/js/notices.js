// Errors and short messages at the top of the page: what happened, what to do, and the request id for the log.

import { byId, make } from "./dom.js";

/** Show a problem until it is closed; aborted work is no problem. */
export function report(problem) {
  if (problem.name === "AbortError") return;
  if (problem.status === undefined) console.error(problem);
  const lines = [problem.detail, ...(problem.errors || []).map(({ pointer, message }) => `${pointer}: ${message}`)];
  if (problem.retryAfterS) lines.push(`Try again in ${problem.retryAfterS} s.`);
  const title = problem.status === undefined ? "Something went wrong in this page" : problem.message;
  const node = make("div", { class: "notice" },
    make("div", { class: "notice-text" },
      make("strong", {}, title),
      ...lines.filter(Boolean).map((line) => make("p", {}, line)),
      problem.requestId ? make("p", { class: "soft small" }, "Request ", make("code", {}, problem.requestId)) : null),
    make("button", { type: "button", class: "icon", "aria-label": "Close this message", onclick: () => node.remove() }, "×"));
  const box = byId("notices");
  while (box.children.length >= 3) box.firstElementChild.remove();
  box.append(node);
}

/** Forget what is shown, when the person starts something new. */
export function clearNotices() {
  byId("notices").replaceChildren();
}
