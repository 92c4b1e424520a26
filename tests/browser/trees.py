"""What Chromium returns for a page in every form of accessibility tree, and what is really to be seen on it.

Run `python -m tests.browser.trees` to take the unit tests' captures of tests/unit/models/segmenters/trees again.
"""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from models.segmenters.accessibility.snapshot import STYLES

FOLDER = Path(__file__).resolve().parents[1] / "unit" / "models" / "segmenters" / "trees"
TRUTH = """() => {
  const found = [];
  const look = (view, left, top) => {
    for (const element of view.document.querySelectorAll("[data-is]")) {
      const box = element.getBoundingClientRect();
      found.push([element.dataset.is, box.x + left, box.y + top, box.right + left, box.bottom + top]);
    }
    for (const frame of view.document.querySelectorAll("iframe")) {
      const box = frame.getBoundingClientRect();
      look(frame.contentWindow, left + box.x + frame.clientLeft, top + box.y + frame.clientTop);
    }
  };
  look(window, 0, 0);
  return found;
}"""


def shop(browser: Browser, ratio: float = 1, scroll_px: int = 0) -> Page:
    """Open the test page in a window of 640 x 480 CSS pixels."""
    page = browser.new_page(viewport={"width": 640, "height": 480}, device_scale_factor=ratio)
    page.goto((FOLDER / "shop.html").as_uri())
    page.evaluate(f"scrollTo(0, {scroll_px})")
    return page


def truth(page: Page) -> dict[str, list[float]]:
    """Role and name of everything that must be found -> its box in CSS pixels of the window."""
    return {name: box for name, *box in page.evaluate(TRUTH)}


def devtools(page: Page) -> dict[str, Any]:
    """The accessibility tree with the DOM snapshot, as the README says to take them."""
    cdp = page.context.new_cdp_session(page)
    asked = {"computedStyles": list(STYLES), "includePaintOrder": True, "includeDOMRects": True}
    nodes = cdp.send("Accessibility.getFullAXTree")
    return {**nodes, **cdp.send("DOMSnapshot.captureSnapshot", asked), "computedStyles": list(STYLES)}


def box_models(page: Page) -> dict[str, Any]:
    """The accessibility tree with DOM.getBoxModel asked for each node."""
    cdp = page.context.new_cdp_session(page)
    nodes = cdp.send("Accessibility.getFullAXTree")["nodes"]
    boxes = {}
    for node in nodes:
        if not node["ignored"] and "backendDOMNodeId" in node and node["role"]["value"] != "RootWebArea":
            try:
                backend = node["backendDOMNodeId"]
                boxes[str(backend)] = cdp.send("DOM.getBoxModel", {"backendNodeId": backend})
            except Exception as error:
                assert "Could not compute box model" in str(error), error  # noqa: PT017  # nodes without layout have none
    return {"nodes": nodes, "boxes": boxes}


def aria_text(page: Page) -> str:
    """Playwright's own snapshot with boxes."""
    return page.aria_snapshot(mode="ai", boxes=True)


def _slim(tree: dict[str, Any]) -> dict[str, Any]:
    """Without the reasons for each name, four fifths of the text, which nothing reads."""
    for node in tree["nodes"]:
        for field in ("properties", "chromeRole", "ignoredReasons"):
            node.pop(field, None)
        for field in ("name", "role", "value"):
            if field in node:
                node[field] = {"value": node[field].get("value")}
    return tree


def main() -> None:
    from tests.chromium import CHROMIUM, FLAGS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        page = shop(browser, ratio=2, scroll_px=30)
        for name, tree in (("devtools", devtools(page)), ("box_models", box_models(page))):
            text = json.dumps(_slim(tree), separators=(",", ":"))
            (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        (FOLDER / "aria.txt").write_text(aria_text(page) + "\n", encoding="utf-8")
        (FOLDER / "truth.json").write_text(json.dumps(truth(page), indent=1) + "\n", encoding="utf-8")
        browser.close()


if __name__ == "__main__":
    main()
