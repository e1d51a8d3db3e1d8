"""Dates that no calendar holds."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import datetime

from lxml import etree

from gateway.invoices.reading import Document
from gateway.kernel.text import Text
from gateway.validation.own.check import Case, OwnCheck, Remark
from gateway.validation.rulebook import Who
from gateway.validation.terms import local_names, terms_at

#: UNTDID 2379 code of YYYYMMDD, the only form of a date in CII; UBL dates are checked by their schema.
_DAY_FORMAT = "102"
_LENGTH = 8

_NO_SUCH_DAY = Text(
    "La date « {value} »{term} n’existe pas au calendrier.", "The date '{value}'{term} is not in the calendar."
)


def impossible_dates(tree: etree._ElementTree) -> list[etree._Element]:
    """Elements of a CII document that hold eight digits which are no day."""
    return [
        element
        for element in tree.iter("{*}DateTimeString", "{*}DateString")
        if element.get("format") == _DAY_FORMAT and _is_no_day((element.text or "").strip())
    ]


def without_impossible_dates(document: Document) -> Document:
    """The document without the dates that cannot be read, so that the rest of it can be."""
    if not impossible_dates(document.tree):
        return document
    tree = deepcopy(document.tree)
    for element in impossible_dates(tree):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    return replace(document, tree=tree)


def find_impossible_dates(case: Case) -> Iterator[Remark]:
    """Dates of the form YYYYMMDD that are no day, such as 20260231."""
    for element in impossible_dates(case.document.tree):
        term = next(iter(terms_at(local_names(element))), None)
        value = (element.text or "").strip()
        yield Remark(_NO_SUCH_DAY.format(value=value, term=f" ({term})" if term else ""), term, value, element)


def _is_no_day(text: str) -> bool:
    if len(text) != _LENGTH or not (text.isascii() and text.isdecimal()):
        return False
    try:
        datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        return True
    return False


CHECKS = (
    OwnCheck(
        "GW-05",
        ("BT-2", "BT-7", "BT-9", "BT-26", "BT-72", "BT-73", "BT-74", "BT-134", "BT-135"),
        Text("Une date est un jour du calendrier.", "A date is a day of the calendar."),
        Text(
            "En CII les règles officielles ne comptent que les chiffres : le 31 février passe, et aucune échéance ne "
            "peut en être tirée.",
            "In CII the official rules count the digits only: 31 February passes, and no due date follows from it.",
        ),
        Who.SOFTWARE,
        Text("Corrigez le calcul de cette date.", "Correct the computation of this date."),
        find_impossible_dates,
    ),
)
