"""Where the questions of a benchmark come from: a dataset's listings, the operator's folder, else drawings.

Labels go where answers are scored; pictures are read when a question is asked, as carefully as uploads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast
from uuid import UUID

from app.catalog.datasets import DatasetRepository
from app.catalog.mark_sets import MarkSetRepository
from app.errors import Unprocessable
from app.imaging.errors import ImagingError
from app.storage.blobs import BlobCorrupt, BlobMissing
from models.errors import BadEvaluation, BadImage
from models.evaluation.drawn import DRAWABLE, draw
from models.evaluation.judges import JUDGED, Judged
from models.evaluation.listing import parse_listing
from models.evaluation.runs import AnyQuestion, MarkQuestion
from models.evaluation.runs.tags import Picture
from models.evaluation.scores.reading import Row
from models.evaluation.suites import suite
from workers.context import JobContext
from workers.evaluating.orders import Order
from workers.marking import stored_marks

USUAL_DRAWINGS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The questions of one benchmark, and the rows that its scorer reads beside the answers."""

    benchmark: str
    kind: Literal["dataset", "files", "drawings"]
    questions: Sequence[AnyQuestion]
    question_rows: Sequence[Row] = ()
    label_rows: tuple[Sequence[Row], ...] = ()

    @property
    def judged(self) -> Judged | None:
        """The benchmark where a judge gives the points, else None."""
        return next((name for name in JUDGED if name == self.benchmark), None)


class Sources(Mapping[str, Source]):
    """The sources of an order, opened when they are first asked for; drawings are put into `scratch`."""

    def __init__(self, job: JobContext, order: Order, scratch: Path) -> None:
        self._job, self._order, self._scratch = job, order, scratch
        self._open: dict[str, Source] = {}

    def __getitem__(self, benchmark: str) -> Source:
        """Return a benchmark's source; raises Unprocessable where there is none."""
        if benchmark not in self._open:
            self._open[benchmark] = self._opened(benchmark)
        return self._open[benchmark]

    def __iter__(self) -> Any:
        """The benchmarks of the order."""
        return iter(dict.fromkeys(self._order.benchmarks))

    def __len__(self) -> int:
        """How many benchmarks were ordered."""
        return len(set(self._order.benchmarks))

    def read(self, image: Path | bytes | str) -> Picture:
        """Return the pixels of a question's picture: a file, bytes of a sheet, or the mark set of a dataset's sample.

        Raises BadImage for one that cannot be read: its question fails, and the others are asked.
        """
        if isinstance(image, str):
            try:
                return stored_marks(self._job, UUID(image)).pixels
            except (BlobMissing, BlobCorrupt, ValueError):
                raise BadImage("the stored picture is lost or damaged") from None
        try:
            data = image if isinstance(image, bytes) else image.read_bytes()
            return self._job.resources.decoder.decode_pixels(data).image
        except OSError:
            raise BadImage(f"the picture {Path(str(image)).name} cannot be read") from None
        except ImagingError as exc:
            raise BadImage(exc.detail) from None

    def _opened(self, benchmark: str) -> Source:
        order = self._order
        if benchmark == "listing" and order.dataset_id is not None:
            return self._of_dataset(order.dataset_id)
        try:
            found = suite(self._job.resources.settings.benchmarks_folder, benchmark)
            if found is None and benchmark not in DRAWABLE:
                raise Unprocessable(
                    f"The files of {benchmark} are not installed: MARKWISE_BENCHMARKS names the folder for them."
                )
            made = found or draw(benchmark, self._scratch / benchmark, n=order.n or USUAL_DRAWINGS, seed=order.seed)
            questions, labels = made.rows()
            asked = made.asked()
        except BadEvaluation as exc:
            raise Unprocessable(f"The files of {benchmark} cannot be used: {exc}.") from None
        return Source(
            benchmark=benchmark,
            kind="drawings" if found is None else "files",
            questions=asked if found is None else asked[: order.n],
            question_rows=questions,
            label_rows=labels,
        )

    def _of_dataset(self, dataset_id: UUID) -> Source:
        """Listings of marked pictures; the model is not told the regions' texts, the names must come from the pixels."""
        with self._job.transaction() as session:
            items = [
                item
                for item in DatasetRepository(session).items(dataset_id)
                if item.kind == "listing" and item.mark_set_id is not None
            ][: self._order.n]
            questions, labels = [], []
            for item in items:
                marks = MarkSetRepository(session).marks(cast("UUID", item.mark_set_id))
                names = parse_listing(item.conversations[-1]["value"])
                key = f"{item.sample_id} {item.position}"
                questions.append(
                    MarkQuestion(
                        key=key,
                        task="list",
                        image=str(item.mark_set_id),
                        regions=tuple({"id": mark.region_id, "rle": mark.rle} for mark in marks),
                        row={"image": key},
                    )
                )
                known = {str(i): names[mark.mark] for i, mark in enumerate(marks, 1) if mark.mark in names}
                labels.append({"image": key, "items": known})
        if not items:
            raise Unprocessable("The dataset holds no listing of a marked picture.")
        return Source(benchmark="listing", kind="dataset", questions=questions, label_rows=(labels,))
