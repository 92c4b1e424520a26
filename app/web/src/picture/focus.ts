// Which marks are in the light: hovered anywhere, pinned by a click, or named by the answer that is open.

import { batch, signal } from "@preact/signals";
import type { Answer } from "../api/types";

export class Focus {
  readonly hovered = signal<string | null>(null);
  readonly pinned = signal<string | null>(null);
  readonly named = signal<readonly string[]>([]);
  readonly action = signal<Answer["action"]>(null);

  /** Forget everything, for another picture. */
  clear(): void {
    batch(() => {
      this.hovered.value = null;
      this.pinned.value = null;
      this.name([]);
    });
  }

  /** A mark is pointed at, in the picture, in a row or in an answer; null when none is. */
  hover(id: string | null): void {
    this.hovered.value = id;
  }

  /** Keep a mark in the light, or let it go when it is there already. */
  pin(id: string | null): void {
    this.pinned.value = this.pinned.peek() === id ? null : id;
  }

  /** The marks that the open answer names or selects, and what it would do. */
  name(ids: readonly string[], action: Answer["action"] = null): void {
    batch(() => {
      this.named.value = [...new Set(ids)];
      this.action.value = action;
    });
  }

  /** Props that let a node light its mark while it is pointed at or holds the keyboard's focus. */
  lights(id: string) {
    return {
      "data-mark": id,
      onPointerEnter: () => this.hover(id),
      onPointerLeave: () => this.hover(null),
      onFocus: () => this.hover(id),
      onBlur: () => this.hover(null),
    };
  }
}
