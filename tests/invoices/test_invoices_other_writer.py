"""Documents written by the `factur-x` library, whose dictionary is keyed by business term too, are read rightly."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from facturx import generate_xml

from gateway.invoices.reading import read_invoice
from gateway.invoices.terms import terms_of

HEADER = {
    "BT-1": "F-2026-001", "BT-2": date(2026, 9, 2), "BT-3": "380", "BT-5": "EUR", "BT-9": date(2026, 10, 2),
    "BT-10": "REF-10", "BT-12": "CONTRAT-12", "BT-13": "BC-13", "BT-14": "CMD-14", "BT-15": "REC-15",
    "BT-16": "BL-16", "BT-19": "601000", "BT-20": "30 jours", "BT-23": "B1",
    "BT-24": "urn:cen.eu:en16931:2017",
}  # fmt: skip
PAYMENT = {"BT-81": "30", "BT-82": "Virement", "BT-83": "F-2026-001"}
ACCOUNT = {"BT-84": "FR7630006000011234567890189", "BT-85": "Valbrune", "BT-86": "AGRIFRPP"}
TOTALS = {
    "BT-106": "100.00", "BT-107": "0.00", "BT-108": "0.00", "BT-109": "100.00", "BT-110": "20.00",
    "BT-112": "120.00", "BT-113": "15.50", "BT-115": "104.50",
}  # fmt: skip
VAT = {"BT-116": "100.00", "BT-117": "20.00", "BT-118": "S", "BT-119": "20.00"}
LINE = {
    "BT-126": "1", "BT-129": "4.0000", "BT-130": "C62", "BT-131": "100.00", "BT-146": "25.0000", "BT-151": "S",
    "BT-152": "20.00", "BT-153": "Sac de ciment", "BT-154": "35 kg", "BT-155": "CIM-35",
}  # fmt: skip
NOTE = {"BT-21": "PMT", "BT-22": "Indemnité forfaitaire de 40 EUR."}


def _party(name: str, siren: str) -> dict[str, Any]:
    return {
        "name": name, "legal_identifier": siren, "legal_identifier_schemeid": "0002", "einvoicing_addr": siren,
        "einvoicing_addr_schemeid": "0225", "country_code": "FR", "city": "Rouen", "postcode": "76000",
        "addr_l1": "1 quai", "vat_identifier": f"FR00{siren}",
    }  # fmt: skip


def _given(part: Any) -> dict[str, str]:
    """Term to value as text, for comparison with what the other library was given."""
    return {term: str(getattr(part, name)) for name, term in terms_of(type(part)).items()}


def _numbers(values: dict[str, str]) -> dict[str, Decimal]:
    return {term: Decimal(value) for term, value in values.items()}


@pytest.mark.parametrize(("flavor", "syntax"), [("factur-x", "CII"), ("ubl-2.1", "UBL")])
def test_a_document_of_another_writer_is_read_term_by_term(flavor: str, syntax: str) -> None:
    content = {
        **HEADER, **PAYMENT, **ACCOUNT, **TOTALS,
        "BG-1": [dict(NOTE)], "BG-4": _party("Vendeur", "732829320"), "BG-7": _party("Acheteur", "404833048"),
        "BG-23": [dict(VAT)], "BG-25": [dict(LINE)],
    }  # fmt: skip
    xml = generate_xml(content, flavor=flavor, level="en16931", check_xsd=True, check_schematron=False)
    read = read_invoice(xml)
    invoice = read.invoice
    assert (read.document.syntax, read.document.profile) == (syntax, "EN 16931")
    assert _given(invoice).items() >= {term: str(value) for term, value in HEADER.items()}.items()
    (means,) = invoice.payment_means
    assert _given(means).items() >= PAYMENT.items()
    assert _given(means.credit_transfer).items() >= ACCOUNT.items()
    assert _given(invoice.notes[0]) == NOTE
    totals = {term: Decimal(value) for term, value in _given(invoice.totals).items() if term in TOTALS}
    assert totals == _numbers(TOTALS)
    (line,), (vat,) = invoice.lines, invoice.vat_breakdown
    assert (vat.taxable_amount, vat.tax_amount, vat.category, vat.rate) == (100, 20, "S", 20)
    assert (line.quantity, line.unit, line.net_amount, line.price.net) == (4, "C62", 100, 25)
    assert (line.item.name, line.item.description, line.item.seller_id) == ("Sac de ciment", "35 kg", "CIM-35")
    assert (invoice.seller_siren, invoice.buyer_siren) == ("732829320", "404833048")
    assert (invoice.seller.name, invoice.buyer.vat_id) == ("Vendeur", "FR00404833048")
