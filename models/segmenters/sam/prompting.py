"""Points, boxes and strokes on an encoded picture -> one mask each. Called by `segmenter`.

A point asks for three masks and takes the one that the model thinks best, or the one of the wanted level; a box asks for
one; a stroke is points along it and takes the best of three by score and stability, as SoM's brush does, but with points
spread evenly where SoM draws 40 at random.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.protocols import ProvidedRegion
from models.regions import Regions
from models.segmenters.sam.enlarge import Enlarged, Enlarger, Frame
from models.segmenters.sam.network import Embedding
from models.segmenters.sam.promptable import Promptable, Prompted
from models.segmenters.sam.prompts import BOX_FIRST, BOX_SECOND, FOREGROUND, PADDING

STROKE_POINTS = 40
_PROMPTS_AT_ONCE = 16
_SINGLE, _SEVERAL = (0,), (1, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Points (N, 2) in pixels of the picture with their meanings (N,), the outputs to choose from, and how."""

    points_xy_px: NDArray[np.float64]
    labels: NDArray[np.int64]
    outputs: tuple[int, ...]
    by_stability: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The mask of one prompt and its predicted IoU."""

    mask: Enlarged
    score: float


def prompt_of(region: ProvidedRegion, shape: Regions, output: int | None) -> Prompt:
    """Turn a stated region into a prompt; `shape` is what it covers as it stands, `output` the wanted one of three.

    Polygons and masks are asked for by their box.
    """
    several = _SEVERAL if output is None else (output,)
    if region.point_xy_px is not None:
        return _points(np.array([region.point_xy_px], np.float64), several, by_stability=False)
    if region.stroke_px is not None:
        return _points(along(region.stroke_px, shape.size_hw), several, by_stability=True)
    corners = shape.boxes_xyxy_px[0].astype(np.float64).reshape(2, 2)
    return Prompt(points_xy_px=corners, labels=np.array([BOX_FIRST, BOX_SECOND]), outputs=_SINGLE)


def along(stroke_px: Sequence[tuple[float, float]], size_hw: tuple[int, int]) -> NDArray[np.float64]:
    """Return up to 40 points (N, 2), evenly spaced along a stroke and inside the picture, one per pixel at most."""
    path = np.asarray(stroke_px, np.float64).reshape(-1, 2)
    steps = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))))
    at = np.linspace(0, steps[-1], STROKE_POINTS)
    spread = np.stack([np.interp(at, steps, path[:, axis]) for axis in (0, 1)], axis=1)
    inside = spread[((spread >= 0) & (spread < np.array(size_hw[::-1]))).all(axis=1)]
    if not len(inside):
        inside = np.clip(path[:1], 0, np.array(size_hw[::-1]) - 1)
    _, first = np.unique(np.floor(inside), axis=0, return_index=True)
    return inside[np.sort(first)]


def answered(network: Promptable, embedding: Embedding, prompts: Sequence[Prompt]) -> list[Answer]:
    """Return the mask of each prompt; prompts of the same number of points run together."""
    image = network.prompted(embedding)
    answers: dict[int, Answer] = {}
    alike: dict[tuple[int, tuple[int, ...]], list[int]] = defaultdict(list)
    for index, prompt in enumerate(prompts):
        alike[len(prompt.labels), prompt.outputs].append(index)
    for group in alike.values():
        for at in range(0, len(group), _PROMPTS_AT_ONCE):
            some = group[at : at + _PROMPTS_AT_ONCE]
            answers |= dict(zip(some, _together(network, image, [prompts[i] for i in some]), strict=True))
    return [answers[index] for index in range(len(prompts))]


def _points(points: NDArray[np.float64], outputs: tuple[int, ...], *, by_stability: bool) -> Prompt:
    labels = np.full(len(points) + 1, FOREGROUND)
    labels[-1] = PADDING  # points without a box come with an empty one, as in training
    return Prompt(
        points_xy_px=np.concatenate([points, np.zeros((1, 2))]),
        labels=labels,
        outputs=outputs,
        by_stability=by_stability,
    )


def _together(network: Promptable, image: Prompted, prompts: Sequence[Prompt]) -> list[Answer]:
    outputs = prompts[0].outputs
    decoded = image.decode(np.stack([p.points_xy_px for p in prompts]), np.stack([p.labels for p in prompts]))
    logits = image.masks(decoded, outputs)
    scores = decoded.scores[:, list(outputs)].cpu()
    embedding = image.embedding
    frame = Frame(origin_xy=(0, 0), size_hw=embedding.size_hw)
    low_hw = (logits.shape[2], logits.shape[3])
    enlarge = Enlarger(embedding, network.image_px, low_hw, network.low_px, frame, level=0.0)
    answers = []
    for row, prompt in enumerate(prompts):
        wanted = slice(None) if prompt.by_stability else slice(best := int(scores[row].argmax()), best + 1)
        masks = [mask for mask in enlarge(logits[row, wanted], 0.0, 1.0) if mask is not None]
        values = scores[row, wanted].tolist()
        ranks = [
            v + (np.nan_to_num(m.stability) if prompt.by_stability else 0) for m, v in zip(masks, values, strict=True)
        ]
        chosen = int(np.argmax(ranks))
        answers.append(Answer(mask=masks[chosen], score=values[chosen]))
    return answers
