"""A teacher that says what a test tells it to say, and keeps what it was asked."""

from collections.abc import Callable, Sequence

from models.vlm.types import EncodedPicture, Message
from models.writers.types import Reply, TaggedMark


class ScriptedTeacher:
    """Gives the answers of a list in order (an exception is raised), or what a function makes of the messages."""

    def __init__(self, *answers: str | Exception | Callable[[Sequence[Message]], str]) -> None:
        self.name, self.version, self.dialect, self.input_px, self.backend = "scripted", "1", "general", None, None
        self._answers = list(answers)
        self.asked: list[tuple[Message, ...]] = []

    def ask(self, messages: Sequence[Message], **_: object) -> Reply:
        """The next answer; the last one again when there are no more."""
        self.asked.append(tuple(messages))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        text = answer if isinstance(answer, str) else answer(messages)
        return Reply(text=text, prompt_tokens=100, completion_tokens=10, latency_s=0.5)


class FakePicture:
    """A tagged picture without pixels; a small model answers what the test says, in order."""

    def __init__(self, marks: tuple[TaggedMark, ...], answers: Sequence[str] = ()) -> None:
        self.marks, self.size_hw = marks, (48, 64)
        self._answers = list(answers)
        self.asked: list[str] = []

    def picture(self, input_px: int | None = None) -> EncodedPicture:
        """No pixels."""
        return EncodedPicture(media_type="image/png", data=b"png")

    def grounded(self, _backend: object, _task: str, query: str) -> Reply:
        """The next answer."""
        self.asked.append(query)
        return Reply(text=self._answers.pop(0))
