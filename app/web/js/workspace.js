// From a file to a marked picture: send it, order the marks, follow the job, show what came out.

import { get, picture, post, Problem, upload, watchJob } from "./api.js";
import { curlMark } from "./curl.js";
import { byId, copyButton, setText } from "./dom.js";
import { clearNotices, report } from "./notices.js";
import { Progress } from "./progress.js";

export class Workspace {
  /** `onShow(markSet | null)` hears what is on the stage. */
  constructor({ viewer, focus, onShow }) {
    Object.assign(this, { viewer, focus, onShow });
    this.image = null;
    this.markSet = null;
    this.setId = null;
    this.fileName = "picture.png";
    this.urls = {};
    this.view = "marked";
    this.stop = new AbortController();
    for (const id of ["segmenter", "style", "granularity"]) byId(id).addEventListener("change", () => this.markAgain());
    byId("granularity").addEventListener("input", () => this.tellGranularity());
    for (const view of ["marked", "clean"]) byId(`show-${view}`).addEventListener("click", () => this.show(view));
    copyButton(byId("copy-mark"), () => curlMark(this.fileName, this.settings()));
  }

  settings() {
    const granularity = Number(byId("granularity").value);
    return {
      segmenter: byId("segmenter").value,
      style: byId("style").value,
      granularity: granularity === 0 ? null : granularity,
    };
  }

  tellGranularity() {
    const { value } = byId("granularity");
    const words = value === "0" ? "auto" : `${value} of 6`;
    setText(byId("granularity-text"), words);
    byId("granularity").setAttribute("aria-valuetext", words);
  }

  /** Run one piece of work: the one before is given up, and what goes wrong is said. */
  async work(title, steps) {
    this.stop.abort();
    const stop = new AbortController();
    this.stop = stop;
    clearNotices();
    let job = null;
    const cancel = () => (job ? post(`/v1/jobs/${job.id}/cancel`).catch(report) : stop.abort());
    const progress = new Progress(title, { onCancel: cancel });
    byId("working").replaceChildren(progress.node);
    byId("working").hidden = false;
    try {
      await steps(progress, stop.signal, (ordered) => { job = ordered; });
    } catch (error) {
      report(error);
      if (this.stop === stop) await this.restore();
    } finally {
      progress.end();
      if (this.stop === stop) byId("working").hidden = true;
    }
  }

  /** Mark a file of the person's. */
  async openFile(file) {
    if (file.type && !file.type.startsWith("image/")) {
      report(new Problem({ title: "This is not a picture", detail: `${file.name || "The file"} is of the type ${file.type}.` }));
      return;
    }
    await this.work("Sending the picture", async (progress, signal, ordered) => {
      this.fileName = file.name || "picture.png";
      this.focus.clear();
      byId("workspace").dataset.empty = "false";
      const preview = URL.createObjectURL(file);
      await this.viewer.preview(preview);
      this.image = await upload(file, (share) => progress.say("Sending the picture", share < 1 ? 100 * share : null), signal);
      await this.mark(progress, signal, ordered);
      URL.revokeObjectURL(preview);
    });
  }

  /** Mark the same picture with other settings. */
  async markAgain() {
    this.tellGranularity();
    if (!this.image) return;
    await this.work("Marking again", (progress, signal, ordered) => this.mark(progress, signal, ordered));
  }

  async mark(progress, signal, ordered) {
    progress.say("Waiting for a worker", null);
    const order = { image: { type: "id", id: this.image.id }, ...this.settings() };
    const answered = await post("/v1/marksets", order, { Prefer: "respond-async" });
    let id = answered.body.id;
    if (answered.status === 202) {
      ordered(answered.body);
      const job = await watchJob(answered.body, (type, data) => progress.hear(type, data), signal);
      if (job.status !== "succeeded") throw Problem.ofJob(job);
      id = job.result.mark_set_id;
    }
    signal.throwIfAborted();
    progress.say("Opening the marked picture", 100);
    await this.load(id, signal);
  }

  /** Show a mark set that exists, from a link or the list. */
  async openSet(id) {
    if (this.markSet?.id === id) return;
    this.setId = id;
    await this.work("Opening the picture", async (progress, signal) => {
      byId("workspace").dataset.empty = "false";
      this.fileName = "picture.png";
      await this.load(id, signal);
      const { style, segmenter } = this.markSet;
      if (typeof style === "string") byId("style").value = style;
      byId("granularity").value = String(segmenter.granularity ?? 0);
      this.tellGranularity();
    });
  }

  async load(id, signal) {
    const markSet = await get(`/v1/marksets/${id}?include=masks`, signal);
    const [marked, clean] = await Promise.all([
      picture(markSet.overlay_url, signal),
      picture(`/v1/images/${markSet.image.id}/content`, signal),
    ]);
    for (const url of Object.values(this.urls)) URL.revokeObjectURL(url);
    this.urls = { marked, clean };
    this.markSet = markSet;
    this.setId = markSet.id;
    this.image = markSet.image;
    this.focus.clear();
    await this.viewer.show(this.urls[this.view], markSet.image);
    this.viewer.setMarks(markSet.marks);
    byId("copy-mark").disabled = false;
    this.onShow(markSet);
  }

  /** After work that failed: what was there before, or the empty page. */
  async restore() {
    if (this.markSet) {
      this.image = this.markSet.image;
      this.setId = this.markSet.id;
      await this.viewer.show(this.urls[this.view], this.markSet.image);
      this.viewer.setMarks(this.markSet.marks);
      return;
    }
    this.close();
  }

  /** Back to the empty page. */
  close() {
    this.stop.abort();
    this.image = null;
    this.markSet = null;
    this.setId = null;
    this.viewer.clear();
    this.focus.clear();
    byId("workspace").dataset.empty = "true";
    byId("copy-mark").disabled = true;
    this.onShow(null);
  }

  async show(view) {
    this.view = view;
    for (const name of ["marked", "clean"]) byId(`show-${name}`).setAttribute("aria-pressed", String(name === view));
    if (this.markSet) await this.viewer.show(this.urls[view], this.markSet.image);
  }
}
