// Copying text, and a button that does it and says so.

import { useEffect, useRef, useState } from "preact/hooks";

/** Put text on the clipboard, also where the page is served over plain HTTP; true if it worked. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = Object.assign(document.createElement("textarea"), { value: text, readOnly: true, className: "visually-hidden" });
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function CopyButton({ text, label = "Copy", class: name = "button small", id }: { text: () => string; label?: string; class?: string; id?: string }) {
  const [said, setSaid] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    setSaid((await copyText(text())) ? "Copied" : "Not allowed");
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setSaid(null), 1400);
  };
  return <button type="button" id={id} class={name} onClick={copy}>{said ?? label}</button>;
}
