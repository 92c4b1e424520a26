// Builds DOM nodes. Everything that came from a server or a user becomes text here, never markup.

/** The element with this id; the page is static, so a missing one is a mistake of ours. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/** Make an element. `props`: class, data-*, aria-*, any attribute, or on<event> functions; children: nodes or text. */
export function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Set text only where it differs, so that a live region does not speak again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Put text on the clipboard, also where the page is served over plain HTTP; true if it worked. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { class: "visually-hidden", readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** Copy on click, and say so on the button for a moment without changing its width. */
export function copyButton(button, text) {
  const label = button.textContent;
  button.addEventListener("click", async () => {
    const width = button.offsetWidth;
    button.style.minWidth = `${width}px`;
    button.textContent = (await copyText(text())) ? "Copied" : "Not allowed";
    setTimeout(() => { button.textContent = label; }, 1400);
  });
  return button;
}
