"""A validation says of each layer whether it passed, failed or was not run, and why; on "not run" nothing is sent."""

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from datetime import date
from importlib.resources import files
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.broken import broken_samples
from gateway.invoices.limits import ReadingLimits
from gateway.kernel.errors import GatewayError
from gateway.kernel.settings import load_settings
from gateway.kernel.text import Text
from gateway.validation import service
from gateway.validation.catalog import Artefact, ArtefactKind, installed_catalog
from gateway.validation.errors import UnknownRulesError, UnopenableFileError
from gateway.validation.layers import Outcome, RuleSelection, Subject
from gateway.validation.options import ValidationOptions
from gateway.validation.report import (
    LayerStatus,
    Report,
    SendingPolicy,
    Severity,
    Verdict,
    json_schema,
    make_finding,
)
from gateway.validation.service import CHECKERS, validate, validate_together

CATALOG = installed_catalog()
LAYERS = ["well-formed", "xsd", "en16931", "fr-ctc", "own"]
PASSED, FAILED, NOT_RUN = LayerStatus.PASSED, LayerStatus.FAILED, LayerStatus.NOT_RUN
IN_FORCE = date(2026, 10, 5)

Valid = Callable[..., bytes]
Broken = Callable[[bytes, str, str | None], bytes]


class RulesThatFind:
    """An engine that finds the same things in every document and remembers which artefacts it was given."""

    def __init__(self, *severities: Severity) -> None:
        self.severities = severities
        self.artefacts: list[str] = []

    def check(self, subject: Subject, artefact: Artefact) -> Outcome:
        self.artefacts.append(artefact.id)
        return Outcome(
            [
                make_finding(
                    rule="R-1",
                    layer=artefact.layer,
                    severity=severity,
                    location="/",
                    message="",
                    explanation=Text("a", "b"),
                    fix=Text("a", "b"),
                )
                for severity in self.severities
            ]
        )


def _with(engine: RulesThatFind) -> dict[ArtefactKind, object]:
    return {**CHECKERS, ArtefactKind.SCHEMATRON: engine}


def _statuses(report: Report) -> dict[str, LayerStatus]:
    return {layer.name: layer.status for layer in report.layers}


def _timeless(report: Report) -> Report:
    """The report, had it taken no time."""
    return replace(report, layers=tuple(replace(layer, ms=0.0) for layer in report.layers))


def test_layers_without_an_engine_are_not_run_and_say_so(valid: Valid) -> None:
    without_engine = {ArtefactKind.XSD: CHECKERS[ArtefactKind.XSD]}
    report = validate(valid("UBL"), on=IN_FORCE, checkers=without_engine)
    assert list(_statuses(report).items()) == list(
        zip(LAYERS, [PASSED, PASSED, NOT_RUN, NOT_RUN, NOT_RUN], strict=True)
    )
    assert report.layers[2].reason == "le moteur de ces règles n’est pas encore installé"
    assert report.layers[2].reason_en == "the engine of these rules is not installed yet"
    assert (report.layers[2].artefact, report.layers[2].version) == ("en16931-ubl", "1.3.16")
    assert report.verdict is Verdict.VALID
    assert not report.complete


@pytest.mark.parametrize(
    ("syntax", "profile", "artefacts"),
    [
        ("UBL", "EN 16931", ["en16931-ubl", "br-fr-flux2-ubl"]),
        ("UBL", "EXTENDED-CTC-FR", ["extended-ctc-fr-ubl", "br-fr-flux2-ubl"]),
        ("CII", "EN 16931", ["factur-x-en16931", "br-fr-flux2-cii"]),
        ("CII", "EXTENDED-CTC-FR", ["extended-ctc-fr-cii", "br-fr-flux2-cii"]),
        ("Factur-X", "BASIC WL", ["factur-x-basic-wl", "br-fr-flux2-cii"]),
        ("Factur-X", "MINIMUM", ["factur-x-minimum"]),
        ("CDAR", "", ["br-fr-cdv-cdar"]),
    ],
)
def test_an_engine_is_given_the_rules_of_the_syntax_and_profile(
    syntax: str, profile: str, artefacts: list[str], valid: Valid
) -> None:
    engine = RulesThatFind()
    validate(valid(syntax, profile), on=IN_FORCE, checkers=_with(engine))
    assert engine.artefacts == artefacts


def test_only_a_fatal_finding_fails_its_layer(valid: Valid) -> None:
    warned = validate(valid("UBL"), on=IN_FORCE, checkers=_with(RulesThatFind(Severity.WARNING, Severity.INFO)))
    assert _statuses(warned)["en16931"] is PASSED
    assert warned.verdict is Verdict.VALID
    failed = validate(valid("UBL"), on=IN_FORCE, checkers=_with(RulesThatFind(Severity.WARNING, Severity.FATAL)))
    assert (_statuses(failed)["en16931"], _statuses(failed)["fr-ctc"]) == (FAILED, FAILED)
    assert failed.verdict is Verdict.INVALID


