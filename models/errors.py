"""What can go wrong in the model library, grouped by what the caller can do about it.

    ModelError
    ├── BadInput            the caller must change the input
    │   ├── BadImage        not decodable, empty or of an unsupported shape
    │   └── BadRegions      a region is malformed or lies outside the image
    ├── WeightsMissing      the operator must set a path or put a file in place
    ├── BackendDown         try again later: the model server does not answer
    ├── BadOutput           the model answered, but not in the agreed form
    └── OutOfMemory         ask for less at once

Messages are ours and safe to show: they never carry another library's text.
"""


class ModelError(Exception):
    """Root of every error that `models` raises on purpose."""


class BadInput(ModelError):
    """The input cannot be used as it is."""


class BadImage(BadInput):
    """The image cannot be used."""


class BadRegions(BadInput):
    """A region is malformed or lies outside the image."""


class WeightsMissing(ModelError):
    """Weights are not where the setting says they are."""


class BackendDown(ModelError):
    """The model server does not answer."""


class BadOutput(ModelError):
    """The model's answer is not in the agreed form."""


class OutOfMemory(ModelError):
    """The work does not fit in memory at this size."""
