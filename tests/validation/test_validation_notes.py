"""Findings stand next to the fields they are about, on the readable page of the invoice."""

from collections.abc import Callable
from datetime import date

import pytest
from lxml import etree, html

from fixtures.samples import Sample
from gateway.invoices.annotating import TermNote
from gateway.invoices.reading import read_invoice
from gateway.invoices.rendering import render_html
from gateway.validation.notes import findings_by_term, term_notes
from gateway.validation.service import validate

Valid = Callable[..., bytes]
Broken = Callable[[bytes, str, str | None], bytes]
IN_FORCE = date(2026, 10, 5)


def test_findings_are_found_by_each_of_their_terms(valid: Valid, broken: Broken) -> None:
    report = validate(broken(valid("UBL"), "PayableAmount", "1.00"), on=IN_FORCE)
    by_term = findings_by_term(report)
    assert [finding.rule for finding in by_term["BT-115"]] == ["BR-CO-16"]
    assert by_term["BT-115"] == by_term["BT-112"]
    assert "BT-1" not in by_term


def test_a_finding_stands_after_its_field_and_marks_the_others(valid: Valid, broken: Broken) -> None:
    data = broken(valid("UBL"), "PayableAmount", "1.00")
    report = validate(data, on=IN_FORCE)
    page = html.fragment_fromstring(render_html(read_invoice(data).invoice, "fr", term_notes(report, "fr")))
    (remark,) = page.xpath(".//small[contains(@class, 'remark')]")
    assert remark.text_content().startswith("BR-CO-16 : ")
    assert remark.getprevious().get("data-term") == report.findings[0].terms[0]
    marked = {element.get("data-term") for element in page.xpath(".//*[contains(@class, 'concerned')]")}
    assert {"BT-112", "BT-115"} <= marked
    assert all("fatal" in element.get("class") for element in page.xpath(".//*[contains(@class, 'concerned')]"))


def test_a_finding_on_a_line_stands_at_that_line_only(valid: Valid) -> None:
    root = etree.fromstring(valid("UBL"))
    lines = list(root.iter("{*}InvoiceLine"))
    assert len(lines) > 1
    next(lines[1].iter("{*}Price")).find("{*}PriceAmount").text = "-1.00"
    data = etree.tostring(root)
    notes = [note for note in term_notes(validate(data, on=IN_FORCE), "en") if note.text.startswith("BR-27 ")]
    assert [(note.terms, note.part) for note in notes] == [(("BT-146",), ("BG-25", 2))]
    page = html.fragment_fromstring(render_html(read_invoice(data).invoice, "en", notes))
    rows = page.xpath(".//section[@class='lines']//tbody/tr")
    assert [len(row.xpath(".//small")) for row in rows] == [0, 1, *[0] * (len(rows) - 2)]


@pytest.mark.parametrize("syntax", ["UBL", "CII"])
def test_a_finding_on_one_of_several_notes_or_rates_stands_at_that_one_only(syntax: str, samples: list[Sample]) -> None:
    several = f"{syntax.lower()}-en-16931-several-rates"
    root = etree.fromstring(next(sample.data for sample in samples if sample.name == several))
    note = next(each for each in root.iter("{*}Note", "{*}Content") if "forfaitaire" in (each.text or ""))
    note.text = "#PMT#à compléter" if syntax == "UBL" else "à compléter"
    breakdown = list(root.iter("{*}TaxSubtotal")) or list(
        root.find(".//{*}ApplicableHeaderTradeSettlement").iter("{*}ApplicableTradeTax")
    )
    assert len(breakdown) > 1
    breakdown[1].find(".//{*}Percent" if syntax == "UBL" else ".//{*}RateApplicablePercent").text = "19.6"
    data = etree.tostring(root)
    notes = [each for each in term_notes(validate(data, on=IN_FORCE), "en") if each.text.startswith("GW-")]
    assert {each.part for each in notes} == {("BG-1", 2), ("BG-23", 2)}
    page = html.fragment_fromstring(render_html(read_invoice(data).invoice, "en", notes))
    for group in ("BG-1", "BG-23"):
        shown = page.xpath(".//*[@data-group=$group]", group=group)
        assert [len(each.xpath(".//small")) for each in shown] == [0, 1, *[0] * (len(shown) - 2)]
    assert [each.text for each in page.xpath(".//*[contains(@class, 'concerned')]")] == ["19.6\u00a0%", "à compléter"]


def test_a_page_without_findings_is_the_same_page(valid: Valid) -> None:
    invoice = read_invoice(valid("UBL")).invoice
    assert render_html(invoice, "fr", []) == render_html(invoice, "fr")


def test_what_a_remark_says_is_never_markup_and_a_term_not_shown_is_left_out(valid: Valid) -> None:
    invoice = read_invoice(valid("UBL")).invoice
    notes = [TermNote(("BT-1",), "warning", "<b>x</b>"), TermNote(("BT-999",), "info", "nowhere")]
    rendered = render_html(invoice, "fr", notes)
    assert "&lt;b&gt;x&lt;/b&gt;" in rendered
    assert "nowhere" not in rendered
