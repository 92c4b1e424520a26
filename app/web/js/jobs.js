// The job list: live while it is looked at, each row updated in place so that nothing jumps or loses the focus.

import { get, post } from "./api.js";
import { byId, make, setText } from "./dom.js";
import { report } from "./notices.js";
import { bar, stageText } from "./progress.js";

const EVERY_MS = 2000;
const PAGE = 25;
const KINDS = {
  "mark_set.create": "Mark a picture",
  "answer.create": "Answer a question",
  "annotation.create": "Write annotations",
  "dataset.build": "Build a dataset",
  "training.run": "Train a model",
  "evaluation.run": "Evaluate a model",
};
const ACTIVE = ["queued", "running", "cancelling"];

function ago(text) {
  const seconds = Math.max(0, (Date.now() - new Date(text)) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(text).toLocaleDateString();
}

function took({ started_at: from, finished_at: to }) {
  if (!from) return "";
  const seconds = ((to ? new Date(to) : new Date()) - new Date(from)) / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

class JobRow {
  constructor(job, list) {
    this.badge = make("span", { class: "badge" });
    this.bar = bar("Progress");
    this.stage = make("span", { class: "soft job-stage" });
    this.times = make("span", { class: "soft small job-times" });
    this.reason = make("p", { class: "job-error", hidden: true });
    this.open = make("button", { type: "button", class: "button small", onclick: () => list.onOpen(this.job) }, "Open");
    this.cancel = make("button", { type: "button", class: "button small", onclick: () => list.order(this.job, "cancel") }, "Cancel");
    this.retry = make("button", { type: "button", class: "button small", onclick: () => list.order(this.job, "retry") }, "Retry");
    this.node = make("li", { class: "job", "data-job": job.id },
      make("div", { class: "job-head" }, make("strong", {}, KINDS[job.kind] || job.kind), this.badge, this.times),
      make("div", { class: "job-body" }, this.bar.node, this.stage),
      make("div", { class: "job-buttons" }, this.open, this.cancel, this.retry), this.reason);
    this.update(job);
  }

  update(job) {
    this.job = job;
    const { progress, status, error } = job;
    this.node.dataset.status = status;
    setText(this.badge, status);
    this.badge.className = `badge ${status}`;
    this.bar.set(ACTIVE.includes(status) && !progress.total ? null : progress.percent);
    this.bar.node.setAttribute("aria-label", `${KINDS[job.kind] || job.kind}: ${status}`);
    const failed = progress.failed ? `, ${progress.failed} failed` : "";
    const count = progress.total > 1 && (progress.failed || progress.total > 3) ? `${progress.done} of ${progress.total}${failed}` : "";
    const words = status === "running" ? stageText(progress.stage) : status === "queued" ? "Waiting for a worker" : null;
    const percent = status === "queued" ? null : `${Math.round(progress.percent)} %`;
    setText(this.stage, [percent, words, count].filter(Boolean).join(" · "));
    this.stage.title = this.stage.textContent;
    const attempt = job.attempt > 1 ? `attempt ${job.attempt}` : "";
    setText(this.times, [ago(job.created_at), took(job), attempt].filter(Boolean).join(" · "));
    this.reason.hidden = !error || status === "succeeded";
    setText(this.reason, error ? [error.title, error.detail].filter(Boolean).join(". ") : "");
    const partial = status === "succeeded" && progress.failed > 0;
    this.open.hidden = !(job.result?.mark_set_id || job.result?.answer_id);
    this.cancel.hidden = !["queued", "running"].includes(status);
    this.retry.hidden = !(["failed", "cancelled"].includes(status) || partial);
  }
}

export class JobList {
  /** `onOpen(job)` shows what a job made. */
  constructor(onOpen) {
    this.onOpen = onOpen;
    this.rows = new Map();
    this.list = byId("joblist");
    this.cursor = null;
    byId("jobs-more").addEventListener("click", () => this.older());
    document.addEventListener("visibilitychange", () => this.schedule(0));
  }

  /** Start or stop to follow the list. */
  follow(on) {
    this.following = on;
    this.schedule(0);
  }

  schedule(delayMs) {
    clearTimeout(this.timer);
    if (this.following && !document.hidden) this.timer = setTimeout(() => this.refresh(), delayMs);
  }

  async refresh() {
    try {
      const page = await get(`/v1/jobs?limit=${PAGE}`);
      if (this.cursor === null) this.cursor = page.next_cursor ?? "";
      this.place(page.data, true);
      setText(byId("jobs-note"), this.rows.size ? "" : "No jobs yet. Mark a picture, and it appears here.");
    } catch (error) {
      setText(byId("jobs-note"), `${error.message}. Trying again.`);
    }
    this.schedule(EVERY_MS);
  }

  async older() {
    try {
      const page = await get(`/v1/jobs?limit=${PAGE}&after=${encodeURIComponent(this.cursor)}`);
      this.cursor = page.next_cursor ?? "";
      this.place(page.data, false);
    } catch (error) {
      report(error);
    }
  }

  place(jobs, first) {
    const fresh = [];
    for (const job of jobs) {
      const row = this.rows.get(job.id);
      if (row) row.update(job);
      else {
        this.rows.set(job.id, new JobRow(job, this));
        fresh.push(this.rows.get(job.id).node);
      }
    }
    if (first) this.list.prepend(...fresh);
    else this.list.append(...fresh);
    const active = [...this.rows.values()].filter(({ job }) => ACTIVE.includes(job.status)).length;
    setText(byId("jobs-count"), String(active));
    byId("jobs-count").hidden = active === 0;
    byId("jobs-more").hidden = !this.cursor;
  }

  async order(job, what) {
    try {
      const { body } = await post(`/v1/jobs/${job.id}/${what}`);
      this.place([body], true);
    } catch (error) {
      report(error);
    }
    this.schedule(300);
  }
}
