// What a person does to the picture with a pointer, two fingers, a wheel or the keyboard, in terms of the viewer.

import type { Mark, Point } from "../api/types";
import type { Viewer } from "./viewer";

const CLICK_SLACK_PX = 5;
const STEP_PX = 60;

interface Held {
  x: number;
  y: number;
  startX: number;
  startY: number;
  dragged: boolean;
}

/** Takes pointers over from panning and pinning; points are pixels of the picture. Tools of an editor are made of this. */
export interface Tool {
  /** True to take this pointer from here to where it is let go. */
  down: (point: Point) => boolean;
  /** A pointer that was not taken was let go where it came down. */
  click: (mark: Mark | null, event: PointerEvent) => void;
  move: (point: Point) => void;
  up: (point: Point, moved: boolean) => void;
  cancel: () => void;
}

export class Gestures {
  /** Asked first, where there is one. */
  tool: Tool | null = null;
  private readonly pointers = new Map<number, Held>();
  private held: number | null = null;
  private readonly stops = new AbortController();

  constructor(private readonly viewer: Viewer) {
    const { stage, focus } = viewer;
    const options = { signal: this.stops.signal };
    stage.addEventListener("pointerdown", (event) => this.down(event), options);
    stage.addEventListener("pointermove", (event) => this.move(event), options);
    stage.addEventListener("pointerup", (event) => this.up(event), options);
    stage.addEventListener("pointercancel", (event) => this.cancel(event), options);
    stage.addEventListener("pointerleave", () => focus.hover(null), options);
    stage.addEventListener("keydown", (event) => this.key(event), options);
    stage.addEventListener("wheel", (event) => this.wheel(event), { ...options, passive: false });
  }

  stop(): void {
    this.stops.abort();
  }

  private place(event: MouseEvent): Point {
    const frame = this.viewer.stage.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  private markUnder(event: MouseEvent): Mark | null {
    return this.viewer.size ? this.viewer.markAt(...this.viewer.toPicture(this.place(event))) : null;
  }

  private down(event: PointerEvent): void {
    const { viewer } = this;
    const panning = event.button === 1;
    if (!viewer.size || (event.button !== 0 && !panning) || (event.target as Element).closest("button")) return;
    const place = this.place(event);
    this.pointers.set(event.pointerId, { x: place[0], y: place[1], startX: place[0], startY: place[1], dragged: this.pointers.size > 0 });
    viewer.stage.setPointerCapture(event.pointerId);
    if (this.pointers.size > 1 && this.held !== null) {
      // A second finger: the person wants to zoom.
      this.tool?.cancel();
      this.held = null;
    } else if (!panning && this.pointers.size === 1 && this.tool?.down(viewer.toPicture(place))) {
      this.held = event.pointerId;
    }
  }

  private move(event: PointerEvent): void {
    const { viewer } = this;
    const held = this.pointers.get(event.pointerId);
    if (!held) {
      if (event.pointerType !== "touch") viewer.focus.hover(this.markUnder(event)?.id ?? null);
      return;
    }
    const [x, y] = this.place(event);
    const other = [...this.pointers.entries()].find(([id]) => id !== event.pointerId)?.[1];
    held.dragged ||= Math.hypot(x - held.startX, y - held.startY) > CLICK_SLACK_PX;
    if (other) {
      const reach = (point: { x: number; y: number }) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
      viewer.zoom(reach({ x, y }) / reach(held), (x + other.x) / 2, (y + other.y) / 2);
    } else if (this.held === event.pointerId) {
      this.tool?.move(viewer.toPicture([x, y]));
    } else if (!viewer.fitted) {
      viewer.pan(x - held.x, y - held.y);
    }
    Object.assign(held, { x, y });
  }

  private up(event: PointerEvent): void {
    const held = this.pointers.get(event.pointerId);
    this.pointers.delete(event.pointerId);
    if (!held) return;
    const { viewer } = this;
    if (this.held === event.pointerId) {
      this.held = null;
      this.tool?.up(viewer.toPicture(this.place(event)), held.dragged);
      return;
    }
    if (held.dragged) return;
    const mark = this.markUnder(event);
    if (this.tool) this.tool.click(mark, event);
    else if (mark) viewer.focus.pin(mark.id);
    else if (viewer.focus.pinned.peek() !== null) viewer.focus.pin(viewer.focus.pinned.peek());
  }

  private cancel(event: PointerEvent): void {
    this.pointers.delete(event.pointerId);
    if (this.held !== event.pointerId) return;
    this.held = null;
    this.tool?.cancel();
  }

  private wheel(event: WheelEvent): void {
    // In the one-column layout a wheel belongs to the page.
    if (!this.viewer.size || (!event.ctrlKey && !window.matchMedia("(min-width: 900px)").matches)) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    this.viewer.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), ...this.place(event));
  }

  private key(event: KeyboardEvent): void {
    const { viewer } = this;
    if (event.target !== viewer.stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Record<string, () => void> = {
      "+": () => viewer.zoom(1.25), "=": () => viewer.zoom(1.25), "-": () => viewer.zoom(0.8), 0: () => viewer.fit(),
      ArrowLeft: () => viewer.pan(STEP_PX, 0), ArrowRight: () => viewer.pan(-STEP_PX, 0),
      ArrowUp: () => viewer.pan(0, STEP_PX), ArrowDown: () => viewer.pan(0, -STEP_PX),
    };
    const move = moves[event.key];
    if (!move || (event.key.startsWith("Arrow") && viewer.fitted)) return;
    event.preventDefault();
    move();
  }
}
