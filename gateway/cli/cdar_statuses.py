"""`gateway cdar statuses`: the catalogue of a day, with what a message of each status must carry."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any, Literal

import typer

from gateway.kernel.clock import paris_date, system_clock
from gateway.kernel.settings import load_settings
from gateway.kernel.text import Language, Text
from gateway.lifecycle.reasons import all_reasons, allowed_reasons, label
from gateway.lifecycle.requirements import Requirement
from gateway.lifecycle.statuses import Status, all_statuses

_SET_BY = Text("posé par", "set by")
_TO_PPF = Text("copié au portail public", "copied to the public portal")
_REQUIRES = Text("exige :", "requires:")
_PORTAL_REQUIRES = Text("le portail public exige aussi :", "the public portal requires too:")
_OF_REFUND = Text(
    "pour un remboursement, le portail public exige aussi :", "of a refund the public portal requires too:"
)
_REASONS = Text("motifs admis :", "reasons allowed:")
_OR = Text(" ou ", " or ")


def statuses_command(
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Le jour du statut ; aujourd’hui par défaut.")
    ] = None,
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="text ou json.")] = "text",
    lang: Annotated[Language | None, typer.Option(help="Langue du texte ; par défaut celle des réglages.")] = None,
) -> None:
    """Les statuts en vigueur un jour : qui les pose, ce que leur message doit porter, les motifs admis.

    The statuses in force on a day: who sets them, what their message must carry, the reasons allowed.
    """
    day = on.date() if on else paris_date(system_clock())
    if form == "json":
        typer.echo(json.dumps([_facts(each, day) for each in all_statuses(day)], ensure_ascii=False, indent=2))
        return
    language = lang or load_settings().language
    for each in all_statuses(day):
        typer.echo("\n".join(_lines(each, day, language)))


def _lines(status: Status, on: date, language: Language) -> Iterator[str]:
    by = _OR.in_language(language).join(label("set_by", each, on).in_language(language) for each in status.set_by)
    obligation = label("obligation", status.obligation, on).in_language(language)
    facts = [status.label.in_language(language), f"{_SET_BY.in_language(language)} {by}", obligation]
    if status.to_ppf:
        facts.append(_TO_PPF.in_language(language))
    yield f"{status.code}  {', '.join(facts)}"
    required = (
        (_REQUIRES, status.requires),
        (_PORTAL_REQUIRES, status.portal_requires),
        (_OF_REFUND, status.portal_requires_of_refund),
    )
    for heading, requirements in required:
        if requirements:
            what = ", ".join(_one_of(each, on, language) for each in requirements)
            yield f"     {heading.in_language(language)} {what}"
    if reasons := _reasons(status, on):
        yield f"     {_REASONS.in_language(language)} {', '.join(reasons)}"


def _one_of(requirement: Requirement, on: date, language: Language) -> str:
    return _OR.in_language(language).join(label("datum", each, on).in_language(language) for each in requirement)


def _reasons(status: Status, on: date) -> list[str]:
    """The reasons that the status may carry, in catalogue order; none when it is open to all."""
    if not any(status.code in each.statuses for each in all_reasons(on)):
        return []
    allowed = allowed_reasons(status.code, on=on)
    return [each.code for each in all_reasons(on) if each.code in allowed]


def _facts(status: Status, on: date) -> dict[str, Any]:
    return {
        "code": status.code,
        "label": {"fr": status.label.fr, "en": status.label.en},
        "phase": status.phase,
        "set_by": status.set_by,
        "obligation": status.obligation,
        "to_ppf": status.to_ppf,
        "requires": status.requires,
        "portal_requires": status.portal_requires,
        "portal_requires_of_refund": status.portal_requires_of_refund,
        "reasons": _reasons(status, on),
    }