def test_rules_do_not_run_on_a_document_that_breaks_its_schema(valid: Valid, broken: Broken) -> None:
    engine = RulesThatFind()
    report = validate(broken(valid("UBL"), "IssueDate", None), on=IN_FORCE, checkers=_with(engine))
    assert list(_statuses(report).values()) == [PASSED, FAILED, NOT_RUN, NOT_RUN, NOT_RUN]
    assert engine.artefacts == []
    assert "XSD" in (report.layers[2].reason or "")


def test_a_layer_that_does_not_concern_the_syntax_leaves_the_report_complete(valid: Valid) -> None:
    report = validate(valid("CDAR"), on=IN_FORCE, checkers=_with(RulesThatFind()))
    assert [layer.name for layer in report.layers if not layer.due] == ["en16931", "own"]
    assert report.complete


def test_rules_not_yet_in_force_are_not_run_and_the_date_is_named(valid: Valid) -> None:
    engine = RulesThatFind()
    report = validate(valid("UBL"), on=date(2026, 8, 31), checkers=_with(engine))
    assert engine.artefacts == ["en16931-ubl"]
    assert report.layers[3].reason == "aucune règle en vigueur le 2026-08-31"
    assert report.on == date(2026, 8, 31)
    assert not report.complete


def test_a_profile_without_rules_is_said_not_passed_over(valid: Valid) -> None:
    other = valid("CII").replace(b">urn:cen.eu:en16931:2017<", b">urn:example:cius<")
    report = validate(other, on=IN_FORCE, checkers=_with(RulesThatFind()))
    assert _statuses(report)["xsd"] is PASSED
    assert report.layers[2].reason == "aucune règle installée pour CII, profil urn:example:cius"
    assert not report.complete


def test_every_unreadable_fixture_gives_a_report_with_the_code_of_its_error() -> None:
    unreadable = [sample for sample in broken_samples() if sample.verdict == "unreadable"]
    assert unreadable
    for sample in unreadable:
        report = validate(sample.data, path=sample.name)
        assert report.verdict is Verdict.UNREADABLE, sample.name
        assert [finding.rule for finding in report.findings] == [sample.expected]
        assert list(_statuses(report).values()) == [FAILED, NOT_RUN, NOT_RUN, NOT_RUN, NOT_RUN]


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_documents_validated_together_get_the_reports_that_each_gets_alone_in_their_order(random: Random) -> None:
    documents: list[tuple[str, bytes | GatewayError]] = [
        (f"{number}", sample.data) for number, sample in enumerate(broken_samples())
    ]
    documents.append(("gone", UnopenableFileError("gone", "No such file")))
    together = random.sample(documents, 12)
    alone = [
        validate_together([(path, content)])[0] if isinstance(content, GatewayError) else validate(content, path=path)
        for path, content in together
    ]
    assert [_timeless(report) for report in validate_together(together)] == [_timeless(report) for report in alone]


