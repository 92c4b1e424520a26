"""Read a POST that may be JSON or multipart with a picture.

In multipart, `file` is the picture and every other part is a field of the JSON body: a scalar as it is, anything
nested as JSON. Both end in the same pydantic model.
"""

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from app.errors import BadRequest

Model = TypeVar("Model", bound=BaseModel)

MAX_PART_BYTES = 28_000_000


class UnsupportedMediaType(BadRequest):
    """The media type is not supported"""

    status = 415
    code = "media_type.unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The picture of a multipart body."""

    data: bytes
    media_type: str | None


def openapi_body(model: type[BaseModel]) -> dict[str, Any]:
    """Describe the two spellings of a body for the OpenAPI document."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    multipart = {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}, **schema.get("properties", {})},
    }
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": reference}, "multipart/form-data": {"schema": multipart}},
        }
    }


async def read_body(request: Request, model: type[Model]) -> tuple[Model, Upload | None]:
    """Return the validated body and the picture, if one came; raises ValidationError, BadRequest or 415."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return await _read_multipart(request, model)
    if media_type not in {"application/json", ""}:
        raise UnsupportedMediaType("Send application/json or multipart/form-data.")
    raw = await request.body()
    try:
        values = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON.") from None
    return model.model_validate(values), None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


async def _read_multipart(request: Request, model: type[Model]) -> tuple[Model, Upload | None]:
    try:
        form = await request.form(max_files=1, max_fields=32, max_part_size=MAX_PART_BYTES)
    except HTTPException:
        raise BadRequest("The multipart body cannot be read.") from None
    values: dict[str, Any] = {}
    upload: Upload | None = None
    for name, part in form.multi_items():
        if isinstance(part, UploadFile):
            if name != "file":
                raise BadRequest("The picture belongs in the part `file`.")
            upload = Upload(data=await part.read(), media_type=part.content_type)
        else:
            values[name] = field_value(model, name, part)
    await form.close()
    return model.model_validate(values), upload


def field_value(model: type[BaseModel], name: str, text: str) -> Any:
    """Read one form value: text where the field takes text, else JSON, else the text for pydantic to judge."""
    field = model.model_fields.get(name)
    if field is not None and text[:1] not in {"{", "["}:
        try:
            model.__pydantic_validator__.validate_assignment(model.model_construct(), name, text)
        except ValidationError:
            pass
        else:
            return text
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text
