"""Values come out of a document as they were written."""

from datetime import date
from decimal import Decimal
from string import ascii_letters

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.invoices.mapping import MAX_DIGITS
from gateway.invoices.model import Invoice, PaymentMeans
from gateway.invoices.parties import Seller
from gateway.invoices.payment import complete_payment_means
from gateway.invoices.reading import read_invoice
from gateway.invoices.terms import Identifier
from tests.invoices.invoices_documents import CII_INVOICE, UBL_CREDIT_NOTE, UBL_INVOICE, broken

BOTH = pytest.mark.parametrize("data", [UBL_INVOICE, CII_INVOICE], ids=["UBL", "CII"])
AMOUNTS = st.from_regex(r"-?[0-9]{1,18}(\.[0-9]{1,10})?", fullmatch=True)


@BOTH
@given(amount=AMOUNTS, space=st.text(" \t\n", max_size=3))
def test_an_amount_keeps_every_digit_and_trailing_zero(data: bytes, amount: str, space: str) -> None:
    written = broken(data, b">115.00<", f">{space}{amount}{space}<".encode())
    due = read_invoice(written).invoice.totals.due
    assert due is not None
    assert due.as_tuple() == Decimal(amount).as_tuple()
    assert -due.as_tuple().exponent == len(amount.partition(".")[2])  # type: ignore[operator]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("-0.00", "-0.00"),
        ("+5.10", "5.10"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0", "0"),
        ("9" * MAX_DIGITS, "9" * MAX_DIGITS),
    ],
)
def test_every_form_of_a_decimal_is_read(written: str, read: str) -> None:
    due = read_invoice(broken(UBL_INVOICE, b">115.00<", f">{written}<".encode())).invoice.totals.due
    assert str(due) == read


@given(day=st.dates())
def test_a_date_is_read_in_the_format_of_each_syntax(day: date) -> None:
    ubl = broken(UBL_INVOICE, b"2026-01-02", day.isoformat().encode())
    cii = broken(CII_INVOICE, b"20260102", day.isoformat().replace("-", "").encode())
    assert read_invoice(ubl).invoice.issue_date == read_invoice(cii).invoice.issue_date == day


@pytest.mark.parametrize("zone", ["Z", "+01:00", "-05:00"])
def test_a_time_zone_does_not_move_a_ubl_date(zone: str) -> None:
    invoice = read_invoice(broken(UBL_INVOICE, b"2026-01-02", f"2026-01-02{zone}".encode())).invoice
    assert invoice.issue_date == date(2026, 1, 2)


@BOTH
def test_a_text_interrupted_by_a_comment_is_read_whole(data: bytes) -> None:
    invoice = read_invoice(
        broken(data, b">BT-27<", b"> So<!-- x -->ci\xc3\xa9t<?pi?>\xc3\xa9 <![CDATA[A&B]]> <")
    ).invoice
    assert invoice.seller.name == "Société A&B"


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "UTF-16", "utf-8"])
def test_each_accepted_encoding_gives_the_same_invoice(encoding: str) -> None:
    text = CII_INVOICE.decode().replace("BT-27", "Société").replace("UTF-8", encoding)
    assert read_invoice(text.encode(encoding)).invoice.seller.name == "Société"


def test_a_byte_order_mark_is_allowed() -> None:
    assert read_invoice(b"\xef\xbb\xbf" + UBL_INVOICE).invoice.number == "BT-1"


@BOTH
def test_an_absent_term_is_no_error(data: bytes) -> None:
    root = etree.fromstring(data)
    for child in list(root):
        root.remove(child)
    assert read_invoice(etree.tostring(root)).invoice == Invoice()


def test_a_ubl_note_without_subject_code_is_plain_text() -> None:
    note = read_invoice(broken(UBL_INVOICE, b"#AAB#BT-22", b"Lot #12# et suite")).invoice.notes[0]
    assert (note.subject_code, note.text) == (None, "Lot #12# et suite")


def test_the_vat_total_is_told_by_its_currency_not_by_its_rank() -> None:
    totals = read_invoice(
        broken(
            broken(UBL_INVOICE, b'currencyID="BT-5">110.00', b'currencyID="BT-6">111.00'),
            b'<cac:TaxTotal><cbc:TaxAmount currencyID="BT-6">111.00</cbc:TaxAmount></cac:TaxTotal>',
            b'<cac:TaxTotal><cbc:TaxAmount currencyID="BT-5">110.00</cbc:TaxAmount></cac:TaxTotal>',
        )
    ).invoice.totals
    assert (totals.vat, totals.vat_in_accounting_currency) == (Decimal("110.00"), Decimal("111.00"))


