"""The readable invoice as PDF/A: what the readable page shows, laid out for paper.

The page of `rendering` is the one list of what an invoice shows: its structure is followed, so that both show the same.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from pathlib import Path

from lxml import html
from lxml.html import HtmlElement

from gateway.invoices.model import Invoice
from gateway.invoices.rendering import render_html
from gateway.kernel.text import Language
from gateway.kernel.typesetting import typeset

_TEMPLATE = Path(__file__).parent / "templates" / "invoice.typ"
_UNDATED = datetime(2000, 1, 1, 12, tzinfo=UTC)
_BLOCKS = frozenset({"article", "header", "section", "div", "dl", "table", "ul", "p", "h1", "h2"})
_Block = dict[str, object]


def render_pdf(invoice: Invoice, language: Language = "fr") -> bytes:
    """The invoice as PDF/A-3b; the same invoice gives the same bytes."""
    page = html.fragment_fromstring(render_html(invoice, language))
    at = datetime.combine(invoice.issue_date, time(12), UTC) if invoice.issue_date else _UNDATED
    values = {"language": language, "title": invoice.number or "—", "blocks": list(_blocks(page))}
    return typeset(_TEMPLATE, values, at=at)


def _blocks(element: HtmlElement) -> Iterator[_Block]:
    """The blocks of an element, in the order of the page."""
    for child in element:
        if child.tag == "h1":
            yield {"kind": "title", "text": _text(child)}
        elif child.tag == "h2":
            yield {"kind": "heading", "text": _text(child)}
        elif child.tag == "dl":
            yield {"kind": "pairs", "pairs": list(_pairs(child))}
        elif child.tag == "table":
            yield _table(child)
        elif child.tag == "ul":
            for each in child.iter("li"):
                yield {"kind": "text", "text": f"– {_text(each)}"}
        elif child.tag == "div" and "columns" in child.get("class", "").split():
            yield {"kind": "columns", "columns": [list(_blocks(each)) for each in child]}
        elif any(each.tag in _BLOCKS for each in child):
            yield from _blocks(child)
        elif _text(child):
            yield {"kind": "text", "text": _text(child)}


def _table(table: HtmlElement) -> _Block:
    rows = [list(row) for row in table.iter("tr")]
    widest = max((len(row) for row in rows), default=0)
    is_figure = [any(_is_figure(row[place]) for row in rows if place < len(row)) for place in range(widest)]
    heads = [[_cell(each) for each in row] for row in rows if row and row[0].getparent().getparent().tag == "thead"]
    return {
        "kind": "table",
        "figures": is_figure,
        "head": heads[0] if heads else [],
        "rows": [[_cell(each) for each in row] + [""] * (widest - len(row)) for row in rows[len(heads) :]],
    }


def _is_figure(cell: HtmlElement) -> bool:
    return "figure" in cell.get("class", "").split()


def _cell(cell: HtmlElement) -> str:
    """What a cell shows, a line for each block in it."""
    return "\n".join(each for each in _lines(cell) if each)


def _lines(element: HtmlElement) -> Iterator[str]:
    if not any(each.tag in _BLOCKS for each in element):
        yield _text(element)
        return
    inline = [element.text or ""]
    for child in element:
        if child.tag not in _BLOCKS:
            inline.append(child.text_content())
        else:
            yield _squeezed(inline)
            inline = []
            yield from (f"{title} : {said}" for title, said in _pairs(child)) if child.tag == "dl" else _lines(child)
        inline.append(child.tail or "")
    yield _squeezed(inline)


def _pairs(listing: HtmlElement) -> Iterator[tuple[str, str]]:
    title = ""
    for child in listing:
        if child.tag == "dt":
            title = _text(child)
        elif child.tag == "dd":
            yield title, _text(child)


def _text(element: HtmlElement) -> str:
    return _squeezed([element.text_content()])


def _squeezed(pieces: Iterable[str]) -> str:
    """Without the blanks of the source; those that may not break stay."""
    return " ".join(word for word in "".join(pieces).replace("\n", " ").split(" ") if word.strip())
