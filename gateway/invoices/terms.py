"""How a field of the model carries its business term, the BT- or BG- number of EN 16931-1."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field


def term(number: str, name: str, *, default: Any = None, group: str | None = None) -> Any:
    """A model field for the business term `number` (BT-1, BG-4, BT-29-1), named `name` in English as in the standard.

    `default` is what the field holds when the document does not give the term; `group` is the BG- number of a group
    whose terms stand directly in the parent.
    """
    extra: dict[str, Any] = {"term": number}
    if group:
        extra["group"] = group
    return Field(default=default, description=f"{number} {name}", json_schema_extra=extra)


class Part(BaseModel):
    """A part of an invoice: immutable, every field a business term."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


class Identifier(Part):
    """An identifier with the scheme it belongs to, as written in the document.

    Attributes:
        scheme: ISO 6523 ICD (0002 SIREN, 0009 SIRET, 0225 French e-address…), EAS or UNTDID 7143 code, by the term.
        version: version of the scheme (BT-158-2), for classifications only.
    """

    value: str
    scheme: str | None = None
    version: str | None = None


@cache
def terms_of(part: type[Part]) -> Mapping[str, str]:
    """Field name to business term, for the fields of `part` that have one."""
    found = {}
    for name, field in part.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and "term" in extra:
            found[name] = cast(str, extra["term"])
    return found
