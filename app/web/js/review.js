// The review page: one text at a time beside its marked picture; a, e and r accept, edit and reject it.

import { get, patch, picture } from "./api.js";
import { byId, make, setText } from "./dom.js";
import { report } from "./notices.js";

const PAGE = 50;
const KEYS = { a: "accept", e: "edit", r: "reject", ArrowRight: "next", ArrowLeft: "back" };

/** The marks that a text is about, corrected if somebody did. */
function setOf(text) {
  return text.outdated?.newest_mark_set_id || text.mark_set_id;
}

/** Where the picture of a text is served: the newest marks if they were corrected, the plain picture if it has none. */
function pictureOf(text) {
  const set = setOf(text);
  return text.tagged && set ? `/v1/marksets/${set}/overlay.png` : `/v1/images/${text.image_id}/content`;
}

export class Review {
  /** `onOpenSet(id)` shows a mark set on the picture page. */
  constructor(onOpenSet) {
    this.texts = [];
    this.at = 0;
    this.cursor = null;
    this.editing = false;
    this.busy = false;
    for (const what of ["accept", "edit", "reject", "back", "next"]) {
      byId(`review-${what}`).addEventListener("click", () => this.act(what));
    }
    byId("review-save").addEventListener("click", () => this.save());
    byId("review-cancel").addEventListener("click", () => this.working(() => this.show()));
    byId("review-state").addEventListener("change", () => this.load());
    byId("review-open").addEventListener("click", () => onOpenSet(this.setId()));
    byId("correct").addEventListener("submit", (event) => { event.preventDefault(); this.correct(); });
    byId("correct-mark").addEventListener("change", () => this.fillCorrection());
    document.addEventListener("keydown", (event) => this.key(event));
  }

  /** Start or stop to be looked at. */
  follow(on) {
    if (on && !this.on) this.load();
    this.on = on;
  }

  get text() {
    return this.texts[this.at] || null;
  }

  setId() {
    return this.text && setOf(this.text);
  }

  query(after = "") {
    const state = byId("review-state").value;
    return `/v1/texts?limit=${PAGE}${state ? `&review=${state}` : ""}${after ? `&after=${after}` : ""}`;
  }

  async load() {
    await this.working(async () => {
      const page = await get(this.query());
      this.texts = page.data;
      this.cursor = page.next_cursor;
      await this.show(0);
    });
  }

  /** Do one thing at a time; what goes wrong is told and changes nothing. */
  async working(steps) {
    if (this.busy) return;
    this.busy = true;
    try {
      await steps();
    } catch (error) {
      report(error);
    } finally {
      this.busy = false;
    }
  }

  key(event) {
    if (!this.on || event.ctrlKey || event.metaKey || event.altKey) {
      if (this.on && this.editing && event.ctrlKey && event.key === "Enter") this.save();
      return;
    }
    if (this.editing && event.key === "Escape") this.working(() => this.show());
    const own = event.key.startsWith("Arrow") ? ", [role=tab]" : ""; // on a tab the arrows change the page
    if (event.target.closest(`input, textarea, select, dialog${own}`) || !(event.key in KEYS)) return;
    event.preventDefault();
    this.act(KEYS[event.key]);
  }

  act(what) {
    if (!this.text || this.editing || this.busy) return;
    if (what === "edit") this.edit();
    else if (what === "next" || what === "back") this.working(() => this.step(what === "next" ? 1 : -1));
    else this.judge({ review: `${what}ed` });
  }

  async step(by) {
    if (this.at + by >= this.texts.length && this.cursor) {
      const page = await get(this.query(this.cursor)).catch(() => ({ data: [], next_cursor: null }));
      this.texts.push(...page.data);
      this.cursor = page.next_cursor;
    }
    await this.show(Math.max(0, Math.min(this.texts.length, this.at + by)));
  }

  /** Send a verdict about the revision that is on the screen, then go on. */
  judge(verdict) {
    return this.working(async () => {
      const reason = byId("review-reason").value;
      const body = { ...verdict, revision: this.text.revision, ...(reason ? { reason } : {}) };
      this.texts[this.at] = await patch(`/v1/texts/${this.text.id}`, body);
      await this.step(1);
    });
  }

