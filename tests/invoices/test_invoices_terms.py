"""Every term of EN 16931 has a place in the model, and each syntax is read into the right one."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest

from gateway.invoices.model import Invoice
from gateway.invoices.reading import read_invoice
from gateway.invoices.terms import Identifier, Part, terms_of
from tests.invoices.invoices_documents import ATTACHED, CII_INVOICE, UBL_CREDIT_NOTE, UBL_INVOICE, day_of, factur_x

#: The semantic model numbers its terms without a BT-4.
BUSINESS_TERMS = {f"BT-{n}" for n in range(1, 166)} - {"BT-4"}
BUSINESS_GROUPS = {f"BG-{n}" for n in range(1, 33)}
EVERY_SYNTAX = pytest.mark.parametrize(
    "data", [UBL_INVOICE, UBL_CREDIT_NOTE, CII_INVOICE, factur_x()], ids=["UBL", "credit note", "CII", "Factur-X"]
)


def _parts(part: type[Part]) -> Iterator[type[Part]]:
    yield part
    for field in part.model_fields.values():
        for argument in (field.annotation, *get_args(field.annotation)):
            if isinstance(argument, type) and issubclass(argument, Part) and argument is not Identifier:
                yield from _parts(argument)


def _values(part: Part) -> Iterator[tuple[str, Any]]:
    for name, term in terms_of(type(part)).items():
        value = getattr(part, name)
        for each in value if isinstance(value, tuple) else (value,):
            yield term, each
            if isinstance(each, Part) and not isinstance(each, Identifier):
                yield from _values(each)


def _expected(term: str, value: Any) -> Any:
    number = int(term.split("-")[1])
    if isinstance(value, Identifier):
        return Identifier(value=term, scheme=f"{term}-1", version="BT-158-2" if term == "BT-158" else None)
    if isinstance(value, Decimal):
        return Decimal(f"{number}.00")
    if isinstance(value, date):
        return day_of(number)
    if isinstance(value, bytes):
        return ATTACHED
    return {"BT-21": "AAB"}.get(term, term)


def test_the_model_has_every_term_and_group_of_en_16931() -> None:
    terms, groups = set(), set()
    for part in _parts(Invoice):
        terms |= set(terms_of(part).values())
        extras = [field.json_schema_extra for field in part.model_fields.values()]
        groups |= {extra["group"] for extra in extras if isinstance(extra, dict) and "group" in extra}
    assert terms >= BUSINESS_TERMS
    assert terms | groups >= BUSINESS_GROUPS
    assert terms - BUSINESS_TERMS - BUSINESS_GROUPS == {"BT-125-1", "BT-125-2"}


def test_every_field_of_the_model_names_its_term_in_its_description() -> None:
    for part in _parts(Invoice):
        for name, field in part.model_fields.items():
            assert field.description, f"{part.__name__}.{name}"
            assert field.description.startswith(terms_of(part)[name] + " ")


@EVERY_SYNTAX
def test_every_term_is_read_into_its_own_field(data: bytes) -> None:
    read = list(_values(read_invoice(data).invoice))
    wrong = {term: value for term, value in read if term.startswith("BT-") and value != _expected(term, value)}
    assert wrong == {}
    assert {term for term, _ in read} >= BUSINESS_TERMS
    assert all(value is not None for _, value in read)


@EVERY_SYNTAX
def test_each_thing_is_read_once(data: bytes) -> None:
    invoice = read_invoice(data).invoice
    several = (invoice.notes, invoice.allowances, invoice.charges, invoice.vat_breakdown, invoice.attachments)
    assert [len(each) for each in several] == [1, 1, 1, 1, 1]
    assert len(invoice.payment_means) == len(invoice.lines) == len(invoice.preceding_invoices) == 1
    assert len(invoice.seller.identifiers) == len(invoice.lines[0].charges) == 1


def test_an_invoice_survives_the_way_through_json() -> None:
    invoice = read_invoice(UBL_INVOICE).invoice
    assert Invoice.model_validate_json(invoice.model_dump_json()) == invoice


def test_an_invoice_cannot_be_changed() -> None:
    invoice = read_invoice(UBL_INVOICE).invoice
    with pytest.raises(ValueError, match="frozen"):
        invoice.number = "F2"  # type: ignore[misc]
