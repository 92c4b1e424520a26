// A progress bar with its stage in words; used while a picture is marked, a question is answered, and in the job list.

import { make, setText } from "./dom.js";

const STAGES = {
  decode: "Reading the picture",
  mark: "Placing marks",
  answer: "Asking the model",
};
const SEGMENTERS = { gui: "interface elements", regions: "regions", provided: "your regions" };

/** What a stage of a job means; unknown ones are shown as they are. */
export function stageText(stage) {
  if (!stage) return null;
  if (stage.startsWith("segment")) {
    const name = stage.split(":")[1];
    return name ? `Finding ${SEGMENTERS[name] || `regions (${name})`}` : "Finding regions";
  }
  return STAGES[stage] || stage;
}

/** The bar alone; `set(percent)` with null for "busy, nobody knows how long". */
export function bar(label) {
  const fill = make("span", { class: "fill" });
  const node = make("div", { class: "progress", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100 }, fill);
  const set = (percent) => {
    node.classList.toggle("busy", percent === null);
    if (percent === null) node.removeAttribute("aria-valuenow");
    else node.setAttribute("aria-valuenow", Math.round(percent));
    fill.style.width = percent === null ? "" : `${Math.max(2, Math.min(100, percent))}%`;
  };
  set(null);
  return { node, set };
}

/** A bar with a line of text, the time it takes, and a way out. */
export class Progress {
  constructor(title, { onCancel } = {}) {
    this.bar = bar(title);
    this.words = make("span", { class: "stage-text" }, title);
    this.clock = make("span", { class: "soft clock" });
    this.button = onCancel ? make("button", { type: "button", class: "button small", onclick: () => this.cancel(onCancel) }, "Cancel") : null;
    this.node = make("div", { class: "progress-box", role: "status" },
      make("div", { class: "row" }, this.words, this.clock, this.button), this.bar.node);
    const started = performance.now();
    this.timer = setInterval(() => setText(this.clock, `${((performance.now() - started) / 1000).toFixed(0)} s`), 1000);
  }

  cancel(onCancel) {
    this.button.disabled = true;
    setText(this.words, "Cancelling");
    onCancel();
  }

  /** Say what happens, and how far it is (0-100 or null). */
  say(words, percent) {
    setText(this.words, words);
    this.bar.set(percent);
  }

  /** Take in an event of a job. */
  hear(type, data) {
    if (type === "log" && data.message) setText(this.words, data.message);
    if (type !== "progress") return;
    const words = data.status === "queued" ? "Waiting for a worker" : stageText(data.stage);
    const share = data.total ? (100 * data.done) / data.total : null;
    this.say(words || this.words.textContent, data.status === "queued" ? null : share);
  }

  /** Take the box away. */
  end() {
    clearInterval(this.timer);
    this.node.remove();
  }
}
