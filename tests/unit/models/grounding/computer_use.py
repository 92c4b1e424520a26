"""The actions of two computer-use interfaces as their publishers describe them, to hold ours against.

OpenAI: the `action` of a `computer_call` item of the Responses API (its Python client 3.52 carries the same types).
Anthropic: the input of the tools `computer_20250124` and `computer_20251124`; keys are named as xdotool names them.
Fields that an action does not have are refused.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Whole = Annotated[int, Field(ge=0, strict=True)]
Point = tuple[Whole, Whole]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Click(_Form):
    type: Literal["click"]
    button: Literal["left", "right", "wheel", "back", "forward"]
    x: Whole
    y: Whole


class DoubleClick(_Form):
    type: Literal["double_click"]
    x: Whole
    y: Whole


class Keypress(_Form):
    type: Literal["keypress"]
    keys: list[Literal["CTRL", "A", "ENTER", "DELETE"]] = Field(min_length=1)


class Type(_Form):
    type: Literal["type"]
    text: str


OPENAI: TypeAdapter[object] = TypeAdapter(Annotated[Click | DoubleClick | Keypress | Type, Field(discriminator="type")])


class AtPoint(_Form):
    action: Literal["left_click", "right_click", "middle_click", "double_click", "triple_click", "mouse_move"]
    coordinate: Annotated[list[Whole], Field(min_length=2, max_length=2)]


class Spelled(_Form):
    action: Literal["type"]
    text: str


class Key(_Form):
    action: Literal["key"]
    text: Literal["Return", "Delete", "ctrl+a"]


ANTHROPIC: TypeAdapter[object] = TypeAdapter(Annotated[AtPoint | Spelled | Key, Field(discriminator="action")])
