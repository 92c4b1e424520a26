// The grid of pictures: only what is near the window exists in the page, however many there are. One tab stop; arrows move, space
// chooses, enter opens.

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ImageOut } from "../../api/types";
import { Picture } from "../../ui/picture";
import { gallery } from "./store";

const WIDTH_PX = 196;
const HEIGHT_PX = 190;
const GAP_PX = 12;

function useRows(box: { current: HTMLElement | null }, count: number, rowPx: number): Virtualizer<HTMLElement, Element> {
  const [, again] = useState(0);
  const [rows] = useState(() => new Virtualizer<HTMLElement, Element>({
    count, getScrollElement: () => box.current, estimateSize: () => rowPx, overscan: 2, initialOffset: gallery.scrolledPx,
    observeElementRect, observeElementOffset, scrollToFn: elementScroll, onChange: () => again((turn) => turn + 1),
  }));
  rows.setOptions({ ...rows.options, count, estimateSize: () => rowPx });
  useLayoutEffect(() => rows._didMount(), []);
  useLayoutEffect(() => rows._willUpdate());
  return rows;
}

function nameOf({ width, height, labels, created_at: at }: ImageOut): string {
  return `Picture of ${width} × ${height} pixels, ${labels.length ? `labelled ${labels.join(", ")}, ` : ""}${new Date(at).toLocaleString()}`;
}

export function Grid({ onOpen }: { onOpen: (id: string) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState(0);
  const anchor = useRef(0);
  const images = gallery.images.value;
  const columns = Math.max(2, Math.floor((width + GAP_PX) / (WIDTH_PX + GAP_PX)));
  const cellPx = (width - (columns - 1) * GAP_PX) / columns;
  const rowPx = Math.round(Math.min(HEIGHT_PX, cellPx + 34)) + GAP_PX;
  const rows = useRows(box, Math.ceil(images.length / columns), rowPx);

  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => setWidth(box.current?.clientWidth ?? 0));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => rows.measure(), [rowPx]);
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    gallery.scrolledPx = rows.scrollOffset ?? 0;
    if ((last + 4) * columns >= images.length) void gallery.next();
  }, [last, images.length, columns]);

  const move = (to: number) => {
    const place = Math.max(0, Math.min(images.length - 1, to));
    setAt(place);
    rows.scrollToIndex(Math.floor(place / columns), { align: "auto" });
    return place;
  };
  const range = (from: number, to: number) => images.slice(Math.min(from, to), Math.max(from, to) + 1).map(({ id }) => id);
  const key = (event: KeyboardEvent) => {
    const page = columns * Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / rowPx));
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -page, PageDown: page, Home: -images.length, End: images.length };
    const by = steps[event.key];
    const image = images[at];
    if (by !== undefined) {
      const place = move(at + by);
      if (event.shiftKey) gallery.choose(range(anchor.current, place));
      else anchor.current = place;
    } else if (event.key === " " && image) gallery.toggle(image.id);
    else if (event.key === "Enter" && image) onOpen(image.id);
    else if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey)) gallery.choose(images.map(({ id }) => id));
    else if (event.key === "Escape" && gallery.chosen.value.size) gallery.choose([]);
    else return;
    event.preventDefault();
  };
  const click = (place: number, event: MouseEvent) => {
    const image = images[place]!;
    setAt(place);
    if (event.shiftKey) gallery.choose(range(anchor.current, place));
    else if (event.ctrlKey || event.metaKey || (event.target as Element).closest(".tick") || gallery.chosen.value.size) gallery.toggle(image.id);
    else onOpen(image.id);
    if (!event.shiftKey) anchor.current = place;
  };

  return (
    <div class="grid-box" id="grid" ref={box} role="listbox" aria-label="Pictures" aria-multiselectable tabIndex={0} aria-activedescendant={images[at] ? `picture-${at}` : undefined} onKeyDown={key}>
      <div class="grid-size" role="presentation" style={{ height: `${rows.getTotalSize()}px` }}>
        {width > 0 && shown.flatMap((row) => images.slice(row.index * columns, (row.index + 1) * columns).map((image, column) => {
          const place = row.index * columns + column;
          return (
            <Cell key={image.id} image={image} place={place} current={place === at} onClick={click} total={gallery.total.value ?? images.length}
              style={{ width: `${cellPx}px`, height: `${rowPx - GAP_PX}px`, transform: `translate(${column * (cellPx + GAP_PX)}px, ${row.start}px)` }} />
          );
        }))}
      </div>
    </div>
  );
}

interface CellProps {
  image: ImageOut;
  place: number;
  total: number;
  current: boolean;
  style: Record<string, string>;
  onClick: (place: number, event: MouseEvent) => void;
}

function Cell({ image, place, total, current, style, onClick }: CellProps) {
  const chosen = gallery.chosen.value.has(image.id);
  return (
    <div class={`cell ${chosen ? "chosen" : ""} ${current ? "current" : ""}`} id={`picture-${place}`} data-image={image.id} role="option" aria-selected={chosen} aria-label={nameOf(image)}
      aria-setsize={total} aria-posinset={place + 1} style={style} onClick={(event) => onClick(place, event)}>
      <Picture path={`/v1/images/${image.id}/thumbnail?size=320`} alt="" />
      <span class="tick" aria-hidden="true">{chosen ? "✓" : ""}</span>
      <span class="cell-foot"><span class="cut">{image.labels.join(", ") || <span class="soft">no label</span>}</span><span class="soft">{image.width} × {image.height}</span></span>
    </div>
  );
}
