"""When the VAT of an invoice falls due: BT-8 first, then what is sold (BT-23) and the type (BT-3)."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from gateway.lifecycle.vat_point import vat_on_receipts, vat_on_receipts_of
from tests.lifecycle.following import invoice, register


@dataclass(frozen=True)
class Case:
    expected: bool | None
    code: str | None = None
    process: str | None = None
    type_code: str = "380"
    rates: tuple[str, ...] = ("20.00", "0.00")


CASES = {
    "BT-8 of CII says on receipt": Case(True, code="72", process="B1"),
    "BT-8 of UBL says on receipt": Case(True, code="432", process="B1"),
    "BT-8 says by the debits": Case(False, code="5", process="S1"),
    "BT-8 says by the debits, UBL": Case(False, code="3", process="S1", type_code="386"),
    "services": Case(True, process="S1"),
    "goods": Case(False, process="B2"),
    "goods and services": Case(None, process="M1"),
    "an advance payment on goods": Case(True, process="B1", type_code="386"),
    "nothing told": Case(None),
    "an unpublished process": Case(None, process="X1"),
    "reverse charge of services": Case(False, process="S1", rates=("0.00",)),
    "no VAT though BT-8 says on receipt": Case(False, code="72", rates=("0",)),
    "services without VAT breakdown": Case(True, process="S1", rates=()),
}


@pytest.mark.parametrize("name", CASES)
def test_vat_falls_due_on_receipt_as_the_invoice_tells(name: str) -> None:
    case = CASES[name]
    found = vat_on_receipts(
        tax_point_code=case.code,
        process=case.process,
        type_code=case.type_code,
        rates=[Decimal(rate) for rate in case.rates],
    )
    assert found is case.expected


@pytest.mark.parametrize(("process", "code"), [("S1", None), ("B1", None), ("M1", None), ("M1", "72"), ("S1", "5")])
def test_a_followed_invoice_and_its_file_give_one_answer(database, organisation, process, code) -> None:
    document = invoice(process=process, tax_point_code=code)
    followed = register(database, organisation, document).invoice
    assert vat_on_receipts_of(followed) is vat_on_receipts_of(document)
