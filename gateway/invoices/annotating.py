"""Remarks on an invoice, written into its readable page next to the fields they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lxml import html
from lxml.html import HtmlElement
from lxml.html.builder import CLASS, SMALL


@dataclass(frozen=True, slots=True)
class TermNote:
    """A remark.

    Attributes:
        terms: the business terms concerned; the text stands next to the first that the page shows, all are marked.
        text: in the language of the page.
        part: group and rank, from 1, of the repeated part it is about, such as ("BG-25", 2) for the second line; None
            for a remark on the document.
    """

    terms: tuple[str, ...]
    severity: Literal["fatal", "warning", "info"]
    text: str
    part: tuple[str, int] | None = None


def annotated(fragment: str, notes: Sequence[TermNote]) -> str:
    """The fragment of `render_html` with the remarks; one on a term that the page does not show is left out."""
    article = html.fragment_fromstring(fragment)
    parts = _by(article, "data-group")
    fields: dict[HtmlElement, Mapping[str, Sequence[HtmlElement]]] = {}
    # Each remark is put right after its field, before those that are there: so the first one comes last.
    for note in reversed(notes):
        part = _part(article, parts, note)
        if part not in fields:
            fields[part] = _by(part, "data-term")
        _annotate([element for term in note.terms for element in fields[part].get(term, ())], note)
    return str(html.tostring(article, encoding="unicode"))


def _by(part: HtmlElement, attribute: str) -> Mapping[str, Sequence[HtmlElement]]:
    """The elements below that have the attribute, by its value, in the order of the page."""
    found: dict[str, list[HtmlElement]] = {}
    for element in part.xpath(f".//*[@{attribute}]"):
        found.setdefault(element.get(attribute), []).append(element)
    return found


def _part(article: HtmlElement, parts: Mapping[str, Sequence[HtmlElement]], note: TermNote) -> HtmlElement:
    """What the page shows of the part that the remark is about; the whole page where it shows none."""
    group, rank = note.part or ("", 0)
    shown = parts.get(group, ())
    return shown[rank - 1] if rank <= len(shown) and shown else article


def _annotate(shown: Sequence[HtmlElement], note: TermNote) -> None:
    for element in shown:
        element.classes.update({"concerned", note.severity})
    if shown:
        remark = SMALL(CLASS(f"remark {note.severity}"), note.text)
        remark.tail, shown[0].tail = shown[0].tail, None
        shown[0].addnext(remark)
