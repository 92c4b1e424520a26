// The stage: a picture with zoom and pan, and the light on its marks. The viewer does the work; this puts it into the page.

import { effect, type ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import type { Mark } from "../api/types";
import { Icon } from "../ui/icon";
import type { Focus } from "./focus";
import { Gestures, type Tool } from "./gestures";
import { describe } from "./marks";
import { type Layer, type Size, Viewer } from "./viewer";
import "./stage.css";

/** What is shown: an object URL and the size in pixels; without a size the picture's own. */
export interface Shown {
  url: string;
  size: Size | null;
}

interface Props {
  shown: ReadonlySignal<Shown | null>;
  marks: ReadonlySignal<readonly Mark[]>;
  focus: Focus;
  label: string;
  /** The picture as text. */
  alt: string;
  tool?: Tool | null;
  layer?: Layer | null;
  /** What the pointer looks like over the picture, where a tool has it. */
  cursor?: "default" | "crosshair";
  onViewer?: (viewer: Viewer) => void;
  /** Above the picture, such as a hint to drop one or a progress box. */
  children?: ComponentChildren;
  /** Beside the zoom buttons. */
  controls?: ComponentChildren;
}

function Pointed({ marks, focus }: Pick<Props, "marks" | "focus">) {
  const id = focus.hovered.value ?? focus.pinned.value;
  const mark = id === null ? undefined : marks.value.find((one) => one.id === id);
  return <p class="pointed" id="pointed" aria-live="polite">{mark ? describe(mark) : ""}</p>;
}

export function Stage({ shown, marks, focus, label, alt, tool = null, layer = null, cursor = "default", onViewer, children, controls }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const world = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLImageElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const viewer = useRef<Viewer | null>(null);
  const gestures = useRef<Gestures | null>(null);
  const keys = useId();

  useEffect(() => {
    const made = new Viewer({ stage: stage.current!, world: world.current!, image: image.current!, canvas: canvas.current! }, focus);
    viewer.current = made;
    gestures.current = new Gestures(made);
    onViewer?.(made);
    const stops = [
      effect(() => {
        if (shown.value) void made.show(shown.value.url, shown.value.size);
        else made.clear();
      }),
      effect(() => made.setMarks(marks.value)),
      () => gestures.current?.stop(),
      () => made.stop(),
    ];
    return () => stops.forEach((stop) => stop());
  }, [shown, marks, focus]);

  useEffect(() => {
    if (gestures.current) gestures.current.tool = tool;
    if (viewer.current) {
      viewer.current.layer = layer;
      viewer.current.redraw();
    }
  }, [tool, layer]);

  return (
    <div class="stage-column">
      <div ref={stage} class={`stage ${cursor}`} id="stage" tabIndex={0} role="group" aria-describedby={keys} aria-label={label}>
        <div ref={world} class="world"><img ref={image} id="picture" alt={alt} draggable={false} hidden /></div>
        <canvas ref={canvas} id="light" aria-hidden="true" />
        {children}
      </div>
      <div class="viewbar" role="toolbar" aria-label="View">
        {controls}
        <Pointed marks={marks} focus={focus} />
        <div class="zoom" role="group" aria-label="Zoom">
          <button type="button" class="icon" aria-label="Zoom out" title="Zoom out (-)" onClick={() => viewer.current?.zoom(1 / 1.4)}><Icon name="minus" size={16} /></button>
          <button type="button" class="icon wide" aria-label="Fit the picture" title="Fit (0)" onClick={() => viewer.current?.fit()}>Fit</button>
          <button type="button" class="icon" aria-label="Zoom in" title="Zoom in (+)" onClick={() => viewer.current?.zoom(1.4)}><Icon name="plus" size={16} /></button>
        </div>
      </div>
      <p class="visually-hidden" id={keys}>Plus and minus zoom, zero fits, arrow keys move. The list of marks lights the same regions.</p>
    </div>
  );
}
