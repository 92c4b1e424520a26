// Light, dark, or as the system says; kept in this browser.

import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
const KEY = "markwise-theme";
const known = localStorage.getItem(KEY);

export const theme = signal<Theme>(known === "light" || known === "dark" ? known : "auto");

effect(() => {
  if (theme.value === "auto") {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem(KEY);
  } else {
    document.documentElement.dataset.theme = theme.value;
    localStorage.setItem(KEY, theme.value);
  }
});

/** A colour of tokens.css as it is in the theme that is shown, for canvases and charts. */
export function colorOf(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
