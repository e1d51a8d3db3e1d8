"""The XSD layer gives the verdict of the official schema and says what is wrong, where, and how to mend it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from lxml import etree

from fixtures.broken import XSD, broken_samples
from fixtures.samples import Sample
from gateway.validation import xsd_faults
from gateway.validation.report import Finding, LayerStatus, Report, Severity, Verdict
from gateway.validation.service import validate
from gateway.validation.xsd import MOST_FAULTS

Valid = Callable[..., bytes]
Broken = Callable[[bytes, str, str | None], bytes]


def _xsd_status(report: Report) -> LayerStatus:
    return next(layer.status for layer in report.layers if layer.name == "xsd")


def _only(report: Report) -> Finding:
    assert report.verdict is Verdict.INVALID
    (finding,) = report.findings
    return finding


def test_every_valid_fixture_passes(samples: list[Sample]) -> None:
    refused = [sample.name for sample in samples if _xsd_status(validate(sample.data)) is not LayerStatus.PASSED]
    assert refused == []


def test_every_fixture_with_a_schema_fault_fails_with_a_line_and_both_languages() -> None:
    faulty = [sample for sample in broken_samples() if sample.expected == XSD]
    assert faulty
    for sample in faulty:
        report = validate(sample.data, path=sample.name)
        assert _xsd_status(report) is LayerStatus.FAILED, sample.name
        for finding in report.findings:
            assert finding.line, sample.name
            assert finding.explanation != finding.explanation_en, sample.name
            assert finding.fix != finding.fix_en, sample.name


def test_a_lifecycle_message_is_checked_against_its_own_schema(valid: Valid, broken: Broken) -> None:
    assert _xsd_status(validate(valid("CDAR"))) is LayerStatus.PASSED
    finding = _only(validate(broken(valid("CDAR"), "RecipientTradeParty", None)))
    assert "RecipientTradeParty" in finding.explanation


def test_a_value_that_is_no_date_is_quoted_with_its_term_line_and_format(valid: Valid, broken: Broken) -> None:
    data = broken(valid("UBL"), "IssueDate", "01/09/2026")
    finding = _only(validate(data))
    assert finding.rule == "cvc-datatype-valid.1"
    assert finding.terms == ("BT-2",)
    assert finding.location == "/Invoice/cbc:IssueDate"
    assert b"01/09/2026" in data.splitlines()[(finding.line or 0) - 1]
    assert "« 01/09/2026 »" in finding.explanation
    assert "AAAA-MM-JJ" in finding.explanation


def test_a_missing_element_is_named_with_its_own_term(valid: Valid, broken: Broken) -> None:
    finding = _only(validate(broken(valid("UBL"), "IssueDate", None)))
    assert (finding.rule, finding.terms) == ("cvc-complex-type.2.4.b", ("BT-2",))
    assert finding.explanation.startswith("Il manque l'élément « IssueDate » dans « Invoice ».")


def test_an_element_in_the_wrong_place_is_told_from_an_unknown_one(valid: Valid) -> None:
    root = etree.fromstring(valid("UBL"))
    issue_date = root.find("{*}IssueDate")
    root.remove(issue_date)
    root.append(issue_date)
    misplaced = _only(validate(etree.tostring(root)))
    assert "l'ordre des éléments est imposé" in misplaced.explanation
    assert "IssueDate" in misplaced.explanation
    root.remove(issue_date)
    root.insert(list(root).index(root.find("{*}ID")) + 1, issue_date)
    assert validate(etree.tostring(root)).verdict is Verdict.VALID
    etree.SubElement(root, f"{{{etree.QName(issue_date).namespace}}}Colour")
    assert "n'existe pas à cet endroit" in _only(validate(etree.tostring(root))).explanation


def test_a_repeated_element_is_named_as_such(valid: Valid) -> None:
    root = etree.fromstring(valid("UBL"))
    number = root.find("{*}ID")
    number.addnext(etree.fromstring(etree.tostring(number)))
    finding = _only(validate(etree.tostring(root)))
    assert "répété plus souvent que permis" in finding.explanation
    assert finding.location == "/Invoice/cbc:ID[2]"


def test_a_missing_and_an_unknown_attribute_are_named(valid: Valid) -> None:
    root = etree.fromstring(valid("UBL"))
    payable = next(root.iter("{*}PayableAmount"))
    del payable.attrib["currencyID"]
    missing = _only(validate(etree.tostring(root)))
    assert (missing.rule, missing.terms) == ("cvc-complex-type.4", ("BT-115",))
    assert "l'attribut « currencyID »" in missing.explanation
    payable.attrib.update({"currencyID": "EUR", "colour": "blue"})
    unknown = _only(validate(etree.tostring(root)))
    assert "L'attribut « colour »" in unknown.explanation


def test_all_faults_are_found_at_once_in_the_order_of_the_document(valid: Valid, broken: Broken) -> None:
    data = broken(valid("UBL"), "IssueDate", None)
    data = broken(data, "PayableAmount", "12,50")
    report = validate(data)
    assert [finding.terms for finding in report.findings] == [("BT-2",), ("BT-115",)]


def test_past_the_most_faults_the_report_says_that_there_are_more(valid: Valid) -> None:
    root = etree.fromstring(valid("UBL"))
    line = root.find("{*}InvoiceLine")
    next(line.iter("{*}LineExtensionAmount")).text = "a"
    for _ in range(MOST_FAULTS + 5):
        line.addnext(etree.fromstring(etree.tostring(line)))
    *faults, more = validate(etree.tostring(root)).findings
    assert len(faults) == MOST_FAULTS
    assert (more.rule, more.severity) == ("GW-MORE", Severity.INFO)


@pytest.mark.parametrize("syntax", ["UBL", "CII"])
def test_a_document_too_large_for_xmlschema_is_explained_by_libxml2(
    syntax: str, valid: Valid, broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = {"UBL": "PayableAmount", "CII": "DuePayableAmount"}[syntax]
    data = broken(valid(syntax), name, "12,50")
    explained = _only(validate(data))
    monkeypatch.setattr(xsd_faults, "MAX_ELEMENTS_EXPLAINED", 10)
    finding = _only(validate(data))
    assert (finding.location, finding.line, finding.terms) == (explained.location, explained.line, ("BT-115",))
    assert "12,50" in finding.explanation


def test_documents_checked_in_concurrent_threads_keep_their_own_findings(valid: Valid, broken: Broken) -> None:
    base = valid("UBL")
    documents = [broken(base, "PayableAmount", f"{n},00") if n % 2 else base for n in range(80)]
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(validate, documents))
    for n, report in enumerate(reports):
        if n % 2:
            assert f"« {n},00 »" in _only(report).explanation
        else:
            assert report.findings == ()
