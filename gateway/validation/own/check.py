"""What an own check is, what it is given and what it gives back."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lxml import etree

from gateway.invoices.limits import ReadingLimits
from gateway.invoices.model import Invoice
from gateway.invoices.reading import Document
from gateway.kernel.text import Text
from gateway.validation.own.figures import Figures
from gateway.validation.report import Severity
from gateway.validation.rulebook import Who

if TYPE_CHECKING:  # loaded only for a PDF, since loading takes longer than checking
    from pypdf import PdfReader


@dataclass(frozen=True)
class Case:
    """An invoice under examination.

    Attributes:
        opened: closes what the checks have opened.
    """

    document: Document
    invoice: Invoice
    figures: Figures
    limits: ReadingLimits
    opened: ExitStack

    @cached_property
    def pdf(self) -> "PdfReader":
        """The PDF of a Factur-X invoice, opened once for all checks; any exception may come out of a damaged one."""
        from gateway.invoices.pdf import opened_pdf

        return self.opened.enter_context(opened_pdf(self.document.data, self.limits))


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that a check has to say.

    Attributes:
        what: what is wrong, with the value seen.
        term: the business term it is about.
        value: that term's text in the document, by which its place is found.
        element: the place itself, when the check has it at hand.
        severity: a warning, or for what could not be examined an information.
        fix: how to mend it, where that is not the remedy of the check.
    """

    what: Text
    term: str | None = None
    value: str | None = None
    element: etree._Element | None = None
    severity: Severity = Severity.WARNING
    fix: Text | None = None


@dataclass(frozen=True, slots=True)
class OwnCheck:
    """One check.

    Attributes:
        id: GW-01 and so on; never given to another check.
        terms: every business term it looks at.
        wants: what it asks of an invoice.
        why: what goes wrong otherwise, and why no official rule says so.
        who: who usually mends it.
        fix: how.
        find: the check itself, a pure function.
    """

    id: str
    terms: tuple[str, ...]
    wants: Text
    why: Text
    who: Who
    fix: Text
    find: Callable[[Case], Iterable[Remark]]
