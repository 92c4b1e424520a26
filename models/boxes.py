"""What two boxes have in common: plain arithmetic on (x0, y0, x1, y1) in any one unit, for whoever compares annotations."""

from collections.abc import Sequence


def area(box: Sequence[float]) -> float:
    """The area of a box; negative where one pair of its edges has changed places."""
    return (box[2] - box[0]) * (box[3] - box[1])


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """The area that two boxes share, 0 where they only touch."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union; 0 where they share nothing, so of an empty box with itself too."""
    shared = overlap(one, other)
    return shared / (area(one) + area(other) - shared) if shared else 0.0
