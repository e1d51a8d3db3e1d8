"""The report of a validation: what was checked, what was not, what is wrong and how to mend it.

Its JSON form is a public contract (`schemas/validation-report.schema.json`). Sentences for people come in French under
the plain name and in English under the same name with `_en`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, computed_field

from gateway.kernel.text import Text


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


class _Part(BaseModel):
    # Stored reports are read again: by this version with its computed fields, or by an older one.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Finding(_Part):
    """One thing that is wrong, or worth a word, in the document."""

    rule: str = Field(description="Stable code: an official rule id, a constraint of XML Schema, or an error code")
    layer: str = Field(description="The layer that found it")
    severity: Severity
    location: str = Field(description="Path of the element in the XML, or another place in the file")
    line: int | None = Field(description="Line in the XML, from 1; null where there is none")
    terms: tuple[str, ...] = Field(description="Business terms concerned (BT-xx, BG-xx)")
    message: str = Field(description="Text of the official rule or of the checking program, as it is")
    explanation: str = Field(description="What is wrong, with the value seen, in French")
    explanation_en: str = Field(description="The same in English")
    fix: str = Field(description="Who mends it and how, in French")
    fix_en: str = Field(description="The same in English")


class LayerReport(_Part):
    """What became of one layer."""

    name: str
    artefact: str = Field(description="Catalogue id of the artefact that ran or would run; empty where there is none")
    version: str = Field(description="Version of that artefact")
    status: LayerStatus
    ms: float = Field(description="Time it took, in milliseconds")
    due: bool = Field(default=True, description="False when the layer has nothing to say about such a document")
    reason: str | None = Field(default=None, description="Why it was not run, or not to its end, in French")
    reason_en: str | None = Field(default=None, description="The same in English")


class PackEntry(_Part):
    """One artefact of the rule pack that a verdict rests on."""

    artefact: str = Field(description="Catalogue id")
    version: str


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """Which layers must have passed before a document may leave (setting `validation_required_layers`)."""

    required_layers: tuple[str, ...] = ("well-formed", "xsd", "en16931", "fr-ctc")


class Report(_Part):
    """Everything known about one document after its validation."""

    path: str = Field(description="Where the document came from, as the caller named it")
    syntax: str | None = Field(description="UBL, CII, Factur-X, CDAR or FRR (e-reporting); null when unreadable")
    profile: str | None = Field(description="Profile the document claims (BT-24); null when unreadable")
    verdict: Verdict
    layers: tuple[LayerReport, ...] = Field(description="Every layer, in order")
    findings: tuple[Finding, ...]
    on: date | None = Field(default=None, description="Legal date whose rules were applied; null for the newest rules")

    @computed_field(description="False while a layer that is due was not run")  # type: ignore[prop-decorator]
    @property
    def complete(self) -> bool:
        return all(layer.status is not LayerStatus.NOT_RUN for layer in self.layers if layer.due)

    @computed_field(description="The rules that were applied: artefacts with their versions")  # type: ignore[prop-decorator]
    @property
    def pack(self) -> tuple[PackEntry, ...]:
        ran = (layer for layer in self.layers if layer.status is not LayerStatus.NOT_RUN and layer.artefact)
        return tuple(PackEntry(artefact=layer.artefact, version=layer.version) for layer in ran)

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
        return self.model_dump_json()

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
        **Report.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
