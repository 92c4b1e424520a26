// The list of marks beside the picture: pointing at a row lights its region, and the other way round.

import { effect, type ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Mark } from "../api/types";
import type { Focus } from "./focus";

export function extent({ bbox_xyxy_px: [left, top, right, bottom] }: Mark): string {
  return `${Math.round(right - left)} × ${Math.round(bottom - top)}`;
}

/** A mark in one line, for people who point at it. */
export function describe(mark: Mark): string {
  const what = [mark.role, mark.text ? `“${mark.text}”` : null].filter(Boolean).join(" ");
  const [left, top] = mark.bbox_xyxy_px.map(Math.round);
  return `${mark.id} · ${what || "region"} · ${extent(mark)} px at ${left}, ${top}`;
}

function title(mark: Mark): string {
  if (mark.occluded) return "Covered by other regions: its point lies in its box, not in the open";
  if (mark.lookalike) return "Something painted here looks like one of our labels";
  return describe(mark);
}

function Row({ mark, focus, onChoose }: { mark: Mark; focus: Focus; onChoose: (mark: Mark, event: MouseEvent) => void }) {
  const kind = mark.lookalike ? "looks like a mark" : mark.occluded ? "covered" : mark.text ? mark.role || "" : "";
  return (
    <li>
      <button type="button" class="mark" aria-pressed="false" title={title(mark)} onClick={(event) => onChoose(mark, event)} {...focus.lights(mark.id)}>
        <span class="tag">{mark.id}</span>
        <span class={mark.text ? "what" : "what soft"}>{mark.text || mark.role || "region"}</span>
        <span class="kind">{kind}</span>
        <span class="extent">{extent(mark)}</span>
      </button>
    </li>
  );
}

interface Props {
  marks: ReadonlySignal<readonly Mark[]>;
  focus: Focus;
  /** By default a click pins the mark. */
  onChoose?: (mark: Mark, event: MouseEvent) => void;
  /** Marks that are chosen, besides the one that is pinned. */
  chosen?: ReadonlySignal<ReadonlySet<string>>;
}

export function MarkList({ marks, focus, chosen, onChoose = (mark) => focus.pin(mark.id) }: Props) {
  const list = useRef<HTMLUListElement>(null);

  // The light changes with every move of the pointer: classes are set by hand, and no row is rendered for it.
  const light = () => {
    const node = list.current;
    const [hovered, pinned, named, some] = [focus.hovered.value, focus.pinned.value, focus.named.value, chosen?.value];
    if (!node) return;
    let first: HTMLElement | null = null;
    for (const row of node.querySelectorAll<HTMLElement>(".mark")) {
      const id = row.dataset.mark!;
      const picked = id === pinned || (some?.has(id) ?? false);
      row.classList.toggle("front", id === hovered || picked);
      row.classList.toggle("named", named.includes(id));
      row.setAttribute("aria-pressed", String(picked));
      if (id === (hovered ?? pinned ?? named[0])) first = row;
    }
    if (first && !node.matches(":hover, :focus-within")) reveal(node, first);
  };
  useEffect(() => effect(light), [focus, chosen]);
  useEffect(light, [marks.value]);

  return (
    <ul class="marks" id="marks" ref={list} aria-label="Marks">
      {marks.value.map((mark) => <Row key={mark.id} mark={mark} focus={focus} onChoose={onChoose} />)}
    </ul>
  );
}

// Scrolls the list only, never the page.
function reveal(list: HTMLElement, row: HTMLElement): void {
  const [frame, place] = [list.getBoundingClientRect(), row.getBoundingClientRect()];
  if (place.top < frame.top) list.scrollTop -= frame.top - place.top + 8;
  if (place.bottom > frame.bottom) list.scrollTop += place.bottom - frame.bottom + 8;
}
