"""`python -m models.evaluation.drawings --model DIR --n 200 [--json]`: a checkpoint on held-out drawings.

`--set varied` asks about scenes of 2-10 objects in other styles, sizes, scales and numberings, and about mark tables nobody
drew; `--set served` asks as the service does (`models.evaluation.served`). Else pictures are painted by `paint_for_model`, prompts
come from `models.vlm.prompts`, and answers from the library's own greedy `generate` on the saved checkpoint. A grey picture in
place of every scene shows what the words alone would give. Last comes what a reply of 16 tokens costs (`models.evaluation.replies`).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoProcessor, LlavaForConditionalGeneration

from models import drawings
from models.drawings import Drawing
from models.errors import WeightsMissing
from models.evaluation.listing import ListingScore, score_answers, score_listing
from models.evaluation.replies import reply_time
from models.evaluation.served import evaluate_served
from models.marks import paint_for_model
from models.training.pool import rows_of
from models.training.segments import Scene, Segment, scene_segments, table_segments
from models.training.tables import random_table, table_questions
from models.training.varied import MarkKind, View, ids_of, plain_ids, scene_of, show
from models.vlm import prompts
from models.vlm.prompts import mark_table

STYLE: Final = "markwise"
# How a scene is shown in the sharper lines: kind of the marks, style, scale of the painted picture.
VIEWS: Final[dict[str, tuple[MarkKind, str | dict[str, Any], float]]] = {
    "2-10": ("number", STYLE, 1.0),
    "ids to 99": ("number", STYLE, 1.0),
    "letters": ("letter", STYLE, 1.0),
    "som": ("number", "som", 1.0),
    "som-llava": ("number", "som-llava", 1.0),
    "filled": ("number", {"name": STYLE, "draw": ["box", "mask", "mark"], "alpha": 0.2}, 1.0),
    "x0.7": ("number", STYLE, 0.7),
    "x0.85": ("number", STYLE, 0.85),
    "x1.15": ("number", STYLE, 1.15),
    "x1.3": ("number", STYLE, 1.3),
}
BATCH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One picture, one whole prompt and the expected answer."""

    task: str
    picture: NDArray[np.uint8]  # (S, S, 3)
    prompt: str
    answer: str
    max_tokens: int = 16


