"""The readable page of an invoice, in French or in English, complete and printable.

Every value carries its business term as a tooltip and as `data-term`, so that a page can lead from a finding of
validation to its place. Everything from the document is escaped, and no address in it becomes a link.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from functools import cache

from babel.numbers import format_currency, format_decimal
from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.invoices.annotating import TermNote, annotated
from gateway.invoices.codes import CodeList, label
from gateway.invoices.mapping import MAX_DIGITS
from gateway.invoices.model import Invoice
from gateway.invoices.terms import Part, terms_of
from gateway.kernel.sayer import LOCALES, Sayer
from gateway.kernel.text import Language, Text

#: Every decimal that a document may hold is shown; amounts show two at least.
_EXACT = "#,##0." + "#" * MAX_DIGITS
_AMOUNT = "#,##0.00" + "#" * (MAX_DIGITS - 2)
_NO_BREAK_SPACE = "\u00a0"
#: Enough for babel to lay the longest number out on the longest pattern.
_PRECISION = 2 * MAX_DIGITS


def render_html(invoice: Invoice, language: Language = "fr", findings: Sequence[TermNote] = ()) -> str:
    """The invoice as a fragment, `<article class="invoice">…`, to stand in a page that has `stylesheet()`.

    `findings` stand next to the fields they are about.
    """
    fragment = _rendered("invoice.html", language, invoice=invoice)
    return annotated(fragment, findings) if findings else fragment


@cache
def stylesheet() -> str:
    """The CSS of the fragment, for screen and print."""
    return _rendered("invoice.css", "fr")


def _rendered(template: str, language: Language, **values: object) -> str:
    with localcontext(prec=_PRECISION):
        return _environment(language).get_template(template).render(**values)


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("gateway.invoices"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    locale = LOCALES[language]
    environment.globals.update(language=language, t=_chooser(language), term_of=_term_of, named=_namer(language))
    environment.filters.update(
        amount=lambda value, currency: _amount(value, currency, locale),
        number=lambda value: _number(value, locale),
        percent=lambda value: _number(value, locale) + _NO_BREAK_SPACE + "%",
        day=Sayer(language).day,
    )
    return environment


def _chooser(language: Language) -> Callable[[str, str], str]:
    return lambda fr, en: Text(fr, en).on_page(language)


def _namer(language: Language) -> Callable[[CodeList, str], str]:
    """The label of a code, or the code itself when the list does not name it."""

    def named(code_list: CodeList, code: str) -> str:
        known = label(code_list, code)
        return known.on_page(language) if known else code

    return named


def _term_of(part: Part, field: str) -> str:
    return terms_of(type(part))[field]


def _amount(value: Decimal, currency: str, locale: str) -> str:
    if not currency:
        return format_decimal(value, _AMOUNT, locale, decimal_quantization=False)
    pattern = f"{_AMOUNT}{_NO_BREAK_SPACE}¤"
    return format_currency(value, currency, pattern, locale, currency_digits=False, decimal_quantization=False)


def _number(value: Decimal, locale: str) -> str:
    return format_decimal(value, _EXACT, locale, decimal_quantization=False)
