"""Where marks stand to each other: the label of a field, things left of, below or next to another.

Used by `models.ranking` and by the `gui` segmenter, so that both mean the same by a label. Geometry only; lengths are
in `em`, the height of a text line.
"""

import math

Box = tuple[float, float, float, float]

TICK_ROLES = frozenset({"checkbox", "radio", "switch"})
FIELD_ROLES = (
    frozenset({"textbox", "searchbox", "combobox", "listbox", "spinbutton", "slider", "textarea"}) | TICK_ROLES
)
LABEL_ROLES = frozenset({"text", "heading", "label", "statictext"})

_SHOWS = ": "
# How much of a page a header or footer, and a sidebar, may take.
_BAR, _SIDEBAR = 0.2, 0.3


def field_text(label: str, shown: str) -> str:
    """Return the text of a field with a label that shows a value or a placeholder."""
    return f"{label.rstrip(' :')}{_SHOWS}{shown}"


def field_parts(text: str) -> tuple[str, str] | None:
    """Return label and shown text of a field whose text tells both, None where it tells one."""
    label, between, shown = text.partition(_SHOWS)
    return (label, shown) if between and label and shown else None


def label_distance(field: Box, role: str, label: Box, em: float, *, filled: bool = False) -> float | None:
    """Return how far a label stands from its field, in em with a malus for unusual sides; None if it cannot be its.

    Labels stand right of checkboxes and radio buttons, left of other fields or above them. A field that shows text of
    its own (`filled`) has its label close by or none: a menu beside a search box is no label. A switch at the end of a
    list's row has its label at the row's beginning, where nothing stands nearer; of two lines there the upper one.
    """
    x0, y0, x1, y1 = field
    left, top, right, bottom = label
    same_row = min(y1, bottom) - max(y0, top) > 0.5 * min(y1 - y0, bottom - top)
    if role in TICK_ROLES:
        if same_row and -0.3 * em <= left - x1 <= 1.5 * em:
            return max(left - x1, 0.0) / em
        if same_row and 0 <= x0 - right <= 1.5 * em:
            return 2.0 + (x0 - right) / em
        lower = ((top + bottom) - (y0 + y1)) / 2 / em  # how far the label's middle is below the field's
        in_row = abs(lower) <= 0.9 and right < x0
        return 4.0 + abs(lower) + 0.5 * (lower > 0.2) + 0.02 * (x0 - right) / em if in_row else None
    if same_row and -0.3 * em <= x0 - right <= (1.2 if filled else 6) * em:
        return max(x0 - right, 0.0) / em
    above = -0.3 * em <= y0 - bottom <= 1.2 * em and abs(left - x0) < 1.5 * em
    return 0.5 + max(y0 - bottom, 0.0) / em if above else None


def relation_score(box: Box, anchor: Box, relation: str, size_hw: tuple[int, int]) -> float:
    """Return 0-1: how well a box stands in `relation` to `anchor`; near is better.

    `relation` is left, right, above, below, near, row (side by side, however far) or of (in its row, or close to it).
    """
    (x, y), (ax, ay) = center(box), center(anchor)
    gap_x = max(box[0] - anchor[2], anchor[0] - box[2], 0.0)
    gap_y = max(box[1] - anchor[3], anchor[1] - box[3], 0.0)
    rows = min(box[3], anchor[3]) - max(box[1], anchor[1]) > 0
    columns = min(box[2], anchor[2]) - max(box[0], anchor[0]) > 0
    match relation:
        case "left":
            fits, aligned = x < ax and gap_x > 0, rows
        case "right":
            fits, aligned = x > ax and gap_x > 0, rows
        case "above":
            fits, aligned = y < ay and gap_y > 0, columns
        case "below":
            fits, aligned = y > ay and gap_y > 0, columns
        case "row":
            return max(0.0, 1.0 - 0.1 * gap_x / max(size_hw[1], 1)) if rows else 0.0
        case _:
            fits, aligned = True, rows or columns
    if not fits:
        return 0.0
    distance = math.hypot(gap_x, gap_y) / max(*size_hw, 1)
    if relation == "of" and rows:
        distance *= 0.4  # a table's row is wide, and what stands in it belongs to it
    return (1.0 if aligned else 0.6) * max(0.0, 1.0 - 2.5 * distance)


def place_score(box: Box, place_xy: tuple[float | None, float | None], size_hw: tuple[int, int]) -> float:
    """Return 0-1: how near a box's centre is to a wanted place in the image (0-1 each, None where free)."""
    x, y = center(box)
    wanted = [
        abs(value - want)
        for value, want in zip((x / max(size_hw[1], 1), y / max(size_hw[0], 1)), place_xy, strict=True)
        if want is not None
    ]
    return max(0.0, 1.0 - sum(wanted) / len(wanted)) if wanted else 0.0


def in_part(box: Box, part: str, size_hw: tuple[int, int]) -> bool:
    """Whether a box is centred where a page has its header (top), footer (bottom) or a sidebar (left, right)."""
    x, y = center(box)
    share_x, share_y = x / max(size_hw[1], 1), y / max(size_hw[0], 1)
    within = {
        "top": share_y <= _BAR,
        "bottom": share_y >= 1 - _BAR,
        "left": share_x <= _SIDEBAR,
        "right": share_x >= 1 - _SIDEBAR,
    }
    return within[part]


def center(box: Box) -> tuple[float, float]:
    """Centre of a box."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
