"""Runs one task and draws what was seen on the way as a contact sheet: every marked screenshot with its instruction."""

import io
from dataclasses import dataclass
from pathlib import Path

import httpx
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser

from tests.acceptance.agent.screen_agent import ScreenAgent, Turn
from tests.acceptance.agent.tasks import Task

FONT = Path(__file__).resolve().parents[3] / "models" / "marks" / "fonts" / "DejaVuSans-Bold.ttf"
TILE_W, LINE_H, COLUMNS = 640, 26, 2
MOST_BYTES = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a task went; `asked_again` are the same questions about screens that had not changed."""

    task: Task
    done: bool
    turns: tuple[Turn, ...]
    asked_again: tuple[Turn, ...]


def run(task: Task, service: httpx.Client, browser: Browser, *, ask_again: bool = False) -> Run:
    """Drive a fresh page through the task; it ends early where the agent finds nothing to act on."""
    width, height = task.size_wh
    page = browser.new_page(viewport={"width": width, "height": height})
    try:
        page.goto(task.url)
        agent = ScreenAgent(service=service, page=page)
        turns: list[Turn] = []
        again: list[Turn] = []
        for step in task.steps:
            agent.ask(step)
            turns.append(agent.turns[-1])
            if ask_again:
                agent.ask(step)
                again.append(agent.turns[-1])
            if not agent.carry_out(turns[-1].answer):
                break
        done = bool(page.evaluate(f"() => Boolean({task.done})"))
    finally:
        page.close()
    return Run(task=task, done=done, turns=tuple(turns), asked_again=tuple(again))


def contact_sheet(run: Run, service: httpx.Client) -> bytes:
    """All marked screenshots of a run, the chosen mark circled, as a WebP of at most 300 kB."""
    font = ImageFont.truetype(str(FONT), 15)
    tiles = [_tile(turn, service, font) for turn in run.turns]
    rows = -(-len(tiles) // COLUMNS)
    high = max(tile.height for tile in tiles)
    sheet = Image.new("RGB", (COLUMNS * TILE_W, rows * high + LINE_H), (24, 26, 30))
    title = f"{run.task.name}: {'done' if run.done else 'FAILED'}, {len(run.turns)} of {len(run.task.steps)} steps"
    ImageDraw.Draw(sheet).text((8, 4), title, (255, 255, 255), font)
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % COLUMNS * TILE_W, LINE_H + number // COLUMNS * high))
    for quality in (70, 50, 30, 15):
        out = io.BytesIO()
        sheet.save(out, "WEBP", quality=quality, method=4)
        if out.tell() <= MOST_BYTES:
            break
    return out.getvalue()


def _tile(turn: Turn, service: httpx.Client, font: ImageFont.FreeTypeFont) -> Image.Image:
    marked = service.get(f"/v1/marksets/{turn.answer['mark_set_id']}/overlay.png").raise_for_status().content
    picture = Image.open(io.BytesIO(marked)).convert("RGB")
    action = turn.answer["action"]
    if action is not None:
        x, y = action["point_xy_px"]
        draw = ImageDraw.Draw(picture)
        for radius, color in ((26, (255, 255, 255)), (23, (220, 0, 60))):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=color, width=4)
    scale = TILE_W / picture.width
    small = picture.resize((TILE_W, round(picture.height * scale)), Image.Resampling.LANCZOS)
    tile = Image.new("RGB", (TILE_W, small.height + LINE_H), (24, 26, 30))
    said = "nothing fits" if action is None else f"{action['type']} {action['mark']}, by {turn.answer['decided_by']}"
    ImageDraw.Draw(tile).text((6, 4), f"{turn.instruction}  →  {said}", (255, 214, 90), font)
    tile.paste(small, (0, LINE_H))
    return tile
