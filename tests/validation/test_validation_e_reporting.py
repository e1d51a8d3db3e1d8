"""E-reporting transmissions (Flux 10), as pyfrctc writes them: known by their content, judged by XSD and rules."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pyfrctc.ereporting import generate_ereporting_payments, generate_ereporting_transactions

from gateway.invoices.errors import EReportingNotAnInvoiceError
from gateway.invoices.reading import read_invoice
from gateway.validation.catalog import installed_catalog
from gateway.validation.report import LayerStatus, Report, SendingPolicy, Verdict
from gateway.validation.service import validate
from tests.schematron.oracle import Saxon

Broken = Callable[[bytes, str, str | None], bytes]

IN_FORCE = date(2026, 10, 5)
#: Who reports what: identifier, instant, initial transmission, platform (sender), declaring company (issuer).
HEAD: dict[str, Any] = {
    "TT-1": "R-2026_1",
    "TT-3": datetime(2026, 10, 5, 8, tzinfo=UTC),
    "TT-4": "IN",
    **{"TT-7": "0238", "TT-8": "1234", "TT-9": "Plateforme", "TT-10": "WK"},
    **{"TT-12": "0002", "TT-13": "552100554", "TT-14": "Ateliers du Rhône", "TT-15": "SE"},
}
PERIOD = (date(2026, 9, 1), date(2026, 9, 30))
TRANSACTIONS = generate_ereporting_transactions(
    HEAD
    | dict(zip(("TT-17", "TT-18"), PERIOD, strict=True))
    | {
        "TG-31": [
            {
                **{"TT-77": date(2026, 9, 5), "TT-78": "EUR", "TT-81": "TLB1", "TT-82": "100.00", "TT-83": "20.00"},
                **{"TT-85": "3", "TG-32": [{"TT-86": "20.00", "TT-87": "100.00", "TT-88": "20.00"}]},
            }
        ]
    }
)
PAYMENTS = generate_ereporting_payments(
    HEAD
    | dict(zip(("TT-89", "TT-90"), PERIOD, strict=True))
    | {"TG-37": [{"TT-96": date(2026, 9, 6), "TG-39": [{"TT-97": "20.00", "TT-98": "EUR", "TT-99": "120.00"}]}]}
)


def _report(data: bytes) -> Report:
    return validate(data, on=IN_FORCE)


def _status(report: Report) -> dict[str, LayerStatus]:
    return {layer.name: layer.status for layer in report.layers if layer.due}


@pytest.fixture(scope="module")
def saxon() -> Iterator[Saxon]:
    with Saxon() as running:
        yield running


@pytest.mark.parametrize("data", [TRANSACTIONS, PAYMENTS])
def test_a_valid_transmission_passes_every_layer_that_is_due(data: bytes) -> None:
    report = _report(data)
    assert (report.syntax, report.profile, report.verdict, report.complete) == ("FRR", "", Verdict.VALID, True)
    assert _status(report) == dict.fromkeys(("well-formed", "xsd", "fr-ctc"), LayerStatus.PASSED)
    assert [entry.artefact for entry in report.pack] == ["flux10-xsd", "flux10"]
    assert report.may_be_sent(SendingPolicy())


def test_a_breach_of_the_schema_is_named_and_the_rules_wait(broken: Broken) -> None:
    report = _report(broken(TRANSACTIONS, "RoleCode", None))
    assert _status(report) == {
        "well-formed": LayerStatus.PASSED,
        "xsd": LayerStatus.FAILED,
        "fr-ctc": LayerStatus.NOT_RUN,
    }
    assert "« RoleCode »" in report.findings[0].explanation


@pytest.mark.parametrize(
    ("data", "name", "value"),
    [
        (TRANSACTIONS, "StartDate", "20261001"),
        (TRANSACTIONS, "CategoryCode", "XXXX"),
        (TRANSACTIONS, "TaxPercent", "19.99"),
        (PAYMENTS, "Amount", "120.12345678"),
        (PAYMENTS, "TypeCode", "XX"),
    ],
)
def test_the_findings_are_those_of_saxon_with_an_explanation(
    data: bytes, name: str, value: str, broken: Broken, saxon: Saxon
) -> None:
    wrong = broken(data, name, value)
    rules = next(artefact for artefact in installed_catalog().artefacts if artefact.id == "flux10")
    official = saxon.findings(rules.file, wrong)
    assert not isinstance(official, str)
    report = _report(wrong)
    found = [finding for finding in report.findings if finding.layer == "fr-ctc"]
    assert sorted(finding.message for finding in found) == sorted(" ".join((row[-1] or "").split()) for row in official)
    assert found
    assert report.verdict is Verdict.INVALID
    assert all(finding.rule.startswith(("G", "BR-FR-")) and finding.fix for finding in found)
    assert all(finding.explanation != finding.message for finding in found)


def test_another_document_called_report_is_not_taken_for_a_transmission() -> None:
    (finding,) = _report(b"<Report><Body/></Report>").findings
    assert finding.rule == "UNKNOWN_DOCUMENT"
    assert "e-reporting" in finding.explanation


def test_a_transmission_is_no_invoice() -> None:
    with pytest.raises(EReportingNotAnInvoiceError, match="not an invoice"):
        read_invoice(TRANSACTIONS)


def test_a_finding_names_the_line_of_its_element(broken: Broken) -> None:
    wrong = broken(PAYMENTS, "TypeCode", "XX")
    finding = _report(wrong).findings[0]
    assert finding.location == "/Report/ReportDocument/TypeCode"
    assert finding.line is not None
    assert b"<TypeCode>XX<" in wrong.splitlines()[finding.line - 1]
