// Which marks are in the light: hovered anywhere, pinned by a click, or named by the answer that is open.

export class Focus extends EventTarget {
  constructor() {
    super();
    this.clear();
  }

  /** Forget everything, for another picture. */
  clear() {
    this.hovered = null;
    this.pinned = null;
    this.named = [];
    this.action = null;
    this.changed();
  }

  /** A mark is pointed at, in the picture, in a row or in an answer; null when none is. */
  hover(id) {
    if (this.hovered === id) return;
    this.hovered = id;
    this.changed();
  }

  /** Keep a mark in the light, or let it go when it is there already. */
  pin(id) {
    this.pinned = this.pinned === id ? null : id;
    this.changed();
  }

  /** The marks that the open answer names or selects, and what it would do. */
  name(ids, action = null) {
    this.named = [...new Set(ids)];
    this.action = action;
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** Let a node light its mark while it is pointed at or holds the keyboard's focus. */
  lights(node, id) {
    node.addEventListener("pointerenter", () => this.hover(id));
    node.addEventListener("pointerleave", () => this.hover(null));
    node.addEventListener("focus", () => this.hover(id));
    node.addEventListener("blur", () => this.hover(null));
    return node;
  }
}
