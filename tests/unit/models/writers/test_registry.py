"""Every writer that is named can be built, and what does not exist is refused in words."""

import re
import subprocess
import sys

import pytest

from models.errors import BadInput
from models.writers.registry import WRITERS, build, check_order
from models.writers.types import TEXT_KINDS, WriterOptions


def test_every_kind_has_a_writer_and_every_writer_can_be_built() -> None:
    assert {kind for kind, _ in WRITERS} == set(TEXT_KINDS)
    for kind, name in WRITERS:
        made = build(WriterOptions(kind=kind), name)
        assert made.name == name
        assert made.prompt_version


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (("poem", "rules", None, {}), "no writer writes the kind `poem`; kinds are listing, conversation"),
        (("listing", "mmgic", None, {}), "the writer `mmgic` does not write the kind `listing`; rules, vlm do"),
        (("listing", "rules", "zero-shot", {}), "has no modes; not `zero-shot`"),
        (("listing", "vlm", "one-shot", {}), "has the modes zero-shot, improved-system, two-shot; not `one-shot`"),
        (("conversation", "vlm", None, {"turn": 3}), "takes the options turns; not `turn`"),
        (("conversation", "vlm", None, {"turns": True}), "the option `turns` must be of type int"),
        (("referring", "svit", None, {"locations": 1}), "the option `locations` must be of type bool"),
    ],
)
def test_orders_that_cannot_be_are_refused(order: tuple, says: str) -> None:
    kind, writer, mode, options = order
    with pytest.raises(BadInput, match=re.escape(says)):
        check_order(kind, writer, mode=mode, options=options)


def test_naming_writers_loads_no_torch() -> None:
    code = "import models.writers.registry, models.writers.teachers, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
