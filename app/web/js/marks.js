// The list of marks beside the picture: pointing at a row lights its region, and the other way round.

import { byId, make, setText } from "./dom.js";

/** A mark in one line, for people who point at it. */
export function describe(mark) {
  const [left, top, right, bottom] = mark.bbox_xyxy_px.map(Math.round);
  const what = [mark.role, mark.text ? `“${mark.text}”` : null].filter(Boolean).join(" ");
  return `${mark.id} · ${what || "region"} · ${right - left} × ${bottom - top} px at ${left}, ${top}`;
}

export class MarkList {
  constructor(focus) {
    this.focus = focus;
    this.list = byId("marks");
    this.rows = new Map();
    focus.addEventListener("change", () => this.light());
  }

  /** Show the marks of one set. */
  show(markSet) {
    this.marks = new Map(markSet ? markSet.marks.map((mark) => [mark.id, mark]) : []);
    this.rows = new Map([...this.marks].map(([id, mark]) => [id, this.row(mark)]));
    this.list.replaceChildren(...[...this.rows.values()].map((row) => make("li", {}, row)));
    setText(byId("marks-count"), markSet ? String(markSet.marks.length) : "");
    setText(byId("facts"), markSet ? this.facts(markSet) : "");
    byId("facts").title = markSet ? `${markSet.segmenter.name} ${markSet.segmenter.version}` : "";
    this.light();
  }

  facts({ segmenter, image, omitted_regions: omitted, marks }) {
    const detail = segmenter.granularity === null ? "" : `, detail ${segmenter.granularity}`;
    const left = omitted ? ` · ${omitted} more left out` : "";
    const none = marks.length ? "" : " · Nothing was found: try another way to find regions, or more detail.";
    return `Found by ${segmenter.name}${detail} · ${image.width} × ${image.height} px${left}${none}`;
  }

  row(mark) {
    const [left, top, right, bottom] = mark.bbox_xyxy_px.map(Math.round);
    const title = mark.occluded ? "Covered by other regions: its point lies in its box, not in the open" : describe(mark);
    const row = make("button", { type: "button", class: "mark", "data-mark": mark.id, "aria-pressed": "false", title,
      onclick: () => this.focus.pin(mark.id) },
      make("span", { class: "tag" }, mark.id),
      make("span", { class: mark.text ? "what" : "what soft" }, mark.text || mark.role || "region"),
      make("span", { class: "kind" }, mark.occluded ? "covered" : mark.text ? mark.role || "" : ""),
      make("span", { class: "extent" }, `${right - left} × ${bottom - top}`));
    return this.focus.lights(row, mark.id);
  }

  light() {
    const { hovered, pinned, named } = this.focus;
    for (const [id, row] of this.rows) {
      row.classList.toggle("front", id === hovered || id === pinned);
      row.classList.toggle("named", named.includes(id));
      row.setAttribute("aria-pressed", String(id === pinned));
    }
    const shown = this.marks?.get(hovered ?? pinned);
    setText(byId("pointed"), shown ? describe(shown) : "");
    const row = this.rows.get(hovered ?? pinned ?? named[0]);
    if (row && !this.list.matches(":hover, :focus-within")) this.reveal(row);
  }

  // Scrolls the list only, never the page.
  reveal(row) {
    const [frame, place] = [this.list.getBoundingClientRect(), row.getBoundingClientRect()];
    if (place.top < frame.top) this.list.scrollTop -= frame.top - place.top + 8;
    if (place.bottom > frame.bottom) this.list.scrollTop += place.bottom - frame.bottom + 8;
  }
}
