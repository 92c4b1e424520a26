// What a person does to the picture with a pointer, two fingers, a wheel or the keyboard, in terms of the viewer.

const CLICK_SLACK_PX = 5;
const STEP_PX = 60;

export class Gestures {
  constructor(viewer) {
    this.viewer = viewer;
    this.stage = viewer.stage;
    this.focus = viewer.focus;
    this.pointers = new Map();
    const { stage } = this;
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerup", (event) => this.up(event));
    stage.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    stage.addEventListener("pointerleave", () => this.focus.hover(null));
    stage.addEventListener("keydown", (event) => this.key(event));
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  place(event) {
    const frame = this.stage.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  markUnder(event) {
    const { viewer } = this;
    const [x, y] = this.place(event);
    return viewer.size ? viewer.markAt((x - viewer.x) / viewer.scale, (y - viewer.y) / viewer.scale) : null;
  }

  down(event) {
    if (!this.viewer.size || event.button !== 0 || event.target.closest("button")) return;
    const [x, y] = this.place(event);
    this.pointers.set(event.pointerId, { x, y, startX: x, startY: y, dragged: this.pointers.size > 0 });
    this.stage.setPointerCapture(event.pointerId);
  }

  move(event) {
    const held = this.pointers.get(event.pointerId);
    if (!held) {
      if (event.pointerType !== "touch") this.focus.hover(this.markUnder(event)?.id ?? null);
      return;
    }
    const { viewer } = this;
    const [x, y] = this.place(event);
    const other = [...this.pointers.entries()].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const reach = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
      viewer.zoom(reach({ x, y }) / reach(held), (x + other.x) / 2, (y + other.y) / 2);
    } else if (!viewer.fitted) {
      viewer.pan(x - held.x, y - held.y);
    }
    held.dragged ||= Math.hypot(x - held.startX, y - held.startY) > CLICK_SLACK_PX;
    Object.assign(held, { x, y });
  }

  up(event) {
    const held = this.pointers.get(event.pointerId);
    this.pointers.delete(event.pointerId);
    if (!held || held.dragged) return;
    const mark = this.markUnder(event);
    if (mark) this.focus.pin(mark.id);
    else if (this.focus.pinned !== null) this.focus.pin(this.focus.pinned);
  }

  wheel(event) {
    // In the one-column layout a wheel belongs to the page.
    if (!this.viewer.size || (!event.ctrlKey && !window.matchMedia("(min-width: 900px)").matches)) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    this.viewer.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), ...this.place(event));
  }

  key(event) {
    const { viewer } = this;
    if (event.target !== this.stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = {
      "+": () => viewer.zoom(1.25), "=": () => viewer.zoom(1.25), "-": () => viewer.zoom(0.8), 0: () => viewer.fit(),
      ArrowLeft: () => viewer.pan(STEP_PX, 0), ArrowRight: () => viewer.pan(-STEP_PX, 0),
      ArrowUp: () => viewer.pan(0, STEP_PX), ArrowDown: () => viewer.pan(0, -STEP_PX),
    };
    if (!moves[event.key] || (event.key.startsWith("Arrow") && viewer.fitted)) return;
    event.preventDefault();
    moves[event.key]();
  }
}
