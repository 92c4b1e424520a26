"""Scores a detector on pages with truth: recall of elements by a mark of their own at a given number of marks.

Used by training, `models.detector.evaluate` and the bench. A mark counts for one element: box IoU of at least 0.5 and its
middle inside; marks whose middle lies on an `ignore` box are not counted at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.detector.targets import IGNORED


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Marks and truth of one page, in the same pixels."""

    boxes: NDArray[np.float32]  # (M, 4)
    scores: NDArray[np.float32]  # (M,)
    roles: NDArray[np.int64]  # (M,)
    true_boxes: NDArray[np.float32]  # (N, 4)
    true_roles: NDArray[np.int64]  # (N,), IGNORED among them


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Figures at one threshold."""

    threshold: float
    recall: float  # a mark of its own: IoU >= 0.5 and the mark's middle inside
    inside: float  # some mark's middle is inside, each mark serving one element
    marks_per_element: float
    precision: float
    role_accuracy: float  # of the found ones
    by_role: dict[int, tuple[int, int]]  # role -> found, all


def at_marks_per_element(pages: Sequence[Scored], allowed: float = 1.6) -> Result:
    """Return the figures at the lowest threshold that leaves at most `allowed` marks per element."""
    elements = sum(int((page.true_roles != IGNORED).sum()) for page in pages)
    counted = [page.scores[_counted(page)] for page in pages]
    scores = np.sort(np.concatenate(counted))[::-1] if counted else np.zeros(0)
    allowed_marks = int(allowed * elements)
    threshold = float(scores[allowed_marks]) + 1e-7 if len(scores) > allowed_marks else 0.0
    return at_threshold(pages, threshold)


def at_threshold(pages: Sequence[Scored], threshold: float) -> Result:
    """Return the figures of the marks with a score of at least `threshold`."""
    elements = marks = found = inside = right = 0
    by_role: dict[int, tuple[int, int]] = {}
    for page in pages:
        true = page.true_roles != IGNORED
        keep = (page.scores >= threshold) & _counted(page)
        boxes, roles = page.boxes[keep], page.roles[keep]
        goal, goal_roles = page.true_boxes[true], page.true_roles[true]
        pairs = match(boxes, goal, 0.5)
        elements, marks, found = elements + len(goal), marks + len(boxes), found + len(pairs)
        inside += len(match(boxes, goal, 0.0))
        right += sum(int(roles[mark] == goal_roles[element]) for mark, element in pairs)
        hit = {element for _, element in pairs}
        for index, role in enumerate(goal_roles.tolist()):
            got, all_ = by_role.get(role, (0, 0))
            by_role[role] = (got + (index in hit), all_ + 1)
    return Result(
        threshold=threshold,
        recall=found / max(elements, 1),
        inside=inside / max(elements, 1),
        marks_per_element=marks / max(elements, 1),
        precision=found / max(marks, 1),
        role_accuracy=right / max(found, 1),
        by_role=by_role,
    )


def match(boxes: NDArray[np.float32], goal: NDArray[np.float32], least_iou: float) -> list[tuple[int, int]]:
    """Pairs (mark, element), one to one, best IoU first, among those where the mark's middle lies in the element."""
    if not len(boxes) or not len(goal):
        return []
    low = np.maximum(boxes[:, None, :2], goal[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], goal[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    areas = [(one[:, 2:] - one[:, :2]).prod(1) for one in (boxes, goal)]
    iou = shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-6)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    within = ((middle[:, None] >= goal[None, :, :2]) & (middle[:, None] < goal[None, :, 2:])).all(2)
    iou = np.where(within & (iou >= least_iou), iou + 1e-9, 0)
    pairs, order = [], np.argsort(-iou, axis=None, kind="stable")
    used: tuple[set[int], set[int]] = (set(), set())
    for flat in order[: int((iou > 0).sum())].tolist():
        mark, element = divmod(flat, len(goal))
        if mark not in used[0] and element not in used[1]:
            used[0].add(mark)
            used[1].add(element)
            pairs.append((mark, element))
    return pairs


def _counted(page: Scored) -> NDArray[np.bool_]:
    """Which marks count: those on an `ignore` box do only when they also serve an element inside it."""
    open_ = page.true_boxes[page.true_roles == IGNORED]
    counted = np.ones(len(page.scores), np.bool_)
    if not len(open_) or not len(page.boxes):
        return counted
    middle = (page.boxes[:, :2] + page.boxes[:, 2:]) / 2
    on_open = ((middle[:, None] >= open_[None, :, :2]) & (middle[:, None] < open_[None, :, 2:])).all(2).any(1)
    goal = page.true_boxes[page.true_roles != IGNORED]
    counted[on_open] = False
    counted[[mark for mark, _ in match(page.boxes, goal, 0.3)]] = True
    return counted
