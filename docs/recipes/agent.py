"""A GUI agent: python agent.py https://... "Type Oslo into From" "Find trains"

Each wish becomes one action on the page. A screen that stands still is not marked again; on a new screen what is still there
keeps its id. With --tree the browser's accessibility tree goes along, and wins over pixels.
"""

import argparse
import hashlib
import sys
from typing import Any

from playwright.sync_api import Page, sync_playwright

from markwise import Client, Conflict, MarkwiseError, NotFound
from markwise.types import Answer

KEYS = {"CTRL": "Control", "ENTER": "Enter", "DELETE": "Delete"}


class Agent:
    """Looks at a page through Markwise and acts on it."""

    def __init__(self, page: Page, client: Client, *, tree: bool) -> None:
        self.page, self.client, self.tree = page, client, tree
        self.seen: str | None = None

    def look(self, wish: str) -> Answer:
        """Ask what to do for a wish; raises nothing for a page that has changed since: it is marked anew."""
        shot = self.page.screenshot()
        if self.seen and not self.tree:
            same = hashlib.sha256(shot).hexdigest()
            try:
                return self.client.ground(self.client.mark_set(self.seen), wish, task="act", expect_image_sha256=same)
            except (Conflict, NotFound):
                pass  # another screen, or one that was deleted
        marks: dict[str, Any] = {"previous_mark_set_id": self.seen} if self.seen else {}
        if self.tree:
            marks["accessibility_tree"] = self.page.aria_snapshot(mode="ai", boxes=True)
            marks["device_pixel_ratio"] = self.page.evaluate("devicePixelRatio")
        return self.client.ground(shot, wish, task="act", marks=marks)

    def carry_out(self, wish: str) -> bool:
        """Do what a wish asks; False where nothing on the screen fits."""
        answer = self.look(wish)
        self.seen = answer.mark_set_id
        for caution in answer.warnings:
            print(f"careful: {caution.text}", file=sys.stderr)
        if answer.action is None:
            return False
        print(f"{wish}: {answer.action.type} mark {answer.action.mark}, decided by {answer.decided_by}")
        for step in answer.action.steps.openai:  # coordinates are CSS pixels
            if step["type"] == "click":
                self.page.mouse.click(step["x"], step["y"], button=step["button"])
            elif step["type"] == "type":
                self.page.keyboard.type(step["text"])
            elif step["type"] == "keypress":
                self.page.keyboard.press("+".join(KEYS.get(key, key.lower()) for key in step["keys"]))
        return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("wish", nargs="+")
    parser.add_argument("--tree", action="store_true", help="send the accessibility tree along")
    parser.add_argument("--browser", help="a Chromium of your own; Playwright's without")
    given = parser.parse_args()

    with sync_playwright() as browsers, Client() as client:  # MARKWISE_SERVER and MARKWISE_KEY say where
        page = browsers.chromium.launch(executable_path=given.browser).new_page()
        page.goto(given.url)
        agent = Agent(page, client, tree=given.tree)
        for wish in given.wish:
            if not agent.carry_out(wish):
                print(f"nothing on the screen fits: {wish}", file=sys.stderr)
                return 1
        print(page.inner_text("body"))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MarkwiseError as error:
        sys.exit(str(error))
