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
        part: group and rank, from 1, of the repeated part it is about, such as ("BG-25", 2) for the second line; None
            for a remark on the document.
    """

    terms: tuple[str, ...]
    severity: Literal["fatal", "warning", "info"]
    text: str
    part: tuple[str, int] | None = None


def annotated(fragment: str, notes: Iterable[TermNote]) -> str:
    """The fragment of `render_html` with the remarks; one on a term that the page does not show is left out."""
    article = html.fragment_fromstring(fragment)
    for note in notes:
        _annotate(_part(article, note), note)
    return str(html.tostring(article, encoding="unicode"))


def _part(article: HtmlElement, note: TermNote) -> HtmlElement:
    """What the page shows of the part that the remark is about; the whole page where it shows none."""
    if note.part is None:
        return article
    group, rank = note.part
    shown: Sequence[HtmlElement] = article.xpath(".//*[@data-group=$group]", group=group)
    return shown[rank - 1] if rank <= len(shown) else article


def _annotate(part: HtmlElement, note: TermNote) -> None:
    shown = [element for term in note.terms for element in part.xpath(".//*[@data-term=$term]", term=term)]
    for element in shown:
        element.classes.update({"concerned", note.severity})
    if shown:
        remark = SMALL(CLASS(f"remark {note.severity}"), note.text)
        remark.tail, shown[0].tail = shown[0].tail, None
        shown[0].addnext(remark)
