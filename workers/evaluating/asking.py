"""How the questions of a cell are put: the model as it serves, marks as they were ordered, the judge behind it."""

from collections.abc import Callable
from typing import Any

from models.evaluation.judges import Judge
from models.evaluation.runs import AnyQuestion, Ask, Asking, Tags
from models.evaluation.runs.tags import Picture
from models.evaluation.self_annotated import SelfAnnotating
from models.marks import style_of
from models.protocols import SegmentRequest
from models.regions import Regions
from models.registry import choose_segmenter, segmenter
from models.vlm.types import VlmBackend
from workers.context import JobContext
from workers.evaluating.orders import Cell, Marks


def asking_of(job: JobContext, cell: Cell, backend: VlmBackend, read: Callable[[Any], Picture]) -> Ask:
    """Return what asks this cell's questions, after notes where the order wants them; each looks whether the work must end."""

    def looking(image: Any) -> Picture:
        job.checkpoint()
        return read(image)

    asking = Asking(backend=backend, read=looking, tags=tags_of(cell.marks), choosing=cell.choosing, decide=cell.decide)
    return asking if cell.notes is None else SelfAnnotating(asking=asking, notes=cell.notes)


def tags_of(marks: Marks | None) -> Tags | None:
    """Return how pictures are marked; raises BadInput for an unknown style."""
    if marks is None:
        return None

    def segment(pixels: Picture) -> Regions:
        request = SegmentRequest(granularity=marks.granularity)
        return segmenter(choose_segmenter(marks.segmenter, pixels, request)).segment(pixels, request)

    return Tags(segment=segment, style=style_of(marks.style), max_marks=marks.max_marks, golden=marks.golden)


def judged(ask: Ask, judge: Judge) -> Ask:
    """Return what asks and then has the answer judged; the line of a verdict is the line of the answer."""

    def both(question: AnyQuestion) -> dict[str, Any]:
        answer = ask(question)
        return answer | judge(question.key, str(answer["text"]))

    return both