class Checkpoint:
    """A checkpoint folder loaded with transformers, float32, one thread."""

    def __init__(self, folder: Path) -> None:
        """Load; raises WeightsMissing if the folder holds no checkpoint."""
        if not (folder / "config.json").exists():
            raise WeightsMissing(f"{folder} is not a checkpoint folder")
        self.processor: Any = AutoProcessor.from_pretrained(folder)
        self.processor.tokenizer.padding_side = "left"
        self.model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.input_px: int = int(self.model.config.vision_config.image_size)

    def answer(self, questions: Sequence[Question]) -> list[str]:
        """Greedy answers, in order; questions of similar length are batched."""
        said = [""] * len(questions)
        order = sorted(range(len(questions)), key=lambda i: (questions[i].max_tokens, len(questions[i].prompt)))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            some = [questions[i] for i in chosen]
            inputs = self.processor(
                images=[one.picture for one in some],
                text=[one.prompt for one in some],
                padding=True,
                return_tensors="pt",
            )
            with torch.inference_mode():
                longest = max(one.max_tokens for one in some)
                tokens = self.model.generate(**inputs, max_new_tokens=longest, do_sample=False)
            texts = self.processor.batch_decode(tokens[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
            for i, text in zip(chosen, texts, strict=True):
                said[i] = text.strip()
        return said


def scene_questions(drawing: Drawing, seed: int, size_px: int, *, blank: bool = False) -> list[Question]:
    """The listing, every name asked for, every mark asked for, one absent name and one yes-no, for one scene."""
    ids = tuple(str(number) for number in range(1, len(drawing.regions) + 1))
    picture = paint_for_model(drawing.image, drawing.regions, ids, STYLE, size_px)
    return asked_of(np.full_like(picture, 127) if blank else picture, drawing, ids, Random(seed))


def asked_of(
    picture: NDArray[np.uint8], drawing: Drawing, ids: tuple[str, ...], rng: Random, *, yes_no: int = 1
) -> list[Question]:
    """The questions about one painted scene."""
    scene = Scene(ids=ids, names=drawing.names)
    segments = [
        Segment(
            task="list", query=prompts.LIST_TEMPLATES[0], answer=prompts.list_answer(zip(ids, scene.names, strict=True))
        )
    ]
    for mark_id, name in zip(ids, scene.names, strict=True):
        which = prompts.WHICH_TEMPLATES[0].replace("{phrase}", f"the {name}")
        what = prompts.WHAT_TEMPLATES[0].replace("{mark}", mark_id)
        segments.append(Segment(task="which", query=which, answer=prompts.choice_answer(mark_id, "tiny")))
        segments.append(Segment(task="what", query=what, answer=f"{name}."))
    others = scene_segments(scene, rng, which=12, what=0, yes_no=yes_no, dotless=0.5 if yes_no > 1 else 0.0)
    segments += [one for one in others if one.task == "which" and one.answer == "None."][:1]
    segments += [one for one in others if one.task == "yes-no"]
    return [_question("which-none" if one.answer == "None." else one.task, picture, "", one) for one in segments]


def screen_questions(drawing: Drawing, seed: int, size_px: int) -> list[Question]:
    """Table questions about one screen."""
    ids = [str(number) for number in range(1, len(drawing.regions) + 1)]
    picture = paint_for_model(drawing.image, drawing.regions, ids, STYLE, size_px)
    rows = rows_of(drawing, ids)
    segments = [one for one in table_segments(rows, Random(seed), count=6) if one.task != "table-list"]
    return [
        _question("table-none" if one.answer == "None." else one.task, picture, mark_table(rows), one)
        for one in segments
    ]


def varied_questions(seed: int) -> dict[str, list[Question]]:
    """What a scene of 2-10 objects is asked in each of the ways it may be shown, by the name of the way."""
    found = {}
    for name, (kind, style, zoom) in VIEWS.items():
        drawing, rng = scene_of(seed, zoom), Random(f"{name}-{seed}")
        count = len(drawing.regions)
        ids = ids_of(rng, count, kind) if name == "ids to 99" else plain_ids(count, kind)
        picture = show(drawing, View(ids=ids, style=style, zoom=zoom))
        every = asked_of(picture, drawing, ids, rng, yes_no=6)
        wanted = ("list", "what", "which") if name != "2-10" else ("list", "what", "which", "which-none", "yes-no")
        found[name] = [replace(one, task=f"{name}: {one.task}") for one in every if one.task in wanted]
    return found


def table_questions_of(seed: int, picture: NDArray[np.uint8]) -> list[Question]:
    """Choices from one mark table of up to 16 rows that nobody drew, beside a picture that says nothing."""
    rng = Random(f"held-out-table-{seed}")
    table = random_table(rng, rng.randint(4, 16))
    segments = [one for one in table_questions(table, rng, 6) if one.task != "table-what"]
    return [_question(f"told: {one.task[6:]}", picture, mark_table(table.rows), one) for one in segments]


def _question(task: str, picture: NDArray[np.uint8], table: str, segment: Segment) -> Question:
    return Question(
        task=task,
        picture=picture,
        prompt=prompts.chat_prompt(table + segment.query),
        answer=segment.answer,
        max_tokens=120 if task.endswith("list") else 40 if task.startswith("table-") else 12,
    )


def evaluate(checkpoint: Checkpoint, count: int, first_seed: int = drawings.HELD_OUT_SEEDS.start) -> dict[str, float]:
    """Accuracies on `count` scenes, a quarter as many screens and as many blank pictures."""
    size_px = checkpoint.input_px
    seeds = range(first_seed, first_seed + count)
    few = range(first_seed, first_seed + max(1, count // 4))
    questions = [one for seed in seeds for one in scene_questions(drawings.scene(seed), seed, size_px)]
    questions += [one for seed in few for one in screen_questions(drawings.screen(seed), seed, size_px)]
    results = _scores(questions, checkpoint.answer(questions))
    blank = [one for seed in few for one in scene_questions(drawings.scene(seed), seed, size_px, blank=True)]
    blank = [one for one in blank if one.task in ("list", "which", "what")]
    grey = _scores(blank, checkpoint.answer(blank))
    return results | {f"blank-{name}": value for name, value in grey.items() if name != "list-whole"}


def evaluate_varied(
    checkpoint: Checkpoint, count: int, first_seed: int = drawings.HELD_OUT_SEEDS.start
) -> dict[str, float]:
    """Accuracies on `count` scenes as they are, a quarter as many in every other way, and twice as many tables."""
    questions = []
    for at in range(count):
        ways = varied_questions(first_seed + at) if at < max(1, count // 4) else {}
        questions += [one for way in ways.values() for one in way] or _plain_only(first_seed + at)
    blank = np.full((checkpoint.input_px, checkpoint.input_px, 3), 127, np.uint8)
    questions += [one for at in range(2 * count) for one in table_questions_of(first_seed + at, blank)]
    return _scores(questions, checkpoint.answer(questions))


def _plain_only(seed: int) -> list[Question]:
    drawing = scene_of(seed)
    ids = plain_ids(len(drawing.regions), "number")
    asked = asked_of(show(drawing, View(ids=ids, style=STYLE)), drawing, ids, Random(f"2-10-{seed}"), yes_no=6)
    return [replace(one, task=f"2-10: {one.task}") for one in asked]


def _scores(questions: Sequence[Question], said: Sequence[str]) -> dict[str, float]:
    results: dict[str, float] = {}
    for task in sorted({one.task for one in questions}):
        pairs = [(one, text) for one, text in zip(questions, said, strict=True) if one.task == task]
        if task.endswith("list"):
            prefix = task.removesuffix("list")
            total = ListingScore()
            for one, text in pairs:
                total += score_listing(text, dict(line.split(". ", 1) for line in one.answer.splitlines()))
            results[f"{prefix}list-item"] = total.item_accuracy
            results[f"{prefix}list-whole"] = total.picture_accuracy
        else:
            results[task] = score_answers([text for _, text in pairs], [one.answer for one, _ in pairs])
    return {name: round(value, 4) for name, value in results.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, evaluate, print."""
    parser = argparse.ArgumentParser(prog="python -m models.evaluation.drawings")
    parser.add_argument("--model", type=Path, required=True, help="checkpoint folder")
    parser.add_argument("--n", type=int, default=200, help="how many held-out scenes")
    parser.add_argument("--seed", type=int, default=drawings.HELD_OUT_SEEDS.start, help="first seed")
    parser.add_argument(
        "--set",
        choices=("plain", "varied", "served"),
        default="plain",
        help="which questions; varied: the sharper ones; served: those as the service asks them",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        if options.set == "served":
            results = evaluate_served(options.model, options.n, options.seed)
        else:
            asked = evaluate_varied if options.set == "varied" else evaluate
            results = asked(Checkpoint(options.model), options.n, options.seed)
        taken = reply_time(options.model, options.seed)
    except WeightsMissing as error:
        print(str(error), file=sys.stderr)
        return 1
    if options.json:
        found = {"model": str(options.model), "scenes": options.n, "first_seed": options.seed, "accuracy": results}
        print(json.dumps(found | {"reply": None if taken is None else asdict(taken)}))
    else:
        for name, value in results.items():
            print(f"{name:>22}  {value:.3f}")
        print("no scene is answered with 16 tokens" if taken is None else taken)
    return 0


if __name__ == "__main__":
    sys.exit(main())
