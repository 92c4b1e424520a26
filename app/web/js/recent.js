// Pictures that were marked before, offered while the page is empty.

import { get, picture } from "./api.js";
import { byId, make } from "./dom.js";

const SHOWN = 6;

/** Fill the strip; `onOpen(markSetId)` opens one. Silent when there is nothing or nobody answers. */
export async function showRecent(onOpen) {
  const page = await get(`/v1/marksets?limit=${3 * SHOWN}`).catch(() => ({ data: [] }));
  const newest = new Map();
  for (const markSet of page.data) if (!newest.has(markSet.image.id)) newest.set(markSet.image.id, markSet);
  const chosen = [...newest.values()].slice(0, SHOWN);
  byId("recent").replaceChildren(...chosen.map((markSet) => {
    const image = make("img", { alt: "", width: 160, height: 110 });
    picture(markSet.overlay_url).then((url) => {
      image.addEventListener("load", () => URL.revokeObjectURL(url), { once: true });
      image.src = url;
    }, () => image.remove());
    const label = `${markSet.marks.length} marks`;
    return make("li", {}, make("button", { type: "button", class: "thumb", "aria-label": `Open a picture with ${label}`,
      onclick: () => onOpen(markSet.id) }, image, make("span", { class: "soft small" }, label)));
  }));
  byId("recent-panel").hidden = chosen.length === 0;
}
