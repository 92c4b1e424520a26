"""A small agent that sees screenshots only: it asks `/ground` where to click, does it in the browser, and looks again."""

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.sync_api import Page

KEYS = {"ENTER": "Enter", "DELETE": "Delete", "CTRL": "Control"}
SETTLED_MS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One instruction: what came back, and how long it took from the screenshot to the point."""

    instruction: str
    answer: dict[str, Any]
    seconds: float
    screen: str  # "first", "changed" or "unchanged"


@dataclass(slots=True, kw_only=True)
class ScreenAgent:
    """Drives one page. `segmenter` is how screenshots are marked."""

    service: httpx.Client
    page: Page
    segmenter: str = "gui"
    seen: str | None = None  # the mark set of the screen as it was last
    turns: list[Turn] = field(default_factory=list)

    def do(self, instruction: str) -> bool:
        """Ask and carry out; False where nothing on the screen fits."""
        return self.carry_out(self.ask(instruction))

    def carry_out(self, answer: dict[str, Any]) -> bool:
        """Do what an answer says; False where it says nothing."""
        if answer["action"] is None:
            return False
        for step in answer["action"]["steps"]["openai"]:
            perform(self.page, step)
        self.page.wait_for_timeout(SETTLED_MS)
        return True

    def ask(self, instruction: str) -> dict[str, Any]:
        """Ask about the screen as it is now: by its marks if it has not changed, else (409) with the new picture."""
        shot = self.page.screenshot()
        started = time.perf_counter()
        question = {"query": instruction, "task": "act"}
        screen = "first" if self.seen is None else "unchanged"
        response = None
        if self.seen is not None:
            known = {"mark_set_id": self.seen, "expect_image_sha256": hashlib.sha256(shot).hexdigest()}
            response = self.service.post("/ground", json=question | known)
        if response is None or response.status_code == 409:
            screen = "first" if response is None else "changed"
            marks = {"segmenter": self.segmenter, "previous_mark_set_id": self.seen}
            response = self.service.post("/ground", files={"file": shot}, data=question | {"marks": json.dumps(marks)})
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        seconds = time.perf_counter() - started
        self.seen = answer["mark_set_id"]
        self.turns.append(Turn(instruction=instruction, answer=answer, seconds=seconds, screen=screen))
        return answer


def perform(page: Page, step: dict[str, Any]) -> None:
    """Carry out one step in OpenAI's form."""
    match step["type"]:
        case "click":
            page.mouse.click(step["x"], step["y"], button=step["button"])
        case "double_click":
            page.mouse.dblclick(step["x"], step["y"])
        case "type":
            page.keyboard.type(step["text"])
        case "keypress":
            page.keyboard.press("+".join(KEYS.get(key, key.lower()) for key in step["keys"]))
        case other:
            raise ValueError(f"this agent cannot do {other!r}")


def perform_anthropic(page: Page, step: dict[str, Any]) -> None:
    """Carry out one step in Anthropic's form."""
    match step["action"]:
        case "left_click" | "right_click":
            x, y = step["coordinate"]
            page.mouse.click(x, y, button="left" if step["action"] == "left_click" else "right")
        case "double_click":
            page.mouse.dblclick(*step["coordinate"])
        case "type":
            page.keyboard.type(step["text"])
        case "key":
            names = {"Return": "Enter", "ctrl": "Control"}
            page.keyboard.press("+".join(names.get(key, key) for key in step["text"].split("+")))
        case other:
            raise ValueError(f"this agent cannot do {other!r}")
