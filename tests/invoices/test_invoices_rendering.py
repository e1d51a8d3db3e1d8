"""The page of an invoice shows everything, in the reader's language, and nothing in it is live."""

import re
from decimal import Decimal

import pytest
from lxml import html

from gateway.invoices.codes import label
from gateway.invoices.mapping import MAX_DIGITS
from gateway.invoices.model import Invoice, Totals
from gateway.invoices.reading import read_invoice
from gateway.invoices.rendering import render_html, stylesheet
from gateway.kernel.text import Language
from tests.invoices.invoices_documents import CII_INVOICE, UBL_INVOICE, broken
from tests.invoices.test_invoices_terms import BUSINESS_TERMS

LANGUAGES: tuple[Language, ...] = ("fr", "en")
SPACES = re.compile(r"\s+")


def _text(markup: str) -> str:
    return SPACES.sub(" ", html.fromstring(markup).text_content())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("data", [UBL_INVOICE, CII_INVOICE], ids=["UBL", "CII"])
def test_every_term_of_a_document_is_shown_with_its_number(data: bytes, language: Language) -> None:
    page = html.fromstring(render_html(read_invoice(data).invoice, language))
    shown = {element.get("data-term"): element.text_content() for element in page.iter() if element.get("data-term")}
    assert set(shown) >= BUSINESS_TERMS
    assert all(text.strip() for text in shown.values())
    assert all(element.get("title") == element.get("data-term") for element in page.iter() if element.get("data-term"))


def test_amounts_and_dates_are_written_as_the_language_does() -> None:
    data = broken(UBL_INVOICE, b">115.00<", b">1234567.5<").replace(b">BT-5<", b">EUR<")
    invoice = read_invoice(data).invoice
    french, english = _text(render_html(invoice)), _text(render_html(invoice, "en"))
    assert "1 234 567,50 €" in french
    assert "2 janvier 2026" in french
    assert "1,234,567.50 €" in english
    assert "2 January 2026" in english


def test_the_largest_amount_is_shown_to_the_last_digit() -> None:
    whole, fraction = Decimal("9" * MAX_DIGITS), Decimal("0." + "9" * (MAX_DIGITS - 1))
    text = _text(render_html(Invoice(totals=Totals(due=whole, paid=fraction)), "en")).replace(",", "")
    assert f"due{whole}.00 " in text
    assert f"Paid{fraction} " in text


@pytest.mark.parametrize("term", ["BT-1", "BT-22", "BT-27", "BT-34-1", "BT-124", "BT-125-2", "BT-153", "BT-160"])
def test_markup_in_a_document_stays_text(term: str) -> None:
    attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    escaped = attack.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").encode()
    data = UBL_INVOICE.replace(f">{term}<".encode(), b">" + escaped + b"<")
    data = data.replace(f'"{term}"'.encode(), b'"' + escaped + b'"').replace(b"#AAB#BT-22", escaped)
    page = render_html(read_invoice(data).invoice)
    assert "&lt;script&gt;" in page
    parsed = html.fromstring(page)
    assert not parsed.xpath("//script|//img|//a|//@onerror")


def test_the_page_is_an_article_and_needs_nothing_from_outside() -> None:
    page = render_html(read_invoice(UBL_INVOICE).invoice)
    assert page.startswith('<article class="invoice" lang="fr">')
    assert not re.search(r"(?:src|href)=|url\(|@import", page + stylesheet())


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_invoice_has_a_page(language: Language) -> None:
    page = html.fromstring(render_html(Invoice(), language))
    assert page.tag == "article"
    assert not page.xpath('//section[@class="lines"]')


def test_codes_are_shown_by_their_name_and_unknown_ones_as_written() -> None:
    data = UBL_INVOICE.replace(b">BT-3<", b">381<").replace(b"BT-130", b"HUR").replace(b">BT-81<", b">58<")
    french = _text(render_html(read_invoice(data).invoice))
    assert "Avoir BT-1" in french
    assert "129 heure" in french
    assert "Virement SEPA (58)" in french
    assert "BT-118 (BT-118)" in french
    assert label("types", "BT-3") is None
