"""Reads a pickle that holds plain values, and refuses every other: nothing in the file is ever called, imported or built.

RefCOCO's `refs(unc).p` is a list of dicts of numbers and texts, published as a pickle, and Python's own reader would run
whatever such a file says. Here its operations are listed by `pickletools`, which executes none, and only those that put
plain values together are carried out: a file that names a function, a class or an extension is refused at that byte.
"""

import pickletools
from collections.abc import Callable
from typing import Any, Final

from models.errors import BadEvaluation

MOST_BYTES: Final = 256 * 2**20
_VALUES: Final = frozenset(
    {
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    }
)
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NOTHING: Final = frozenset({"PROTO", "FRAME"})
_MARK: Final = object()


def read_plain(data: bytes, name: str = "the file") -> Any:
    """Return the value in a pickle of dicts, lists, tuples, numbers, texts, bytes and None; raises BadEvaluation on any other."""
    if len(data) > MOST_BYTES:
        raise BadEvaluation(f"{name} has {len(data)} bytes; at most {MOST_BYTES} are read")
    machine = _Machine(name)
    try:
        for operation, argument, place in pickletools.genops(data):
            if operation.name == "STOP":
                return machine.stack[-1]
            machine.carry_out(operation.name, argument, place)
    except (ValueError, IndexError, KeyError, TypeError, StopIteration) as error:
        raise BadEvaluation(f"{name} is no whole pickle of plain values ({type(error).__name__})") from error
    raise BadEvaluation(f"{name} is no whole pickle: it has no end")


class _Machine:
    """The stack that a pickle's operations work on."""

    def __init__(self, name: str) -> None:
        self.stack: list[Any] = []
        self._name = name
        self._memory: dict[int, Any] = {}
        self._known: dict[str, Callable[[], None]] = {
            "MARK": lambda: self.stack.append(_MARK),
            "EMPTY_DICT": lambda: self.stack.append({}),
            "EMPTY_LIST": lambda: self.stack.append([]),
            "EMPTY_TUPLE": lambda: self.stack.append(()),
            "DICT": lambda: self.stack.append(_pairs(self._since_mark())),
            "LIST": lambda: self.stack.append(self._since_mark()),
            "TUPLE": lambda: self.stack.append(tuple(self._since_mark())),
            "TUPLE1": lambda: self._tuple(1),
            "TUPLE2": lambda: self._tuple(2),
            "TUPLE3": lambda: self._tuple(3),
            "APPEND": lambda: self._extend([self.stack.pop()]),
            "APPENDS": lambda: self._extend(self._since_mark()),
            "SETITEM": lambda: self._update([self.stack.pop(-2), self.stack.pop()]),
            "SETITEMS": lambda: self._update(self._since_mark()),
            "POP": self._drop,
            "MEMOIZE": lambda: self._memory.__setitem__(len(self._memory), self.stack[-1]),
        }

    def carry_out(self, name: str, argument: Any, place: int | None) -> None:
        """Carry out one operation, or refuse it."""
        if name in _VALUES:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name.endswith("PUT"):
            self._memory[int(argument)] = self.stack[-1]
        elif name.endswith("GET"):
            self.stack.append(self._memory[int(argument)])
        elif name in self._known:
            self._known[name]()
        elif name not in _NOTHING:
            raise BadEvaluation(
                f"{self._name} is a pickle that wants to run code ({name} at byte {place}); it is not opened. "
                "A file of plain values, or the same list as JSON, is read."
            )

    def _since_mark(self) -> list[Any]:
        start = next(i for i in range(len(self.stack) - 1, -1, -1) if self.stack[i] is _MARK)
        values = self.stack[start + 1 :]
        del self.stack[start:]
        return values

    def _tuple(self, count: int) -> None:
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def _extend(self, values: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise TypeError("only a list is appended to")
        self.stack[-1].extend(values)

    def _update(self, values: list[Any]) -> None:
        if not isinstance(self.stack[-1], dict):
            raise TypeError("only a dict is filled")
        self.stack[-1].update(_pairs(values))

    def _drop(self) -> None:
        self.stack.pop()


def _pairs(values: list[Any]) -> dict[Any, Any]:
    return dict(zip(values[::2], values[1::2], strict=True))
