"""The official rules speak through the report: verdict, place, line, terms, values seen, and an honest end."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from fixtures.broken import BrokenSample, broken_samples
from fixtures.samples import Sample
from gateway import schematron
from gateway.validation.catalog import ArtefactKind, installed_catalog
from gateway.validation.layers import RuleSelection
from gateway.validation.options import ValidationOptions
from gateway.validation.places import Places
from gateway.validation.report import LayerReport, LayerStatus, Report, Severity, Verdict
from gateway.validation.schematron import rule_id
from gateway.validation.service import CHECKERS, validate

Valid = Callable[..., bytes]
Broken = Callable[[bytes, str, str | None], bytes]

IN_FORCE = date(2026, 10, 5)
OFFICIAL = {kind: CHECKERS[kind] for kind in (ArtefactKind.XSD, ArtefactKind.SCHEMATRON)}
AGAINST_RULES = [sample for sample in broken_samples() if sample.layer in ("en16931", "fr-ctc")]


def _report(data: bytes, **options: object) -> Report:
    return validate(data, on=IN_FORCE, options=ValidationOptions(**options), checkers=OFFICIAL)  # type: ignore[arg-type]


def _layer(report: Report, name: str) -> LayerReport:
    return next(layer for layer in report.layers if layer.name == name)


def test_every_valid_sample_passes_the_official_rules(samples: list[Sample]) -> None:
    refused = {
        sample.name: report.findings
        for sample in samples
        if (report := _report(sample.data)).verdict is not Verdict.VALID
    }
    assert refused == {}


@pytest.mark.parametrize("sample", AGAINST_RULES, ids=lambda sample: sample.name)
def test_a_broken_rule_is_found_by_its_layer_and_no_other_is(sample: BrokenSample) -> None:
    report = _report(sample.data)
    assert {finding.rule for finding in report.findings} == {sample.expected, *sample.also}
    assert _layer(report, sample.layer).status is LayerStatus.FAILED
    assert report.verdict is Verdict.INVALID


def test_a_finding_names_the_place_the_line_the_terms_and_the_value_seen(valid: Valid, broken: Broken) -> None:
    data = broken(valid("UBL"), "PayableAmount", "1.00")
    finding = next(each for each in _report(data).findings if each.rule == "BR-CO-16")
    lines = data.decode().splitlines()
    assert finding.location == "/Invoice/cac:LegalMonetaryTotal"
    assert finding.line is not None
    assert "LegalMonetaryTotal" in lines[finding.line - 1]
    assert "BT-115" in finding.terms
    assert "BT-115 = 1.00" in finding.explanation
    assert "BT-115 = 1.00" in finding.explanation_en
    assert finding.message.startswith("[BR-CO-16]")
    assert finding.severity is Severity.FATAL


def test_of_a_term_that_stands_several_times_no_value_is_shown_as_the_one_seen(valid: Valid) -> None:
    root = etree.fromstring(valid("UBL"))
    (penalties,) = [note for note in root.iter("{*}Note") if (note.text or "").startswith("#PMD#")]
    root.remove(penalties)
    assert len(root.findall("{*}Note")) > 1
    (finding,) = _report(etree.tostring(root)).findings
    assert (finding.rule, "BT-22" in finding.terms) == ("BR-FR-05_BT-22-2", True)
    assert "Lu dans le document" not in finding.explanation


def test_a_warning_of_the_publisher_does_not_fail_the_layer(valid: Valid) -> None:
    root = etree.fromstring(valid("UBL"))
    number = next(root.iter("{*}ID"))
    number.set("schemeID", "X")
    report = _report(etree.tostring(root))
    assert {finding.severity for finding in report.findings} == {Severity.WARNING}
    assert _layer(report, "en16931").status is LayerStatus.PASSED


def test_what_a_profile_does_not_use_is_refused_under_a_name_that_stays(valid: Valid) -> None:
    root = etree.fromstring(valid("CII"))
    next(root.iter("{*}LineTotalAmount")).set("currencyID", "EUR")
    (finding,) = _report(etree.tostring(root)).findings
    assert finding.rule == "FX-NOT-USED-SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount@currencyID"
    assert finding.severity is Severity.FATAL
    assert finding.terms == ("BT-131",)
    assert "« LineTotalAmount@currencyID » n’est pas prévu à cet endroit par Factur-X EN 16931" in finding.explanation


def test_a_rule_without_an_id_takes_the_one_of_its_text_or_a_digest_of_its_test() -> None:
    artefact = next(each for each in installed_catalog().artefacts if each.id == "flux10")
    found = schematron.Finding("", "assert", "string-length($v) <= 50", "", "fatal", None, "[G1.104] Trop long.")
    assert rule_id(found, None, artefact) == "G1.104"
    bare = schematron.Finding("", "assert", "a = b", "", "fatal", None, "Trop long.")
    assert rule_id(bare, None, artefact) == rule_id(bare, None, artefact)
    assert rule_id(bare, None, artefact).startswith("flux10-")


def test_past_the_limit_of_findings_the_layer_has_failed_with_what_was_found(valid: Valid, broken: Broken) -> None:
    data = broken(broken(valid("UBL"), "PayableAmount", "1.00"), "TaxInclusiveAmount", "2.00")
    assert len([finding for finding in _report(data).findings if finding.layer == "en16931"]) > 1
    report = _report(data, max_findings=1)
    assert [finding.rule for finding in report.findings][-1] == "GW-LIMIT"
    layer = _layer(report, "en16931")
    assert layer.status is LayerStatus.FAILED
    assert layer.reason == "limite atteinte (constats : 1) : les règles suivantes n’ont pas été contrôlées"
    assert layer.reason_en == "limit reached (findings: 1): the rules after it were not checked"
    assert report.findings[-1].explanation.endswith(f"{layer.reason}.")


def test_rules_for_which_a_limit_leaves_nothing_are_not_run_and_say_why(valid: Valid, broken: Broken) -> None:
    report = _report(broken(valid("UBL").replace(b">S<", b">L<"), "PayableAmount", "1.00"), max_findings=1)
    layer = _layer(report, "fr-ctc")
    assert layer.status is LayerStatus.NOT_RUN
    assert layer.reason == "les couches précédentes ont épuisé la limite du document (constats : 1)"
    assert layer.reason_en == "the layers before it used up the limit of the document (findings: 1)"
    assert {finding.layer for finding in report.findings} == {"en16931"}
    assert not report.complete
    assert report.verdict is Verdict.INVALID


def test_the_time_that_a_document_takes_to_be_ready_for_the_rules_counts(
    valid: Valid, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, prepare = [0.0], schematron.prepare

    def slowly_prepared(tree: etree._ElementTree, data: bytes) -> schematron.Document:
        clock[0] += 10.0
        return prepare(tree, data)

    monkeypatch.setattr("gateway.validation.schematron.perf_counter", lambda: clock[0])
    monkeypatch.setattr(schematron, "prepare", slowly_prepared)
    report = _report(valid("UBL"), max_seconds=9.0)
    assert "limite atteinte (durée : 9 s)" in (_layer(report, "en16931").reason or "")


def test_no_time_left_is_a_failure_and_never_a_pass(valid: Valid) -> None:
    report = _report(valid("UBL"), max_seconds=1e-9)
    assert [finding.rule for finding in report.findings] == ["GW-LIMIT"]
    assert [_layer(report, name).status for name in ("en16931", "fr-ctc")] == [LayerStatus.FAILED, LayerStatus.NOT_RUN]
    assert "limite atteinte (durée : 1e-09 s)" in (_layer(report, "en16931").reason or "")
    assert report.verdict is Verdict.INVALID


def test_an_error_that_stops_the_rules_is_said_at_its_place(valid: Valid) -> None:
    root = etree.fromstring(valid("UBL"))
    total = next(root.iter("{*}LegalMonetaryTotal"))
    total.append(etree.fromstring(etree.tostring(next(total.iter("{*}PayableAmount")))))
    # Only the XSD knows that there can be one amount due: asked for alone, the rules meet two.
    rules = RuleSelection.parse("en16931", installed_catalog())
    report = validate(etree.tostring(root), rules=rules, on=IN_FORCE, checkers=OFFICIAL)
    (stop,) = [finding for finding in report.findings if finding.rule == "GW-STOPPED"]
    assert stop.location == "/Invoice/cac:LegalMonetaryTotal"
    assert stop.terms == ("BG-22",)
    assert _layer(report, "en16931").status is LayerStatus.FAILED
    assert "XPTY0004" in (_layer(report, "en16931").reason or "")


def test_compiled_rules_are_kept_in_the_folder_of_the_options(valid: Valid, tmp_path: Path) -> None:
    _report(valid("CDAR"), rules_cache=tmp_path / "rules")
    assert [place.name for place in (tmp_path / "rules").glob("*.code")]


def test_an_official_location_leads_to_its_element_with_or_without_a_namespace() -> None:
    tree = etree.ElementTree(etree.fromstring('<a xmlns:n="urn:x/y"><n:b/><!-- --><n:b><c>1</c></n:b></a>'))
    place = Places(tree).find("/a[1]/*:b[namespace-uri()='urn:x/y'][2]/c[1]")
    assert place is not None
    assert (place.path, place.names) == ("/a/n:b[2]/c", ("a", "b", "c"))
    assert place.element.text == "1"
    assert Places(tree).find("/a[1]/*:b[namespace-uri()='urn:x/y'][3]") is None
    assert Places(tree).find("") is None
