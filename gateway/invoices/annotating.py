"""Remarks on an invoice, written into its readable page next to the fields they are about."""

from collections.abc import Iterable, Sequence
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
        line: rank of the invoice line from 1; None for a remark on the document.
    """

    terms: tuple[str, ...]
    severity: Literal["fatal", "warning", "info"]
    text: str
    line: int | None = None


def annotated(fragment: str, notes: Iterable[TermNote]) -> str:
    """The fragment of `render_html` with the remarks; one on a term that the page does not show is left out."""
    article = html.fragment_fromstring(fragment)
    rows: Sequence[HtmlElement] = article.xpath(".//section[@class='lines']/table/tbody/tr")
    for note in notes:
        _annotate(_part(article, rows, note.line), note)
    return str(html.tostring(article, encoding="unicode"))


def _part(article: HtmlElement, rows: Sequence[HtmlElement], line: int | None) -> HtmlElement:
    return rows[line - 1] if line is not None and line <= len(rows) else article


def _annotate(part: HtmlElement, note: TermNote) -> None:
    shown = [element for term in note.terms for element in part.xpath(".//*[@data-term=$term]", term=term)]
    for element in shown:
        element.classes.update({"concerned", note.severity})
    if shown:
        remark = SMALL(CLASS(f"remark {note.severity}"), note.text)
        remark.tail, shown[0].tail = shown[0].tail, None
        shown[0].addnext(remark)
