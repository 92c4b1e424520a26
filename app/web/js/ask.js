// The ask box and the history of questions about this picture.

import { get, post, Problem, watchJob } from "./api.js";
import { answerCard, namedBy } from "./answers.js";
import { curlAsk } from "./curl.js";
import { byId, copyButton, make } from "./dom.js";
import { clearNotices, report } from "./notices.js";
import { Progress } from "./progress.js";

const HISTORY = 20;

export class AskBox {
  constructor(focus) {
    this.focus = focus;
    this.list = byId("answers");
    this.query = byId("query");
    this.task = byId("task");
    this.controls = [this.query, this.task, byId("send"), byId("copy-ask")];
    this.stop = new AbortController();
    byId("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
    this.query.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.ask();
    });
    this.task.addEventListener("change", () => this.hint());
    copyButton(byId("copy-ask"), () => curlAsk(this.body()));
  }

  hint() {
    const hints = {
      ask: "What is on this picture?",
      list: "List the marked items one by one.",
      refer: "the field for the e-mail address",
      act: "log in",
    };
    this.query.placeholder = hints[this.task.value];
  }

  /** Turn to another mark set, or to none; shows what was asked about it before. */
  async open(markSetId) {
    this.stop.abort();
    this.stop = new AbortController();
    const { signal } = this.stop;
    this.markSetId = markSetId;
    this.active = null;
    this.list.replaceChildren();
    for (const control of this.controls) control.disabled = !markSetId;
    this.hint();
    if (!markSetId) return;
    try {
      const page = await get(`/v1/answers?mark_set_id=${markSetId}&limit=${HISTORY}`, signal);
      const known = new Set([...this.list.children].map((node) => node.dataset.answer));
      this.list.append(...page.data.filter(({ id }) => !known.has(id)).map((answer) => this.card(answer)));
    } catch (error) {
      report(error);
    }
  }

  body() {
    const query = this.query.value.trim();
    return { mark_set_id: this.markSetId, ...(query ? { query } : {}), task: this.task.value };
  }

  async ask() {
    const body = this.body();
    if (!this.markSetId) return;
    if (!body.query && body.task !== "list") {
      this.query.focus();
      return;
    }
    clearNotices();
    const { signal } = this.stop;
    let job = null;
    const progress = new Progress("Asking", { onCancel: () => job && post(`/v1/jobs/${job.id}/cancel`).catch(report) });
    const waiting = make("li", { class: "answer waiting" },
      make("p", { class: "question" }, make("span", { class: "query" }, body.query || "List the marks"), make("span", { class: "badge" }, body.task)),
      progress.node);
    this.list.prepend(waiting);
    this.list.scrollTop = 0;
    this.query.value = "";
    try {
      const ordered = await post("/v1/ground", body, { Prefer: "respond-async" });
      let answer = ordered.body;
      if (ordered.status === 202) {
        job = await watchJob(ordered.body, (type, data) => progress.hear(type, data), signal);
        if (job.status !== "succeeded") throw Problem.ofJob(job);
        answer = await get(`/v1/answers/${job.result.answer_id}`, signal);
      }
      const card = this.card(answer);
      waiting.replaceWith(card);
      this.light(answer, card);
    } catch (error) {
      waiting.remove();
      if (!this.query.value && !signal.aborted) this.query.value = body.query || "";
      report(error);
    } finally {
      progress.end();
    }
  }

  card(answer) {
    const card = answerCard(answer, this.focus, () => this.light(this.active === card ? null : answer, card));
    return card;
  }

  light(answer, card) {
    if (this.active) this.mark(this.active, false);
    this.active = answer ? card : null;
    if (answer) this.mark(card, true);
    if (answer) this.reveal(card);
    if (answer) this.focus.name(namedBy(answer), answer.action);
    else this.focus.name([]);
  }

  // Scrolls the list only, never the page.
  reveal(card) {
    const [frame, place] = [this.list.getBoundingClientRect(), card.getBoundingClientRect()];
    if (place.top < frame.top || place.bottom > frame.bottom) this.list.scrollTop += place.top - frame.top - 4;
  }

  mark(card, open) {
    card.classList.toggle("open", open);
    card.querySelector("button.question").setAttribute("aria-pressed", String(open));
  }
}
