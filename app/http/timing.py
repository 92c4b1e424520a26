"""`Server-Timing`: the stages of an answer for whoever looks at responses with a browser's or a proxy's tools."""

import re
from collections.abc import Iterable
from typing import Any

_TOKEN = re.compile(r"[^A-Za-z0-9_-]")


def server_timing(bodies: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return the header with the milliseconds of every stage, summed over several answers of one request."""
    stages: dict[str, float] = {}
    for body in bodies:
        for stage, ms in body.get("timing_ms", {}).items():
            stages[stage] = stages.get(stage, 0.0) + float(ms)
    if not stages:
        return {}
    return {"Server-Timing": ", ".join(f"{_TOKEN.sub('_', stage)};dur={ms:.1f}" for stage, ms in stages.items())}
