"""One row of the table that `make chaos` prints. Every driver in this folder returns one, and prints it when it is run alone."""

import argparse
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

HEAD = ("row", "fault", "load", "survived", "lost", "duplicated", "recovery", "verdict", "what was seen")
MOST_SAID = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a fault did. `survived`, `lost` and `duplicated` count requests or jobs; `failures` are the rules that were broken."""

    id: str
    fault: str
    load: str
    survived: int
    lost: int = 0
    duplicated: int = 0
    recovery_s: float | None = None
    failures: tuple[str, ...] = ()
    seen: str = ""

    @classmethod
    def of_checks(
        cls,
        *,
        bad: Sequence[str],
        asked: int,
        id: str,
        fault: str,
        load: str,
        seen: str,
        recovery_s: float | None = None,
        failures: tuple[str, ...] = (),
    ) -> "Row":
        """A row about things that were looked at one by one: what is bad is lost, and the first of it is said."""
        return cls(
            id=id,
            fault=fault,
            load=load,
            survived=asked - len(bad),
            lost=len(bad),
            recovery_s=recovery_s,
            failures=(*bad[:MOST_SAID], *failures),
            seen=seen,
        )

    @property
    def text(self) -> str:
        """The row as Markdown."""
        recovery = "" if self.recovery_s is None else f"{self.recovery_s:.1f} s"
        verdict = "FAILED: " + "; ".join(self.failures) if self.failures else "held"
        cells = (
            self.id,
            self.fault,
            self.load,
            self.survived,
            self.lost,
            self.duplicated,
            recovery,
            verdict,
            self.seen,
        )
        return "| " + " | ".join(map(str, cells)) + " |"


def counted(faults: Mapping[str, int]) -> tuple[str, ...]:
    """How often each rule was broken, in words; nothing of those that held."""
    return tuple(f"{count} {what}" for what, count in faults.items() if count)


def head() -> str:
    """The lines above the rows."""
    return "| " + " | ".join(HEAD) + " |\n" + "|---" * len(HEAD) + "|"


def run(measure: Callable[..., Row | Iterable[Row]], about: str | None) -> None:
    """Measure by the command line, whose options are the arguments of `measure`, and finish."""
    parser = argparse.ArgumentParser(description=about)
    for option in inspect.signature(measure).parameters.values():
        parser.add_argument(f"--{option.name}", type=type(option.default), default=option.default)
    finish(measure(**vars(parser.parse_args())))


def finish(measured: Row | Iterable[Row]) -> None:
    """Print rows under their head; ends the process with 1 if a rule was broken."""
    rows = [measured] if isinstance(measured, Row) else list(measured)
    print(head())
    print("\n".join(row.text for row in rows))
    raise SystemExit(any(row.failures for row in rows))
