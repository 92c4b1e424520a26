"""dataset.build: reads the parts of a recipe, chooses, writes the items in their order, and seals; dataset.preview only looks.

Every part is read twice in pages, once to choose and once to write; between them a few dozen bytes per sample are held.
The dataset is not to be seen before the job's last transaction seals it; what a dead attempt left is taken away by the
next build. A sample that LLaVA's loader would stumble over is left out, with its id and the reason.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from app.catalog.datasets import DatasetRepository
from app.catalog.tables import DatasetItemRow
from app.errors import Conflict, Unprocessable
from app.formats.llava import llava_sample
from app.formats.recipes import RecipeIn
from app.formats.text_bodies import dataset_item_body
from models.mixtures.choose import Chosen, choose
from models.mixtures.plan import Entry, Plan, arrange, counts
from models.mixtures.recipe import Part, Recipe
from models.mixtures.samples import ContentHash, Sample, without_pairs
from workers.context import JobContext
from workers.mixture_sources import Source, open_source

PAGE = 500
LISTED_FAULTS = 1_000
PREVIEWED, PREVIEWED_FAULTS = 8, 20
CLIPPED, CLIPPED_TURNS = 1_000, 8
_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """A recipe carried out up to the order of its samples; nothing is written yet."""

    given: RecipeIn
    recipe: Recipe
    sources: Sequence[Source]
    plan: Plan


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `dataset.build` job."""
    clear(job)
    mixture = mix(job)
    with job.transaction() as session:
        dataset_id = DatasetRepository(session).begin(
            name=job.payload["name"], recipe=mixture.given.model_dump(mode="json"), job_id=job.job_id
        )
    tally = Tally()
    for rows in pages(job, mixture, "write"):
        for row in rows:
            row["dataset_id"] = dataset_id
            tally.add(row)
        with job.transaction() as session:
            DatasetRepository(session).add_items(rows)
    statistics = tally.statistics() | _report(mixture)

    def seal(session: Session) -> dict[str, Any]:
        datasets = DatasetRepository(session)
        datasets.seal(dataset_id, items=len(mixture.plan), content_sha256=tally.content.hex(), statistics=statistics)
        return {"dataset_id": str(dataset_id)}

    job.finish(seal)
    return None


