"""The codes and profiles of `schemas/invoices.toml`: what they mean to a person."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Literal

from gateway.kernel.text import Text

CodeList = Literal["types", "tax_points", "note_subjects", "payment_means", "vat_categories", "units"]

_DATA: Mapping[str, Any] = tomllib.loads((files("schemas") / "invoices.toml").read_text(encoding="utf-8"))

#: Invoice type codes (BT-3) by which the seller gives money back.
CREDIT_NOTE_TYPES: frozenset[str] = frozenset(
    code for code, label in _DATA["types"].items() if label.get("credit_note")
)
#: Invoice type codes (BT-3) of money asked for before the delivery, and of the credit notes on it.
DEPOSIT_TYPES: frozenset[str] = frozenset(code for code, label in _DATA["types"].items() if label.get("deposit"))
#: Invoice type codes (BT-3) of what the buyer issues in the name of the seller (CGI 289, I-2).
SELF_BILLED_TYPES: frozenset[str] = frozenset(
    code for code, label in _DATA["types"].items() if label.get("self_billed")
)
#: Specification identifier (BT-24) to profile name, by family of syntax.
PROFILES: Mapping[Literal["cii", "ubl"], Mapping[str, str]] = _DATA["profiles"]


def label(code_list: CodeList, code: str) -> Text | None:
    """What `code` means; None for a code that the list does not name."""
    entry = _DATA[code_list].get(code)
    return Text(fr=entry["fr"], en=entry["en"]) if entry else None
