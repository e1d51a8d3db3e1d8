"""Read a multipart submission without ever holding more than the limits allow."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from gateway.flows.errors import FileSizeExceededError, InvalidFlowRequestError, MissingFieldError
from gateway.flows.representation import FlowInfo
from gateway.kernel.text import Text

#: The part `flowInfo` and the part headers, beside the file.
_ENVELOPE_BYTES = 64 * 1024
#: Parts that the standard does not name are passed over; no more of each kind than this.
_MOST_PARTS = 20
_NO_MULTIPART = Text(
    "le corps doit être en multipart/form-data, avec une partie flowInfo (JSON) et une partie file",
    "the body must be multipart/form-data, with a part flowInfo (JSON) and a part file",
)
_UNREADABLE = Text("le corps multipart ne se lit pas", "the multipart body cannot be read")


@dataclass(frozen=True, slots=True)
class Upload:
    """A submission as read: its flowInfo and its bytes."""

    info: FlowInfo
    data: bytes


async def read_upload(request: Request, max_file_bytes: int) -> Upload:
    """The two parts of a submission.

    Raises FileSizeExceededError as soon as the body passes the limit, without reading on; MissingFieldError;
    InvalidFlowRequestError naming the first wrong field.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidFlowRequestError(_NO_MULTIPART, "Content-Type")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_file_bytes + _ENVELOPE_BYTES:
        raise FileSizeExceededError(max_file_bytes)
    parser = MultiPartParser(
        request.headers,
        _bounded(request.stream(), max_file_bytes),
        max_files=_MOST_PARTS,
        max_fields=_MOST_PARTS,
        max_part_size=_ENVELOPE_BYTES,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError, ClientDisconnect) as error:
        raise InvalidFlowRequestError(str(error) or _UNREADABLE, "body") from error
    try:
        return Upload(_flow_info(await _part(form, "flowInfo")), await _file(form, max_file_bytes))
    finally:
        await form.close()


async def _bounded(stream: AsyncGenerator[bytes, None], max_file_bytes: int) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in stream:
        received += len(chunk)
        if received > max_file_bytes + _ENVELOPE_BYTES:
            raise FileSizeExceededError(max_file_bytes)
        yield chunk


async def _part(form: FormData, name: str) -> bytes:
    """A part, whether the client gave it a file name or not."""
    part = form.get(name)
    if part is None:
        raise MissingFieldError(name)
    return await part.read() if isinstance(part, UploadFile) else part.encode()


async def _file(form: FormData, max_file_bytes: int) -> bytes:
    data = await _part(form, "file")
    if len(data) > max_file_bytes:
        raise FileSizeExceededError(max_file_bytes)
    return data


def _flow_info(text: bytes) -> FlowInfo:
    try:
        return FlowInfo.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(["flowInfo", *(str(step) for step in first["loc"])])
        if first["type"] == "missing":
            raise MissingFieldError(where) from error
        raise InvalidFlowRequestError(first["msg"], where) from error
