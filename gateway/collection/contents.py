"""What an organisation stores from a document of its own (scenarios, texts, a letterhead): each fault is named."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.collection.errors import UnusableContentError

_Model = TypeVar("_Model", bound=BaseModel)


def read_content(model: type[_Model], content: Mapping[str, Any], refused: type[UnusableContentError]) -> _Model:
    """What a TOML or JSON document holds, as `model`. Raises `refused`, which names the place of each fault."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise refused([(_place(each["loc"]), each["msg"]) for each in error.errors()]) from error


def _place(location: tuple[int | str, ...]) -> str:
    """`scenario[1].steps[3].days`: places count from 1, as people do."""
    parts = [f"[{each + 1}]" if isinstance(each, int) else f".{each}" for each in location]
    return "".join(parts).lstrip(".")
