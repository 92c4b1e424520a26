"""What can be wrong with a picture somebody sent: status, code and a fixed title for each.

    ImagingError
      TooLarge 413         more bytes than accepted
      UnsupportedType 415  a format outside the allow-list, or not the one that was declared
      BadPicture 422       EmptyPicture, NotAnImage, Truncated, Bomb, DecoderFailed
      DecoderBusy 503      every decoder is in use
      FetchRefused 422     the address or the URL is not one we call
      FetchFailed          FetchNotFound 422, FetchTimedOut 504

The docstring of a class is its title. `detail` is written here or by the caller from our own numbers; the text of a
library's exception never reaches it (CVE-2026-22778: Pillow's message leaked a heap address).
"""

from typing import ClassVar

from app.errors import AppError


class ImagingError(AppError):
    """The image could not be used"""

    status = 422
    code = "image.unusable"
    default_detail: ClassVar[str] = "The image could not be used."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.default_detail)


class TooLarge(ImagingError):
    """The image is too large"""

    status = 413
    code = "image.too_large"
    default_detail = "The image has more bytes than this service accepts."


class UnsupportedType(ImagingError):
    """The image format is not supported"""

    status = 415
    code = "image.type_unsupported"
    default_detail = "Accepted formats are PNG, JPEG, WebP, GIF and BMP."


class BadPicture(ImagingError):
    """The image could not be decoded"""

    code = "image.undecodable"
    default_detail = "The bytes are not an image that can be decoded."


class EmptyPicture(BadPicture):
    """The image is empty"""

    code = "image.empty"
    default_detail = "The image has no bytes."


class NotAnImage(BadPicture):
    """The bytes are not an image"""

    code = "image.not_an_image"


class Truncated(BadPicture):
    """The image is incomplete"""

    code = "image.truncated"
    default_detail = "The image ends before its data is complete."


class Bomb(BadPicture):
    """The image unpacks to more than is accepted"""

    code = "image.too_many_pixels"
    default_detail = "The image unpacks to more pixels or data than this service accepts."


class DecoderFailed(BadPicture):
    """The image could not be decoded within its limits"""

    code = "image.decoder_failed"
    default_detail = "Decoding the image took more time or memory than one image is given."


class DecoderBusy(ImagingError):
    """Too many images are being decoded"""

    status = 503
    code = "image.decoder_busy"
    default_detail = "Every image decoder is in use; try again shortly."
    retry_after_s = 2


class FetchRefused(ImagingError):
    """The image URL is not allowed"""

    code = "url.refused"
    default_detail = (
        "Only http and https URLs of public hosts, on the usual ports and without credentials, are fetched."
    )


class FetchFailed(ImagingError):
    """The image URL could not be fetched"""

    code = "url.unreachable"
    default_detail = "The URL did not answer with an image."


class FetchNotFound(FetchFailed):
    """The image URL answered with an error"""

    code = "url.error_status"
    default_detail = "The URL answered with an error status."


class FetchTimedOut(FetchFailed):
    """The image URL took too long"""

    status = 504
    code = "url.timeout"
    default_detail = "The URL did not deliver the image in time."
