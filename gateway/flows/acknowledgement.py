"""The acknowledgement of a flow (XP Z12-013, Acknowledgement) from the validation report. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gateway.flows.terms import AckStatus
from gateway.kernel.dated import data_file
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text
from gateway.validation.report import Finding, Report, Severity, Verdict

LEVELS: dict[Severity, Literal["Error", "Warning"]] = {
    Severity.FATAL: "Error",
    Severity.WARNING: "Warning",
    Severity.INFO: "Warning",
}


@dataclass(frozen=True, slots=True)
class AckDetail:
    """One remark: on what (a business term or a path), how grave, under which reason code, in words."""

    level: Literal["Error", "Warning"]
    item: str
    reason_code: str
    message: Text

    def as_json(self) -> dict[str, str]:
        """In the field names of the standard, whose one message holds both languages; then each of them."""
        return {
            "level": self.level,
            "item": self.item,
            "reasonCode": self.reason_code,
            "reasonMessage": f"{self.message.fr} / {self.message.en}",
            "message_fr": self.message.fr,
            "message_en": self.message.en,
        }


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Ok or Error, with every remark."""

    status: AckStatus
    details: tuple[AckDetail, ...] = ()

    def with_remarks(self, remarks: Sequence[AckDetail]) -> "Acknowledgement":
        """The same answer with further remarks, said first."""
        return replace(self, details=(*remarks, *self.details))

    @property
    def problems(self) -> tuple[Text, ...]:
        """What the errors say, the warnings left out."""
        return tuple(detail.message for detail in self.details if detail.level == "Error")


def acknowledge(report: Report) -> Acknowledgement:
    """Ok for a valid document, Error otherwise; every finding becomes a detail."""
    status = AckStatus.OK if report.verdict is Verdict.VALID else AckStatus.ERROR
    return Acknowledgement(status, tuple(_detail(finding, report.syntax) for finding in report.findings))


def refuse(error: GatewayError, earlier: Sequence[AckDetail] = ()) -> Acknowledgement:
    """Error for a document that is valid but cannot be taken, after the remarks already made."""
    message = Text(f"{error.what.fr} {error.fix.fr}", f"{error.what.en} {error.fix.en}")
    reason = AckDetail("Error", error.where or "file", reason_code(error.code), message)
    return Acknowledgement(AckStatus.ERROR, (*earlier, reason))


def as_warnings(details: Sequence[AckDetail]) -> tuple[AckDetail, ...]:
    """The same remarks where they refuse nothing: a flow that is taken has no error."""
    return tuple(replace(each, level="Warning") for each in details)


def remark_on_syntax(declared: str | None, found: str | None) -> tuple[AckDetail, ...]:
    """A warning when the file is not of the syntax its sender declared (flowSyntax): the file itself decides."""
    if declared is None or found is None or declared == found:
        return ()
    message = Text(
        f"Le fichier est de syntaxe {found}, et non {declared} comme annoncé. Corrigez flowSyntax à l’envoi.",
        f"The file is {found}, not {declared} as declared. Correct flowSyntax when sending.",
    )
    return (AckDetail("Warning", "flowSyntax", reason_code("FLOW_SYNTAX_DIFFERS"), message),)


def remark_on_self_billing(type_code: str) -> AckDetail:
    """A warning on a self-billed sale that our side pushed: its buyer issues it, and it does not leave."""
    message = Text(
        f"Facture autofacturée (type {type_code}) : elle est suivie ici, mais c’est l’acheteur qui l’émet : elle "
        "n’est pas envoyée. Si vous l’émettez vous-même, corrigez le type de facture (BT-3).",
        f"Self-billed invoice (type {type_code}): it is followed here, but its buyer issues it, and it is not sent. If "
        "you issue it yourself, correct the invoice type (BT-3).",
    )
    return AckDetail("Warning", "BT-3", reason_code("SELF_BILLED_BY_BUYER"), message)


def _detail(finding: Finding, syntax: str | None) -> AckDetail:
    item = ", ".join(finding.terms) or finding.location or "file"
    message = Text(
        f"{finding.rule} : {finding.explanation or finding.message} {finding.fix}".strip(),
        f"{finding.rule}: {finding.explanation_en or finding.message} {finding.fix_en}".strip(),
    )
    return AckDetail(LEVELS[finding.severity], item, reason_code(finding.rule, finding.layer, syntax), message)


def reason_code(rule: str, layer: str = "", syntax: str | None = None) -> str:
    """The reason code of the standard for a rule or an error code (`schemas/flows.toml`)."""
    table = data_file("flows.toml")["reason"]
    found = table["by_rule"].get(rule) or table["by_layer"].get(layer) or table["by_syntax"].get(syntax)
    return str(found or table["default"])