@BOTH
def test_without_accounting_currency_the_only_vat_total_is_bt_110(data: bytes) -> None:
    name = b"cbc:TaxCurrencyCode" if data is UBL_INVOICE else b"ram:TaxCurrencyCode"
    without = broken(data, b"<" + name + b">BT-6</" + name + b">", b"")
    without = broken(without, b' currencyID="BT-5">110.00', b">110.00")
    totals = read_invoice(without).invoice.totals
    assert (totals.vat, totals.vat_in_accounting_currency) == (Decimal("110.00"), None)


def test_a_service_charge_of_the_extended_profile_is_a_charge() -> None:
    charge = (
        b"<ram:SpecifiedLogisticsServiceCharge><ram:Description>Transport</ram:Description>"
        b"<ram:AppliedAmount>12.30</ram:AppliedAmount></ram:SpecifiedLogisticsServiceCharge>"
    )
    mark = b"<ram:SpecifiedTradePaymentTerms>"
    charges = read_invoice(broken(CII_INVOICE, mark, charge + mark)).invoice.charges
    assert [(each.amount, each.reason) for each in charges] == [
        (Decimal("99.00"), "BT-104"),
        (Decimal("12.30"), "Transport"),
    ]


def test_lines_are_read_in_order_however_many() -> None:
    start, end = (
        CII_INVOICE.index(b"<ram:IncludedSupplyChain"),
        CII_INVOICE.index(b"<ram:ApplicableHeaderTradeAgreement>"),
    )
    line = CII_INVOICE[start:end]
    lines = b"".join(line.replace(b"BT-126", b"%d" % number) for number in range(1, 201))
    invoice = read_invoice(CII_INVOICE[:start] + lines + CII_INVOICE[end:]).invoice
    assert [each.id for each in invoice.lines] == [str(number) for number in range(1, 201)]


def test_elements_the_model_does_not_know_stay_in_the_bytes() -> None:
    data = broken(UBL_INVOICE, b"<cbc:IssueDate>", b"<cbc:UUID>unknown</cbc:UUID><cbc:IssueDate>")
    read = read_invoice(data)
    assert read.document.data == read.document.xml == data
    assert read.document.tree.getroot().findtext("{*}UUID") == "unknown"


@pytest.mark.parametrize("code", ["261", "262", "381", "396", "502", "503"])
def test_a_type_that_gives_money_back_is_a_credit_note(code: str) -> None:
    assert read_invoice(broken(UBL_CREDIT_NOTE, b">BT-3<", f">{code}<".encode())).invoice.is_credit_note


@pytest.mark.parametrize("code", ["380", "384", "386", "389", ""])
def test_other_types_are_no_credit_note(code: str) -> None:
    assert not Invoice(type_code=code).is_credit_note


SIREN = Identifier(value="732829320", scheme="0002")
SIRET = Identifier(value="44306184100047", scheme="0009")
GLN = Identifier(value="3012345678907", scheme="0088")


@pytest.mark.parametrize(
    ("seller", "siren"),
    [
        (Seller(legal_id=SIREN, identifiers=(SIRET,), vat_id="FR83404833048"), "732829320"),
        (Seller(legal_id=GLN, identifiers=(GLN, SIREN)), "732829320"),
        (Seller(identifiers=(GLN, SIRET), vat_id="FR83404833048"), "443061841"),
        (Seller(legal_id=SIRET), "443061841"),
        (Seller(vat_id="FR83404833048"), "404833048"),
        (Seller(vat_id="fr83404833048"), "404833048"),
        (Seller(vat_id="FR8340483304"), None),
        (Seller(vat_id="BE0428759497"), None),
        (Seller(legal_id=GLN), None),
        (Seller(), None),
    ],
)
def test_the_siren_is_found_where_the_document_says_it_best(seller: Seller, siren: str | None) -> None:
    assert Invoice(seller=seller).seller_siren == siren


@given(text=st.text(ascii_letters, min_size=1))
def test_scattered_payment_terms_reach_the_direct_debit(text: str) -> None:
    transfer, debit = PaymentMeans(code="58"), PaymentMeans(code="59")
    means = complete_payment_means([transfer, debit], remittance=text, mandate="M", creditor="C")
    assert [each.remittance for each in means] == [text, text]
    assert means[0].direct_debit is None
    assert means[1].direct_debit is not None
    assert (means[1].direct_debit.mandate, means[1].direct_debit.creditor) == ("M", "C")


def test_payment_terms_without_any_means_are_kept() -> None:
    (means,) = complete_payment_means([], remittance="R", creditor="C")
    assert means.remittance == "R"
    assert means.direct_debit is not None
    assert complete_payment_means([]) == []
