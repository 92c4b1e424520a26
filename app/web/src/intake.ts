// The ways pictures come in: dropped anywhere, pasted anywhere, chosen. A page may take them; else they are opened on Ask.

import { Problem } from "./api/problem";
import { go, href, route } from "./router";
import { report } from "./ui/notices";

export type Taker = (files: File[]) => void;

let taker: Taker | null = null;

/** Give files to `take` as long as a page is open; returns how to stop. */
export function takeFiles(take: Taker): () => void {
  taker = take;
  return () => {
    if (taker === take) taker = null;
  };
}

async function openOnAsk(files: File[]): Promise<void> {
  const { ask } = await import("./pages/ask/store");
  if (route.value.page !== "ask") go(href("ask"));
  void ask.openFile(files[0]!);
}

/** Hand files to who takes them; those that are no pictures are refused by name. */
export function bring(files: File[]): void {
  const pictures = files.filter(({ type }) => type === "" || type.startsWith("image/"));
  const other = files.find((file) => !pictures.includes(file));
  if (other) report(new Problem({ title: "This is not a picture", detail: `${other.name || "The file"} is of the type ${other.type}.` }));
  if (!pictures.length) return;
  if (taker) taker(pictures);
  else void openOnAsk(pictures);
}

/** Let the person choose files. */
export function choose({ several = false } = {}): void {
  const input = Object.assign(document.createElement("input"), { type: "file", accept: "image/*", multiple: several });
  input.addEventListener("change", () => bring([...(input.files ?? [])]));
  input.click();
}

const filesOf = (transfer: DataTransfer | null): File[] => [...(transfer?.files ?? [])];
const inField = (event: Event): boolean => event.target instanceof Element && event.target.closest("textarea, input") !== null;

/** Listen to the whole window; called once. */
export function listen(): void {
  // Leaving a child fires dragleave on the page as well; only the depth tells when the pointer is really out.
  let depth = 0;
  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const hint = (on: boolean) => document.body.classList.toggle("dragging", on);
  document.addEventListener("dragenter", (event) => {
    if (carriesFiles(event)) hint((depth += 1) > 0);
  });
  document.addEventListener("dragleave", (event) => {
    if (carriesFiles(event)) hint((depth = Math.max(0, depth - 1)) > 0);
  });
  document.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    depth = 0;
    hint(false);
    if (!event.dataTransfer || inField(event)) return;
    event.preventDefault();
    const files = filesOf(event.dataTransfer);
    if (files.length) bring(files);
    else report(new Problem({ title: "There was no file in that", detail: "Drop a picture file, or copy the picture and paste it here." }));
  });
  document.addEventListener("paste", (event) => {
    const files = filesOf(event.clipboardData);
    if (!files.length) return;
    event.preventDefault();
    bring(files);
  });
}
