"""Each own check (GW-…) warns of one thing that the official rules let pass, and of nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, StreamObject

from fixtures.cii import to_cii
from fixtures.companies import make_customers, make_seller
from fixtures.content import InvoiceDraft
from fixtures.drafts import Kind, make_draft
from fixtures.goods import Vat
from fixtures.pdf import embed, to_facturx, to_page
from fixtures.profiles import Profile
from fixtures.samples import Sample
from fixtures.ubl import to_ubl
from fixtures.wording import Note
from gateway.customers.statutory_terms import statutory_terms
from gateway.kernel.errors import OwnDataError
from gateway.kernel.settings import load_settings
from gateway.validation.catalog import ArtefactKind
from gateway.validation.errors import UnknownOwnCheckError
from gateway.validation.options import ValidationOptions
from gateway.validation.own import pdf as own_pdf
from gateway.validation.own.checker import OWN_CHECKS, require_known_checks
from gateway.validation.own.figures import own_figures
from gateway.validation.own.payment import latest_due_date
from gateway.validation.own.pdf import written
from gateway.validation.report import Finding, LayerStatus, Report, Severity, Verdict
from gateway.validation.service import CHECKERS, validate
from gateway.validation.settings import options_from

IN_FORCE = date(2026, 10, 5)
OWN = {kind: CHECKERS[kind] for kind in (ArtefactKind.XSD, ArtefactKind.OWN)}
SELLER = make_seller(1, agencies=3)
CUSTOMER, OTHER = make_customers(1, 2)
DRAFT = make_draft(Random(5), SELLER, SELLER.agencies[0], CUSTOMER)

Change = Callable[[InvoiceDraft], InvoiceDraft]


def _report(data: bytes, **options: object) -> Report:
    return validate(data, on=IN_FORCE, options=ValidationOptions(**options), checkers=OWN)  # type: ignore[arg-type]


def _customer(**changes: object) -> Change:
    return lambda draft: replace(draft, customer=replace(draft.customer, **changes))  # type: ignore[arg-type]


def _seller(**changes: object) -> Change:
    return lambda draft: replace(draft, seller=replace(draft.seller, **changes))  # type: ignore[arg-type]


def _note(code: str, text: str) -> Change:
    return lambda draft: replace(
        draft, notes=tuple(Note(code, text) if note.subject == code else note for note in draft.notes)
    )


def _taxed(category: str, rate: str) -> Change:
    vat = Vat(category, Decimal(rate))
    return lambda draft: replace(draft, lines=tuple(replace(line, vat=vat) for line in draft.lines), adjustments=())


def _other_digit(value: str) -> str:
    return value[:-1] + str((int(value[-1]) + 1) % 10)


@pytest.mark.parametrize(
    ("check", "term", "change"),
    [
        ("GW-01", "BT-47", lambda draft: _customer(siren=_other_digit(draft.customer.siren), vat_number="")(draft)),
        ("GW-02", "BT-48", _customer(vat_number=OTHER.vat_number)),
        ("GW-03", "BT-48", _customer(vat_number="DE123456789")),
        ("GW-04", "BT-84", lambda draft: _seller(iban=_other_digit(draft.seller.iban))(draft)),
        ("GW-06", "BT-22", _note("PMT", "N/A")),
        ("GW-06", "BT-22", _note("PMD", " - ")),
        ("GW-06", "BT-22", _note("PMT", "Néant.")),
        ("GW-06", "BT-22", _note("AAB", "à compléter")),
        ("GW-07", "BT-119", _taxed("S", "19.60")),
        ("GW-08", "BT-9", lambda draft: replace(draft, due_date=draft.issue_date + timedelta(days=95))),
    ],
)
def test_one_fault_gives_one_warning_with_its_term_and_place(check: str, term: str, change: Change) -> None:
    for write in (to_ubl, lambda draft: to_cii(draft, Profile.EN_16931)):
        assert _report(write(DRAFT)).findings == ()
        found = {finding.rule: finding for finding in _report(write(change(DRAFT))).findings}
        # A number with another digit is of another company, too.
        assert {check} <= set(found) <= {check, "GW-02"}
        finding = found[check]
        assert (finding.severity, finding.terms) == (Severity.WARNING, (term,))
        assert finding.line is not None
        assert finding.location.startswith("/")


@pytest.mark.parametrize("text", ["", "x", "x "])
def test_a_note_that_says_nothing_is_found_at_its_own_place_though_others_end_alike(text: str) -> None:
    told = replace(DRAFT, notes=(Note("AAI", "Livré par box"), *_note("PMD", text)(DRAFT).notes))
    data = to_ubl(told)
    notes = list(etree.fromstring(data).iter("{*}Note"))
    rank = next(rank for rank, note in enumerate(notes, start=1) if (note.text or "").startswith("#PMD#"))
    (finding,) = _report(data).findings
    assert (finding.rule, finding.location) == ("GW-06", f"/Invoice/cbc:Note[{rank}]")


def test_seller_and_buyer_of_one_siren_are_one_company() -> None:
    same = _customer(siren=SELLER.siren, siret=SELLER.siret, vat_number=SELLER.vat_number)(DRAFT)
    assert [finding.rule for finding in _report(to_ubl(same)).findings] == ["GW-09"]


def test_an_amount_taxed_in_a_category_without_tax_is_said() -> None:
    found = _report(to_ubl(_taxed("Z", "20.00")(DRAFT))).findings
    assert [finding.rule for finding in found] == ["GW-07"]
    assert "Z" in found[0].explanation


def test_an_old_rate_may_stand_on_an_invoice_that_corrects_an_old_one() -> None:
    corrected = make_draft(Random(5), SELLER, SELLER.agencies[0], CUSTOMER, Kind.CORRECTED)
    assert _report(to_ubl(_taxed("S", "19.60")(corrected))).findings == ()


def test_31_february_is_no_date_though_the_schema_lets_it_pass() -> None:
    data = to_cii(DRAFT, Profile.EN_16931)
    due = f"{DRAFT.due_date:%Y%m%d}".encode()
    assert due in data
    report = _report(data.replace(due, b"20260231"))
    assert [finding.rule for finding in report.findings] == ["GW-05"]
    (finding,) = report.findings
    assert finding.terms == ("BT-9",)
    assert "20260231" in finding.explanation
    assert report.verdict is Verdict.VALID


def test_the_other_checks_still_run_on_an_invoice_with_an_impossible_date() -> None:
    data = to_cii(_note("PMT", "x")(DRAFT), Profile.EN_16931)
    data = data.replace(f"{DRAFT.due_date:%Y%m%d}".encode(), b"20260231")
    assert [finding.rule for finding in _report(data).findings] == ["GW-05", "GW-06"]


def test_an_invoice_the_gateway_cannot_read_fails_the_layer_with_the_reason() -> None:
    due = f"{DRAFT.due_date:%Y%m%d}".encode()
    report = _report(to_cii(DRAFT, Profile.EN_16931).replace(due, b"bientot"))
    own = report.layers[-1]
    assert (own.name, own.status) == ("own", LayerStatus.FAILED)
    assert "ne se lit pas" in (own.reason or "")
    assert [finding.rule for finding in report.findings] == ["INVALID_DATE"]


def _pdf(change: Callable[[Any], None]) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(to_facturx(DRAFT, Profile.EN_16931))))
    change(cast(Any, writer.root_object))
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def _findings(pdf: bytes) -> list[Finding]:
    return list(_report(pdf).findings)


def test_a_pdf_written_again_without_a_change_raises_nothing() -> None:
    assert _findings(_pdf(lambda root: None)) == []


def test_a_pdf_whose_text_shows_other_totals_than_its_xml_is_said() -> None:
    line = replace(DRAFT.lines[0], gross_price=DRAFT.lines[0].gross_price + 1)
    dearer = replace(DRAFT, lines=(line, *DRAFT.lines[1:]))
    pdf = embed(to_page(DRAFT), to_cii(dearer, Profile.EN_16931), Profile.EN_16931, dearer)
    found = _findings(pdf)
    assert {finding.rule for finding in found} == {"GW-10"}
    assert [finding.terms for finding in found] == [("BT-109",), ("BT-112",), ("BT-115",)]


def test_a_pdf_that_claims_no_pdf_a_or_another_part_is_said() -> None:
    def without_claim(root: Any) -> None:
        del root["/Metadata"]

    def part_1(root: Any) -> None:
        stream = StreamObject()
        stream.set_data(root["/Metadata"].get_object().get_data().replace(b"part>3<", b"part>1<"))
        root[NameObject("/Metadata")] = stream

    assert [finding.rule for finding in _findings(_pdf(without_claim))] == ["GW-11"]
    (finding,) = _findings(_pdf(part_1))
    assert "PDF/A-1" in finding.explanation


def test_a_wrong_relationship_between_pdf_and_xml_is_said() -> None:
    def supplement(root: Any) -> None:
        root["/AF"][0].get_object()[NameObject("/AFRelationship")] = NameObject("/Supplement")

    (finding,) = _findings(_pdf(supplement))
    assert finding.rule == "GW-12"
    assert "« Supplement »" in finding.explanation


def test_a_check_of_the_pdf_that_cannot_be_made_is_said_without_accusing() -> None:
    def without_pages(root: Any) -> None:
        root[NameObject("/Pages")] = NameObject("/Nothing")

    report = _report(_pdf(without_pages))
    (finding,) = report.findings
    assert (finding.rule, finding.severity, report.verdict) == ("GW-10", Severity.INFO, Verdict.VALID)
    assert finding.explanation.startswith("Contrôle non fait")
    assert "produisez le PDF à nouveau" in finding.fix


def test_a_pdf_whose_text_takes_too_long_to_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    # The check reads the clock once to set its deadline, then before each page.
    clock = iter([0.0, 1_000.0])
    monkeypatch.setattr(own_pdf, "monotonic", lambda: next(clock))
    (finding,) = _report(to_facturx(DRAFT, Profile.EN_16931)).findings
    assert (finding.rule, finding.severity) == ("GW-10", Severity.INFO)


def test_no_valid_sample_raises_an_own_check(samples: list[Sample]) -> None:
    raised = {sample.name: found for sample in samples if (found := _report(sample.data).findings)}
    assert raised == {}


def test_a_check_can_be_switched_off_alone() -> None:
    data = to_ubl(_note("PMT", "x")(_seller(iban=_other_digit(SELLER.iban))(DRAFT)))
    assert [finding.rule for finding in _report(data).findings] == ["GW-04", "GW-06"]
    off = _report(data, own_checks_off=frozenset({"GW-04"}))
    assert [finding.rule for finding in off.findings] == ["GW-06"]


def test_an_unknown_check_cannot_be_switched_off() -> None:
    assert require_known_checks(["GW-01"]) == {"GW-01"}
    with pytest.raises(UnknownOwnCheckError, match="GW-99"):
        require_known_checks(["GW-01", "GW-99"])


def test_every_check_has_an_id_of_its_own_and_says_everything_in_two_languages() -> None:
    assert len({check.id for check in OWN_CHECKS}) == len(OWN_CHECKS)
    for check in OWN_CHECKS:
        for text in (check.wants, check.why, check.fix):
            assert text.fr
            assert text.en
            assert text.fr != text.en


def test_the_layer_is_that_of_the_catalogue() -> None:
    layer = _report(to_ubl(DRAFT)).layers[-1]
    assert (layer.name, layer.artefact, layer.status) == ("own", "gateway-checks", LayerStatus.PASSED)


@pytest.mark.parametrize(
    ("issued", "latest"),
    [
        (date(2026, 9, 1), date(2026, 11, 14)),  # 45 days after the end of September
        (date(2026, 9, 30), date(2026, 11, 30)),  # the end of the month in which 45 days end
        (date(2027, 1, 31), date(2027, 4, 1)),  # 60 days
    ],
)
def test_the_statutory_term_is_the_longest_of_the_three_lawful_counts(issued: date, latest: date) -> None:
    term = own_figures().payment_term_on(issued)
    assert term is not None
    assert latest_due_date(issued, term) == latest


LAW = """
[[payment_term]]
valid_from = {first}
days = {days}
end_of_month_days = 0
periodic_days = 0
law = "décret d’essai"

