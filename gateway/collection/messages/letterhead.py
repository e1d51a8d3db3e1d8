"""Who writes: the name, address, logo, bank account and legal mentions on what an organisation sends. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, field_validator
from stdnum import bic, iban
from stdnum.exceptions import ValidationError as NumberError

from gateway.collection.contents import read_content
from gateway.collection.messages.errors import InvalidLetterheadError

#: Logos larger than this slow every letter down.
LARGEST_LOGO = 300_000
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_Line = Annotated[str, Field(max_length=200)]


class Letterhead(BaseModel):
    """What stands around every message.

    Attributes:
        name: of the sender. address: its lines, without the name. contact: how to reach whoever follows the account.
        reply_to: e-mail address that answers go to; None: that of the gateway's mails.
        iban, bic: where to pay; None: what the invoices say. mentions: legal form, capital, SIREN, registry.
        logo: a PNG or JPEG, base64 in JSON; empty: none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    address: Annotated[tuple[_Line, ...], Field(max_length=8)] = ()
    contact: Annotated[tuple[_Line, ...], Field(max_length=6)] = ()
    reply_to: Annotated[str | None, Field(pattern=r"^[^\s@<>,;:\"]+@[^\s@<>,;:\"]+\.[A-Za-z0-9-]{2,}$")] = None
    iban: str | None = None
    bic: str | None = None
    mentions: Annotated[str, Field(max_length=1000)] = ""
    logo: Base64Bytes = b""

    @field_validator("iban")
    @classmethod
    def _valid_iban(cls, value: str | None) -> str | None:
        try:
            return iban.validate(value) if value else None
        except NumberError as error:
            raise ValueError(f"{value}: {error}") from error

    @field_validator("bic")
    @classmethod
    def _valid_bic(cls, value: str | None) -> str | None:
        try:
            return bic.validate(value) if value else None
        except NumberError as error:
            raise ValueError(f"{value}: {error}") from error

    @field_validator("logo")
    @classmethod
    def _printable_logo(cls, value: bytes) -> bytes:
        if len(value) > LARGEST_LOGO:
            raise ValueError(f"{len(value)} bytes, at most {LARGEST_LOGO}")
        if value and not value.startswith((_PNG, _JPEG)):
            raise ValueError("neither PNG nor JPEG")
        return value

    @property
    def logo_format(self) -> str:
        """`png` or `jpg`, empty without a logo."""
        return ("png" if self.logo.startswith(_PNG) else "jpg") if self.logo else ""


def read_letterhead(content: Mapping[str, Any]) -> Letterhead:
    """A letterhead from the content of a JSON or TOML document. Raises InvalidLetterheadError, naming each fault."""
    return read_content(Letterhead, content, InvalidLetterheadError)
