// The ways a picture comes in: dropped anywhere, pasted anywhere, chosen.

import { Problem } from "./api.js";
import { byId } from "./dom.js";
import { report } from "./notices.js";

function takeFrom(transfer, onFile) {
  const files = [...transfer.files];
  const file = files.find(({ type }) => type.startsWith("image/")) || files[0];
  if (file) onFile(file);
  return Boolean(file);
}

/** Call `onFile` with every picture the person brings. */
export function listen(onFile) {
  const input = byId("file");
  for (const id of ["choose", "choose-first"]) byId(id).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    takeFrom(input, onFile);
    input.value = "";
  });

  // Leaving a child fires dragleave on the page as well; only the depth tells when the pointer is really out.
  let depth = 0;
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const hint = (on) => document.body.classList.toggle("dragging", on);
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
    if (!event.dataTransfer || event.target.closest?.("textarea, input")) return;
    event.preventDefault();
    if (!takeFrom(event.dataTransfer, onFile)) {
      report(new Problem({ title: "There was no file in that", detail: "Drop a picture file, or copy the picture and paste it here." }));
    }
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData && takeFrom(event.clipboardData, onFile)) event.preventDefault();
  });
}