[limitation]
alert_months = 3
"""


def test_the_due_date_is_held_against_the_cap_that_customers_terms_are_held_against(tmp_path: Path) -> None:
    issued = date(2026, 9, 30)
    late = to_ubl(replace(DRAFT, issue_date=issued, due_date=issued + timedelta(days=75)))
    told = {}
    for first, days in (("2026-01-01", 90), ("2026-01-01", 10), ("2008-01-01", 90), ("2027-01-01", 90)):
        file = tmp_path / f"{first}-{days}.toml"
        file.write_text(LAW.format(first=first, days=days), encoding="utf-8")
        own, customers = own_figures(file).payment_term_on(issued), statutory_terms(file).business_on(issued)
        assert own == customers
        options = options_from(load_settings(law_file=file))
        report = validate(late, on=IN_FORCE, options=options, checkers=OWN)
        told[first, days] = [each.message for each in report.findings if each.rule == "GW-08"]
    assert told["2026-01-01", 90] == []
    assert "(décret d’essai)" in told["2026-01-01", 10][0]
    assert "L441-10" in told["2008-01-01", 90][0]
    assert "L441-10" in told["2027-01-01", 90][0]


@pytest.mark.parametrize("content", ["payment_term = [", "[[payment_term]]\ndays = 'many'\n"])
def test_a_law_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "law.toml"
    file.write_text(content)
    with pytest.raises(OwnDataError) as refused:
        own_figures(file)
    assert str(file) in refused.value.what.fr


@given(st.decimals(Decimal("0.01"), Decimal("9999999.99"), places=2))
def test_an_amount_is_recognised_in_every_usual_writing_and_not_inside_another(amount: Decimal) -> None:
    english = f"{amount:,.2f}"
    french = english.replace(",", "\u202f").replace(".", ",")
    german = english.translate(str.maketrans(",.", ".,"))
    pattern = written(amount)
    for text in (english, french, french.replace("\u202f", " "), german, f"{amount:.2f}"):
        assert pattern.search(f"Total {text} EUR")
        assert not pattern.search(f"Total 9{text} EUR")
        assert not pattern.search(f"Total {text}9 EUR")


def test_rates_and_terms_never_overlap_in_time() -> None:
    for dated in (own_figures().payment_terms, own_figures().vat_rates):
        ordered = sorted(dated, key=lambda entry: entry.valid_from)
        assert all(earlier.valid_to < later.valid_from for earlier, later in pairwise(ordered))