def preview(job: JobContext) -> dict[str, Any] | None:
    """Handle one `dataset.preview` job: all of a build but the writing, and a few samples from all over it as the result."""
    mixture = mix(job)
    tally, samples = Tally(), []
    wanted = {number * len(mixture.plan) // PREVIEWED for number in range(PREVIEWED)}
    for rows in pages(job, mixture, "look"):
        for row in rows:
            tally.add(row)
            if row["position"] in wanted:
                samples.append(dataset_item_body(DatasetItemRow(**row, dataset_id=None)))
    shown = {
        "recipe": mixture.given.model_dump(mode="json"),
        "statistics": tally.statistics() | _report(mixture, listed=PREVIEWED_FAULTS),
        "content_sha256": tally.content.hex(),
        "samples": [{**sample, "conversations": _clipped(sample["conversations"])} for sample in samples],
    }
    return {"preview": shown}


def _clipped(conversations: Sequence[Any]) -> list[Any]:
    """The beginning of a conversation: a job's result is no place for a book."""
    return [
        {**turn, "value": turn["value"] if len(turn["value"]) <= CLIPPED else f"{turn['value'][:CLIPPED]}…"}
        for turn in conversations[:CLIPPED_TURNS]
    ]


def mix(job: JobContext) -> Mixture:
    """Read the parts of a recipe, choose, and put what was chosen in order; raises Unprocessable where nothing fits."""
    given = RecipeIn.model_validate(job.payload["recipe"])
    recipe = given.value()
    sources = [open_source(job, part) for part in recipe.parts]
    chosen = [_choose(job, recipe, part, source) for part, source in zip(recipe.parts, sources, strict=True)]
    plan = arrange(recipe, chosen)
    if not len(plan):
        raise Unprocessable("No text fits this recipe, so the dataset would be empty.")
    return Mixture(given=given, recipe=recipe, sources=sources, plan=plan)


def clear(job: JobContext) -> None:
    """Take away what builds that did not end have left."""
    with job.transaction() as session:
        left = DatasetRepository(session).left_behind(job.job_id)
    for dataset_id in left:
        gone = False
        while not gone:
            job.checkpoint()
            with job.transaction() as session:
                gone = DatasetRepository(session).drop_unsealed(dataset_id, most=_AT_ONCE)


def _choose(job: JobContext, recipe: Recipe, part: Part, source: Source) -> Chosen:
    def watched() -> Iterator[Sample]:
        for number, sample in enumerate(source.scan()):
            if number % PAGE == 0:
                job.checkpoint()
            yield sample

    chosen = choose(part, watched(), seed=recipe.seed, hold_out=recipe.hold_out)
    if not chosen.indices and not part.optional and not (part.texts is not None and len(recipe.parts) == 1):
        raise Unprocessable(f"The part `{part.name}` of the recipe has no sample: {source.emptiness()}")
    return chosen


@dataclass(slots=True)
class Tally:
    """What a dataset holds, counted while it is written."""

    content: ContentHash = field(default_factory=ContentHash)
    counted: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    reviews: Counter[str] = field(default_factory=Counter)
    pictures: set[int] = field(default_factory=set)

    def add(self, row: dict[str, Any]) -> None:
        """Count one item and hash it."""
        self.content.add(llava_sample(row["sample_id"], row["image"], row["conversations"]))
        answers = [str(turn["value"]) for turn in row["conversations"] if turn["from"] == "gpt"]
        self.counted["texts"] += 1
        self.counted["tagged"] += row["mark_set_id"] is not None
        self.counted["text_only"] += row["image"] is None
        self.counted["answers"] += len(answers)
        self.counted["answer_words"] += sum(len(answer.split()) for answer in answers)
        self.kinds[row["kind"]] += 1
        if row["review"] is not None:
            self.reviews[row["review"]] += 1
        if row["image"] is not None:
            self.pictures.add(hash(row["image_id"] or row["image"]))

    def statistics(self) -> dict[str, Any]:
        """The counts as the dataset shows them."""
        words, answers = self.counted["answer_words"], self.counted["answers"]
        return {
            **{name: self.counted[name] for name in ("texts", "tagged", "text_only", "answer_words")},
            "images": len(self.pictures),
            "by_kind": dict(sorted(self.kinds.items())),
            "by_review": dict(sorted(self.reviews.items())),
            "answer_words_mean": round(words / answers, 2) if answers else 0.0,
        }


def pages(job: JobContext, mixture: Mixture, stage: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the columns of all items in order, but for the dataset's id, a page at a time."""
    recipe, stages = mixture.recipe, mixture.recipe.order()
    entries = iter(mixture.plan)
    position = 0
    while page := list(islice(entries, PAGE)):
        job.progress(position, len(mixture.plan), stage)
        rows = []
        for entry, row in zip(page, _read(page, mixture.sources), strict=True):
            row |= {
                "position": position,
                "part": recipe.parts[entry.part].name,
                "stage": stages[entry.stage].name,
            }
            if entry.dropped:
                row["conversations"] = without_pairs(row["conversations"], entry.dropped)
            rows.append(row)
            position += 1
        yield rows


def _read(page: Sequence[Entry], sources: Sequence[Source]) -> Iterable[dict[str, Any]]:
    """The columns of a page of entries, one visit to each source."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for number, source in enumerate(sources):
        wanted = sorted({entry.index for entry in page if entry.part == number})
        for index, row in source.rows(wanted):
            found[number, index] = row
    if any((entry.part, entry.index) not in found for entry in page):
        raise Conflict("A text was deleted while the dataset was built; build it again.")
    return (dict(found[entry.part, entry.index]) for entry in page)


def _report(mixture: Mixture, *, listed: int = LISTED_FAULTS) -> dict[str, Any]:
    """How the mixture came about: counts after each rule, places per stage, and every reason to leave something out."""
    faults = [
        {"part": part.name, "id": name, "reason": reason}
        for part, source in zip(mixture.recipe.parts, mixture.sources, strict=True)
        for name, reason in source.faults.listed
    ]
    reasons: Counter[str] = Counter()
    for source in mixture.sources:
        reasons.update(source.faults.reasons)
    return {
        "parts": {given.name: given.report for given in mixture.plan.chosen},
        "stages": counts(mixture.plan, mixture.recipe),
        "text_only_thinned": mixture.plan.thinned,
        "excluded": {
            "count": sum(reasons.values()),
            "reasons": dict(reasons.most_common()),
            "listed": faults[:listed],
        },
    }
