"""What can go wrong in the model library, grouped by what the caller can do about it.

    ModelError
    ├── BadInput            the caller must change the input
    │   ├── BadImage        not decodable, empty or of an unsupported shape
    │   ├── NotYet          a known model that this library does not have; the message names the closest
    │   ├── BadRegions      a region is malformed or lies outside the image
    │   ├── Nameless        a mark carries no name where a name is needed
    │   └── BadEvaluation   a question, label or answer file does not hold what its benchmark needs
    ├── WeightsMissing      the operator must set a path or put a file in place
    ├── BackendDown         try again later: the model server does not answer
    │   ├── OutOfTime       the caller's own deadline is over: give it more time, or ask for less
    │   └── BackendUnfit    the operator must change a setting of ours or of the model server, named in the message
    │       └── ModelMissing    the server answers, but does not serve the model (or adapter) that is asked for
    ├── BadOutput           the model answered, but not in the agreed form
    │   └── Refused         its provider declined to answer
    └── OutOfMemory         ask for less at once

Messages are ours and safe to show: they never carry another library's text.
"""


class ModelError(Exception):
    """Root of every error that `models` raises on purpose."""


class BadInput(ModelError):
    """The input cannot be used as it is."""


class BadImage(BadInput):
    """The image cannot be used."""


class NotYet(BadInput):
    """A known model that this library does not have yet."""


class BadRegions(BadInput):
    """A region is malformed or lies outside the image."""


class Nameless(BadInput):
    """A mark carries no name where a name is needed."""


class BadEvaluation(BadInput):
    """A question, label or answer file does not hold what its benchmark needs."""


class WeightsMissing(ModelError):
    """Weights are not where the setting says they are; `setting` is the name of that setting where there is one.

    The message may name folders of this machine; the setting's name is safe to show to anyone.
    """

    def __init__(self, message: str, *, setting: str | None = None) -> None:
        super().__init__(message)
        self.setting = setting


class BackendDown(ModelError):
    """The model server does not answer. `retry_after_s` is when to ask again, where that is known."""

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class OutOfTime(BackendDown):
    """The answer was not ready before the caller's own deadline."""


class BackendUnfit(BackendDown):
    """The model server answers, but cannot be used as it is set up."""


class ModelMissing(BackendUnfit):
    """The model server does not serve the model that is asked for."""


class BadOutput(ModelError):
    """The model's answer is not in the agreed form."""


class Refused(BadOutput):
    """The provider of the model declined to answer."""


class OutOfMemory(ModelError):
    """The work does not fit in memory at this size."""
