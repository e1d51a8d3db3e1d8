"""The statutory caps of payment terms, as dated data, with what the setting `law_file` lays over them."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.customers.errors import LawFileError
from gateway.kernel.dated import Table, data_file, overlaid
from gateway.validation.own.figures import PaymentTerm, payment_term_on


class PublicTerm(BaseModel):
    """Payment terms of public buyers: days from the receipt of the payment request, by kind of buyer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    valid_from: date
    days: Mapping[str, int]
    law: str


class StatutoryTerms(BaseModel):
    """How late a payment may be agreed, between businesses and by public buyers; ask it for a day."""

    model_config = ConfigDict(frozen=True)

    payment_term: tuple[PaymentTerm, ...]
    public_term: tuple[PublicTerm, ...]

    def business_on(self, day: date) -> PaymentTerm | None:
        """The cap between businesses; None before the first one known."""
        return payment_term_on(self.payment_term, day)

    def public_on(self, day: date) -> PublicTerm:
        """The terms of public buyers; before the first ones known, those."""
        begun = [term for term in self.public_term if term.valid_from <= day]
        if not begun:
            return min(self.public_term, key=lambda term: term.valid_from)
        return max(begun, key=lambda term: term.valid_from)


_Law = TypeVar("_Law", bound=BaseModel)


def read_law(model: type[_Law], shipped: Table, file: Path | None) -> _Law:
    """The law as shipped, with the entries of `file` laid over it. Raises LawFileError."""
    if file is None:
        return model.model_validate(shipped)
    try:
        return model.model_validate(overlaid(shipped, tomllib.loads(file.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LawFileError(str(file), str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise LawFileError(str(file), f"{place}: {first['msg']}") from error


def shipped_law() -> dict[str, Any]:
    """The law of `schemas/collection-law.toml`, with the caps between businesses, which own checks read too."""
    return {**data_file("collection-law.toml"), "payment_term": data_file("own-checks.toml")["payment_term"]}


@lru_cache(maxsize=8)
def statutory_terms(file: Path | None = None) -> StatutoryTerms:
    """The caps as shipped, with the entries of `file` laid over them. Raises LawFileError."""
    return read_law(StatutoryTerms, shipped_law(), file)
