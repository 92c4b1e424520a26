"""Fourteen pages of ours that no network was taught on, shown in headless Chromium; their truth is what the DOM says. Used by tests.bench.gui.

The pages lie in `tests/bench/unseen`: a mailbox, a shop, a player, an editor and the like, each in another style and with its own icons,
none of which `models.pages` draws. Their misses were read
while the rules and the words for icons were written, so figures on them are optimistic. Run: python -m tests.bench.unseen_pages OUT, to keep them as pictures with an elements.json.
"""

import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.chromium import CHROMIUM, chromium

PAGES = Path(__file__).parent / "unseen"
_WINDOW_WH = (1280, 800)
_OTHER_WINDOW = re.compile(r'name="x-window" content="(\d+)x(\d+)@(\d+)"')
# Everything that can be used and seen, with the name that a screen reader would tell.
_TRUTH_JS = """() => {
  const controls = 'a[href],button,input,select,textarea,[role=tab],[role=button],[role=switch]', found = [];
  const roleOf = el => el.getAttribute('role') || ({A: 'link', BUTTON: 'button', SELECT: 'combobox', TEXTAREA: 'textbox'})[el.tagName]
    || (['checkbox', 'radio'].includes(el.type) ? el.type : 'textbox');
  const textOf = node => node.nodeType === 3 ? node.textContent
    : ['SELECT', 'INPUT', 'TEXTAREA', 'svg'].includes(node.nodeName) ? '' : [...node.childNodes].map(textOf).join(' ');
  for (const el of document.querySelectorAll(controls)) {
    const box = el.getBoundingClientRect();
    const x0 = Math.max(0, box.left), y0 = Math.max(0, box.top), x1 = Math.min(innerWidth, box.right), y1 = Math.min(innerHeight, box.bottom);
    if ((x1 - x0) * (y1 - y0) < 0.6 * box.width * box.height || x1 - x0 < 3 || y1 - y0 < 3) continue;
    const line = el.getClientRects()[0];
    const top = document.elementFromPoint((line.left + line.right) / 2, (line.top + line.bottom) / 2);
    if (!top || !(el === top || el.contains(top))) continue;
    const label = el.labels && el.labels[0] ? textOf(el.labels[0]) : '';
    const own = ['A', 'BUTTON'].includes(el.tagName) ? textOf(el) : '';
    const name = (el.getAttribute('aria-label') || label || own || el.placeholder || '').replace(/\\s+/g, ' ').trim();
    found.push({role: roleOf(el), name, box: [x0, y0, x1, y1]});
  }
  return found;
}"""


def unseen() -> Iterator[tuple[dict[str, Any], NDArray[np.uint8]]]:
    """Yield every page as an entry in the form of elements.json, and its screenshot (H, W, 3) RGB."""
    with chromium() as browser:
        for path in sorted(PAGES.glob("*.html")):
            html = path.read_text()
            stated = _OTHER_WINDOW.search(html)
            width, height, ratio = (int(value) for value in stated.groups()) if stated else (*_WINDOW_WH, 1)
            tab = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=ratio)
            tab.set_content(html)
            elements = [
                {"role": one["role"], "name": one["name"], "bbox_xyxy_px": [value * ratio for value in one["box"]]}
                for one in tab.evaluate(_TRUTH_JS)
            ]
            image = np.array(Image.open(io.BytesIO(tab.screenshot(scale="device"))).convert("RGB"))
            tab.close()
            yield {"image": f"{path.stem}.png", "device_pixel_ratio": float(ratio), "elements": elements}, image


def can_show() -> bool:
    """Whether there is a browser to show the pages in."""
    return CHROMIUM.exists()


def main() -> None:
    """Write pictures and elements.json into the folder that is named."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    entries = []
    for entry, image in unseen():
        Image.fromarray(image).save(out / entry["image"])
        entries.append(entry)
    (out / "elements.json").write_text(json.dumps(entries, indent=1) + "\n")


if __name__ == "__main__":
    main()