def test_the_time_that_one_document_takes_is_not_taken_from_those_validated_with_it(
    valid: Valid, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(service, "perf_counter", lambda: clock[0])
    left: dict[str, list[float]] = {}

    class Slow:
        def check(self, subject: Subject, artefact: Artefact) -> Outcome:
            name = str(subject.document.syntax)
            left.setdefault(name, []).append(subject.seconds_left)
            clock[0] += 4.0 if name == "UBL" else 0.5
            return Outcome()

    documents = [("slow", valid("UBL")), ("quick", valid("CII"))]
    checkers = {kind: Slow() for kind in CHECKERS}
    validate_together(documents, options=ValidationOptions(max_seconds=10.0), on=IN_FORCE, checkers=checkers)
    assert left == {"UBL": [10.0, 6.0, 2.0, 0.0], "CII": [10.0, 9.5, 9.0, 8.5]}


def test_limits_reach_the_reader(valid: Valid) -> None:
    report = validate(valid("UBL"), options=ValidationOptions(reading=ReadingLimits(max_file_bytes=100)))
    assert [finding.rule for finding in report.findings] == ["FILE_TOO_LARGE"]


@given(position=st.integers(0, 20_000), junk=st.binary(min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_a_damaged_document_always_gets_a_report_that_fits_the_published_shape(
    valid: Valid, position: int, junk: bytes
) -> None:
    data = valid("UBL")
    position %= len(data)
    report = validate(data[:position] + junk + data[position + len(junk) :])
    assert Report.from_data(json.loads(report.to_json_line())) == report
    assert json.loads(report.to_json_line()) == json.loads(report.to_json()) == report.to_data()
    refused = any(finding.severity is Severity.FATAL for finding in report.findings)
    assert (report.verdict is Verdict.VALID) == (not refused)


@pytest.mark.parametrize(
    ("names", "statuses"),
    [
        ("xsd", [PASSED, PASSED, NOT_RUN, NOT_RUN, NOT_RUN]),
        ("fr-ctc", [PASSED, NOT_RUN, NOT_RUN, PASSED, NOT_RUN]),
        ("xsd, br-fr-flux2-ubl", [PASSED, PASSED, NOT_RUN, PASSED, NOT_RUN]),
    ],
)
def test_a_selection_runs_what_it_names_and_is_never_complete_by_itself(
    names: str, statuses: list[LayerStatus], valid: Valid
) -> None:
    rules = RuleSelection.parse(names, CATALOG)
    report = validate(valid("UBL"), rules=rules, on=IN_FORCE, checkers=_with(RulesThatFind()))
    assert list(_statuses(report).values()) == statuses
    assert not report.complete


def test_everything_runs_by_itself_and_the_report_is_complete(valid: Valid) -> None:
    report = validate(valid("UBL"), rules=RuleSelection.parse("auto", CATALOG), on=IN_FORCE)
    assert set(_statuses(report).values()) == {PASSED}
    assert report.complete


def test_a_named_artefact_replaces_the_one_of_the_profile(valid: Valid) -> None:
    as_claimed = validate(valid("CII", "EXTENDED"), rules=RuleSelection.parse("xsd", CATALOG))
    assert as_claimed.verdict is Verdict.VALID
    rules = RuleSelection.parse("factur-x-minimum-xsd", CATALOG)
    report = validate(valid("CII", "EXTENDED"), rules=rules)
    assert report.layers[1].artefact == "factur-x-minimum-xsd"
    assert report.verdict is Verdict.INVALID


@pytest.mark.parametrize(
    ("profile", "expected"), [("EN 16931", "en16931-ubl"), ("EXTENDED-CTC-FR", "extended-ctc-fr-ubl")]
)
def test_of_several_named_artefacts_the_one_for_the_profile_counts(profile: str, expected: str, valid: Valid) -> None:
    rules = RuleSelection.parse("extended-ctc-fr-ubl,en16931-ubl", CATALOG)
    report = validate(valid("UBL", profile), rules=rules)
    assert [entry.artefact for entry in report.pack] == [expected]


def test_a_named_artefact_of_another_syntax_is_not_run(valid: Valid) -> None:
    report = validate(valid("UBL"), rules=RuleSelection.parse("cii-d22b-xsd", CATALOG))
    assert _statuses(report)["xsd"] is NOT_RUN


def test_an_unknown_rule_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownRulesError, match=r"No rules are called 'xds'.*fr-ctc"):
        RuleSelection.parse("xsd,xds", CATALOG)


def test_nothing_is_sent_while_a_required_layer_is_not_run(valid: Valid) -> None:
    report = validate(valid("UBL"), on=IN_FORCE, checkers={ArtefactKind.XSD: CHECKERS[ArtefactKind.XSD]})
    assert report.may_be_sent(SendingPolicy(("well-formed", "xsd")))
    assert not report.may_be_sent(SendingPolicy())
    assert report.blocking_layers(SendingPolicy()) == ("en16931", "fr-ctc")


def test_nothing_is_sent_after_a_failure_even_of_a_layer_that_is_not_required(valid: Valid) -> None:
    report = validate(valid("UBL"), on=IN_FORCE, checkers=_with(RulesThatFind(Severity.FATAL)))
    assert report.blocking_layers(SendingPolicy(("well-formed",))) == ("en16931", "fr-ctc")


def test_a_required_layer_that_does_not_concern_the_document_does_not_block(valid: Valid) -> None:
    report = validate(valid("CDAR"), on=IN_FORCE)
    assert report.may_be_sent(SendingPolicy(("well-formed", "xsd", "en16931")))


def test_a_misspelt_required_layer_blocks_rather_than_lets_everything_pass(valid: Valid) -> None:
    assert validate(valid("UBL")).blocking_layers(SendingPolicy(("xsdd",))) == ("xsdd",)


def test_the_default_policy_is_that_of_the_settings() -> None:
    assert load_settings().validation_required_layers == SendingPolicy().required_layers


def test_the_published_json_schema_is_that_of_the_model() -> None:
    published = (files("schemas") / "validation-report.schema.json").read_text(encoding="utf-8")
    assert published == json_schema(), "write gateway.validation.report.json_schema() to the file"


def test_a_json_line_has_the_keys_that_scripts_rely_on(valid: Valid, broken: Broken) -> None:
    line = validate(broken(valid("UBL"), "IssueDate", None), path="a.xml").to_json_line()
    assert "\n" not in line
    report = json.loads(line)
    assert {"path", "syntax", "profile", "verdict", "layers", "findings"} <= report.keys()
    assert (report["path"], report["syntax"], report["profile"]) == ("a.xml", "UBL", "EN 16931")
    assert {"name", "artefact", "version", "status", "ms"} <= report["layers"][0].keys()
    (finding,) = report["findings"]
    assert finding.keys() >= {
        "rule", "layer", "severity", "location", "line", "terms", "message", "explanation", "fix",
    }  # fmt: skip


def test_a_report_cannot_be_changed(valid: Valid) -> None:
    with pytest.raises(FrozenInstanceError):
        validate(valid("UBL")).verdict = Verdict.INVALID  # type: ignore[misc]
