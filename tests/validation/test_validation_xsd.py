"""The XSD layer gives the verdict of the official schema and says what is wrong, where, and how to mend it."""

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Lock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from fixtures.broken import XSD, broken_samples
from fixtures.samples import Sample
from gateway.validation import xsd, xsd_search
from gateway.validation.explanations import explain
from gateway.validation.report import Finding, LayerStatus, Report, Severity, Verdict
from gateway.validation.service import validate
from gateway.validation.xsd import MOST_FAULTS
from gateway.validation.xsd_faults import Fault, FaultKind

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

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


def test_a_value_of_an_unusual_type_is_explained_by_the_reason_of_the_library() -> None:
    fault = Fault(FaultKind.INVALID_VALUE, None, 3, "invalid duration", value="long", type_name="duration")
    explanation, _ = explain(fault)
    assert explanation.fr.endswith("Motif : invalid duration")
    assert "'long'" in explanation.en


def test_a_missing_element_is_named_with_its_own_term(valid: Valid, broken: Broken) -> None:
    finding = _only(validate(broken(valid("UBL"), "IssueDate", None)))
    assert (finding.rule, finding.terms) == ("cvc-complex-type.2.4.b", ("BT-2",))
    assert finding.explanation.startswith("Il manque l’élément « IssueDate » dans « Invoice ».")


def test_an_element_in_the_wrong_place_is_told_from_an_unknown_one(valid: Valid) -> None:
    root = etree.fromstring(valid("UBL"))
    issue_date = root.find("{*}IssueDate")
    root.remove(issue_date)
    root.append(issue_date)
    misplaced = _only(validate(etree.tostring(root)))
    assert "l’ordre des éléments est imposé" in misplaced.explanation
    assert "IssueDate" in misplaced.explanation
    root.remove(issue_date)
    root.insert(list(root).index(root.find("{*}ID")) + 1, issue_date)
    assert validate(etree.tostring(root)).verdict is Verdict.VALID
    etree.SubElement(root, f"{{{etree.QName(issue_date).namespace}}}Colour")
    assert "n’existe pas à cet endroit" in _only(validate(etree.tostring(root))).explanation


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
    assert "l’attribut « currencyID »" in missing.explanation
    payable.attrib.update({"currencyID": "EUR", "colour": "blue"})
    unknown = _only(validate(etree.tostring(root)))
    assert "L’attribut « colour »" in unknown.explanation


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
    monkeypatch.setattr(xsd_search, "MAX_ELEMENTS_EXPLAINED", 10)
    finding = _only(validate(data))
    assert (finding.location, finding.line, finding.terms) == (explained.location, explained.line, ("BT-115",))
    assert "12,50" in finding.explanation


@pytest.mark.parametrize("most_elements", [0, xsd_search.MAX_ELEMENTS_EXPLAINED], ids=["libxml2", "xmlschema"])
def test_documents_checked_in_concurrent_threads_keep_their_own_findings(
    most_elements: int, valid: Valid, broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xsd_search, "MAX_ELEMENTS_EXPLAINED", most_elements)
    base = valid("UBL")
    documents = [broken(base, "PayableAmount", f"{n},00") if n % 2 else base for n in range(200)]
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(validate, documents))
    for n, report in enumerate(reports):
        if n % 2:
            assert re.search(rf"\b{n},00", _only(report).explanation)
        else:
            assert report.findings == ()


def test_no_two_schemas_compile_at_once_since_libxml2_would_refuse_sound_ones(
    valid: Valid, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_schema, compiling, together = etree.XMLSchema, Lock(), []

    def counted(tree: etree._ElementTree) -> etree.XMLSchema:
        alone = compiling.acquire(blocking=False)
        together.append(not alone)
        try:
            return compile_schema(tree)
        finally:
            if alone:
                compiling.release()

    xsd._compile.cache_clear()
    monkeypatch.setattr(etree, "XMLSchema", counted)
    with ThreadPoolExecutor(6) as threads:
        reports = list(threads.map(validate, [valid("UBL"), valid("CII"), valid("CDAR")] * 2))
    assert {layer.status for report in reports for layer in report.layers if layer.name == "xsd"} == {
        LayerStatus.PASSED
    }
    assert together == [False] * 3


def test_a_document_that_xmlschema_cannot_follow_keeps_the_findings_of_libxml2(valid: Valid) -> None:
    root = etree.fromstring(valid("UBL"))
    next(root.iter("{*}PayableAmount")).set(f"{XSI}type", "unknown:type")
    report = validate(etree.tostring(root))
    assert report.verdict is Verdict.INVALID
    assert "PayableAmount" in report.findings[0].explanation


def test_schema_locations_of_a_document_are_never_opened(valid: Valid, tmp_path: Path) -> None:
    own_schema = tmp_path / "own.xsd"
    os.mkfifo(own_schema)  # whoever opened it would wait for ever
    root = etree.fromstring(valid("CII"))
    root.set(f"{XSI}schemaLocation", f"urn:own {own_schema.as_uri()}")
    assert validate(etree.tostring(root)).verdict is Verdict.VALID
    etree.SubElement(root, "{urn:own}element")
    assert _only(validate(etree.tostring(root))).location == "/rsm:CrossIndustryInvoice/ns0:element"


@given(st.randoms(use_true_random=False), st.sampled_from(["UBL", "CII", "CDAR"]))
@settings(max_examples=60, deadline=None)
def test_any_mutant_of_a_valid_document_gets_a_verdict_with_findings_that_agree(
    valid: Valid, rng: Random, syntax: str
) -> None:
    root = etree.fromstring(valid(syntax))
    elements = list(root.iterdescendants("*"))
    for element in rng.sample(elements, k=2):
        change = rng.randrange(6)
        if change == 0:
            element.getparent().remove(element)
        elif change == 1:
            element.text = rng.choice(["", " ", "x", "1e5", "2026-02-30", "é" * 200])
        elif change == 2:
            element.tag = rng.choice(elements).tag
        elif change == 3:
            element.tag = rng.choice(["bare", "{urn:other}foreign"])
        elif change == 4:
            element.set(rng.choice(["currencyID", "x", f"{XSI}nil", f"{XSI}type"]), rng.choice(["", "true", "p:q"]))
        else:
            element.tail = "text"
    report = validate(etree.tostring(root))
    fatal = [finding for finding in report.findings if finding.severity is Severity.FATAL]
    assert (report.verdict is Verdict.VALID) == (fatal == [])
