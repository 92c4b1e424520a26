"""Text that we compose from marks and words, with the span of every mark known while it is written.

For answers that are not the model's own words: nothing has to be found again in a text that may hold anything. Knows no marks'
places and no model.
"""

from models.vlm.parse import Mention


class Composed:
    """A text under construction; `text` and `mentions` are what there is so far."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self._mentions: list[Mention] = []

    def say(self, words: str) -> "Composed":
        """Append words that name no mark."""
        self.text += words
        return self

    def name(self, mark: str) -> "Composed":
        """Append a mark's id and remember where it stands."""
        start = len(self.text)
        self.text += mark
        self._mentions.append(Mention(mark=mark, char_start=start, char_end=len(self.text)))
        return self

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """All mentions so far, in text order."""
        return tuple(self._mentions)

    @property
    def marks(self) -> tuple[str, ...]:
        """The named marks, each once, in the order of their first mention."""
        return tuple(dict.fromkeys(mention.mark for mention in self._mentions))
