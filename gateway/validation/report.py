"""The report of a validation: what was checked, what was not, what is wrong and how to mend it.

Its JSON form is a public contract (`schemas/validation-report.schema.json`). Sentences for people come in French under
the plain name and in English under the same name with `_en`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from gateway.kernel.text import Text

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Verdict(StrEnum):
    """What the layers that ran say of the document; `Report.complete` says whether all of them ran."""

    VALID = "valid"
    INVALID = "invalid"
    UNREADABLE = "unreadable"


class LayerStatus(StrEnum):
    """The fate of one layer; what did not run is never reported as passed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"


class Severity(StrEnum):
    """Only a fatal finding fails its layer."""

    FATAL = "fatal"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth a word, in the document."""

    rule: str
    """Stable code: an official rule id, a constraint of XML Schema, or an error code"""
    layer: str
    """The layer that found it"""
    severity: Severity
    location: str
    """Path of the element in the XML, or another place in the file"""
    line: int | None
    """Line in the XML, from 1; null where there is none"""
    terms: tuple[str, ...]
    """Business terms concerned (BT-xx, BG-xx)"""
    message: str
    """Text of the official rule or of the checking program, as it is"""
    explanation: str
    """What is wrong, with the value seen, in French"""
    explanation_en: str
    """The same in English"""
    fix: str
    """Who mends it and how, in French"""
    fix_en: str
    """The same in English"""


@dataclass(frozen=True)
class LayerReport:
    """What became of one layer."""

    name: str
    artefact: str
    """Catalogue id of the artefact that ran or would run; empty where there is none"""
    version: str
    """Version of that artefact"""
    status: LayerStatus
    ms: float
    """Time it took, in milliseconds"""
    due: bool = True
    """False when the layer has nothing to say about such a document"""
    reason: str | None = None
    """Why it was not run, or not to its end, in French"""
    reason_en: str | None = None
    """The same in English"""


@dataclass(frozen=True)
class PackEntry:
    """One artefact of the rule pack that a verdict rests on."""

    artefact: str
    """Catalogue id"""
    version: str


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """Which layers must have passed before a document may leave (setting `validation_required_layers`)."""

    required_layers: tuple[str, ...] = ("well-formed", "xsd", "en16931", "fr-ctc")


@dataclass(frozen=True)
class Report:
    """Everything known about one document after its validation."""

    path: str
    """Where the document came from, as the caller named it"""
    syntax: str | None
    """UBL, CII, Factur-X, CDAR or FRR (e-reporting); null when unreadable"""
    profile: str | None
    """Profile the document claims (BT-24); null when unreadable"""
    verdict: Verdict
    layers: tuple[LayerReport, ...]
    """Every layer, in order"""
    findings: tuple[Finding, ...]
    on: date | None = None
    """Legal date whose rules were applied; null for the newest rules"""
    complete: bool = field(init=False, default=True)
    """False while a layer that is due was not run"""
    pack: tuple[PackEntry, ...] = field(init=False, default=())
    """The rules that were applied: artefacts with their versions"""

    #: For Pydantic: what is written holds every field, and the words below a field describe it.
    __pydantic_config__: ClassVar[Mapping[str, bool]] = {
        "use_attribute_docstrings": True,
        "json_schema_serialization_defaults_required": True,
    }

    def __post_init__(self) -> None:
        ran = [layer for layer in self.layers if layer.status is not LayerStatus.NOT_RUN]
        pack = tuple(PackEntry(layer.artefact, layer.version) for layer in ran if layer.artefact)
        # Computed once, as fields of a frozen class are set.
        missing = [layer for layer in self.layers if layer.due and layer.status is LayerStatus.NOT_RUN]
        object.__setattr__(self, "complete", not missing)
        object.__setattr__(self, "pack", pack)

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> "Report":
        """A stored report, written by this version or an older one. Raises ValueError."""
        return _adapter().validate_python(data)

    def to_data(self) -> dict[str, Any]:
        """The report as JSON knows it, to be stored."""
        data: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return data

    def blocking_layers(self, policy: SendingPolicy) -> tuple[str, ...]:
        """The layers that keep the document from leaving: each that failed, and each required one that did not pass."""
        cleared = {layer.name for layer in self.layers if layer.status is LayerStatus.PASSED or not layer.due}
        failed = {layer.name for layer in self.layers if layer.status is LayerStatus.FAILED}
        blocking = failed | (set(policy.required_layers) - cleared)
        return tuple(sorted(blocking, key=self._order))

    def may_be_sent(self, policy: SendingPolicy) -> bool:
        """True when no layer blocks: on "not run" of a required layer nothing is sent."""
        return not self.blocking_layers(policy)

    def to_json_line(self) -> str:
        """One line of JSON Lines, without the line feed."""
        return json.dumps(self, default=_as_json, ensure_ascii=False, separators=(",", ":"))

    def to_json(self) -> str:
        """The same, in lines for people."""
        return json.dumps(self, default=_as_json, ensure_ascii=False, indent=2)

    def _order(self, layer: str) -> tuple[int, str]:
        names = [entry.name for entry in self.layers]
        return (names.index(layer) if layer in names else len(names), layer)


def make_finding(
    *,
    rule: str,
    layer: str,
    location: str,
    message: str,
    explanation: Text,
    fix: Text,
    severity: Severity = Severity.FATAL,
    line: int | None = None,
    terms: Iterable[str] = (),
) -> Finding:
    """A finding from bilingual texts."""
    return Finding(
        rule=rule,
        layer=layer,
        severity=severity,
        location=location,
        line=line,
        terms=tuple(terms),
        message=message,
        explanation=explanation.fr,
        explanation_en=explanation.en,
        fix=fix.fr,
        fix_en=fix.en,
    )


def json_schema() -> str:
    """The JSON Schema of a report, as `schemas/validation-report.schema.json` publishes it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "validation-report.schema.json",
        **_adapter().json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _as_json(part: Any) -> Any:
    return part.isoformat() if isinstance(part, date) else vars(part)


@cache
def _adapter() -> "TypeAdapter[Report]":
    # Built only where stored reports are read or written: it takes as long as to validate several documents.
    from pydantic import TypeAdapter

    return TypeAdapter(Report)