  edit() {
    this.editing = true;
    const turns = this.text.conversations.map(({ from, value }, number) => {
      const area = make("textarea", { rows: Math.min(14, 2 + value.split("\n").length), "data-from": from,
        "aria-label": `Turn ${number + 1}, ${from}` });
      area.value = value;
      return make("li", { class: from }, area);
    });
    byId("review-turns").replaceChildren(...turns);
    this.buttons();
    byId("review-turns").querySelector("li.gpt textarea")?.focus();
  }

  save() {
    const areas = [...byId("review-turns").querySelectorAll("textarea")];
    const conversations = areas.map((area) => ({ from: area.dataset.from, value: area.value }));
    return this.judge({ review: "edited", conversations });
  }

  buttons() {
    byId("review-verdicts").hidden = this.editing;
    byId("review-editing").hidden = !this.editing;
  }

  /** Fetch all that belongs to a text, then turn to it in one go: no verdict meets a text that is not on the screen, and no form fills up
      after somebody has typed into it. */
  async show(at = this.at) {
    const text = this.texts[at] || null;
    const set = text?.tagged && setOf(text);
    const [url, marks] = await Promise.all([text && picture(pictureOf(text)), set && get(`/v1/marksets/${set}`)]);
    this.at = at;
    this.editing = false;
    byId("review-card").hidden = !text;
    byId("review-picture").hidden = !text;
    byId("review-empty").hidden = Boolean(text);
    this.buttons();
    if (!text) return;
    const { model, writer, checks_failed: failed } = text.provenance;
    setText(byId("review-count"), `${this.at + 1} of ${this.texts.length}${this.cursor ? "+" : ""}`);
    setText(byId("review-kind"), [text.kind, model?.name || writer, text.review].filter(Boolean).join(" · "));
    const notes = [...(Array.isArray(failed) ? failed : [])];
    if (text.outdated) notes.push(text.outdated.fits ? "Its marks were corrected; it still fits." : "Its marks were corrected; it no longer fits: edit or reject it.");
    byId("review-notes").replaceChildren(...notes.map((note) => make("li", {}, note)));
    byId("review-turns").replaceChildren(...text.conversations.map(({ from, value }) =>
      make("li", { class: from }, make("span", { class: "soft small" }, from), make("p", {}, value))));
    byId("review-reason").value = "";
    this.showPicture(text, url);
    this.showMarks(set ? marks.marks : null);
  }

  showPicture(text, url) {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = url;
    byId("review-picture").src = url;
    byId("review-picture").alt = text.tagged ? "The marked picture that the text is about" : "The picture that the text is about";
  }

  showMarks(marks) {
    this.marks = marks;
    byId("correct").hidden = !marks;
    byId("review-open").hidden = !marks;
    if (!marks) return;
    byId("correct-mark").replaceChildren(...this.marks.map((mark) => make("option", { value: mark.id }, mark.id)));
    this.fillCorrection();
  }

  fillCorrection() {
    const mark = this.marks.find(({ id }) => id === byId("correct-mark").value);
    byId("correct-name").value = mark?.text ?? "";
    byId("correct-box").value = mark ? mark.bbox_xyxy_px.map(Math.round).join(", ") : "";
  }

  /** A corrected mark is a new mark set; the text is read again, because it may fit no longer. */
  correct() {
    return this.working(async () => {
      const id = byId("correct-mark").value;
      const mark = this.marks.find((one) => one.id === id);
      const box = byId("correct-box").value.split(",").map(Number);
      const changes = {};
      if (byId("correct-name").value !== (mark.text ?? "")) changes.text = byId("correct-name").value;
      if (box.some((value, side) => value !== Math.round(mark.bbox_xyxy_px[side]))) changes.bbox_xyxy_px = box;
      if (!Object.keys(changes).length) return;
      await patch(`/v1/marksets/${this.setId()}/marks/${encodeURIComponent(id)}`, changes);
      this.texts[this.at] = await get(`/v1/texts/${this.text.id}`);
      await this.show();
    });
  }
}
