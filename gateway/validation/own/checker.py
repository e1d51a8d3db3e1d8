"""The layer of the gateway's own checks."""

from collections.abc import Iterable
from contextlib import ExitStack

from gateway.invoices.errors import UnreadableInvoiceError
from gateway.invoices.reading import invoice_of
from gateway.kernel.text import Text
from gateway.validation.catalog import Artefact
from gateway.validation.errors import UnknownOwnCheckError
from gateway.validation.layers import Outcome, Subject
from gateway.validation.own import dates, identifiers, notes, parties, payment, pdf, vat
from gateway.validation.own.check import Case, OwnCheck, Remark
from gateway.validation.own.dates import without_impossible_dates
from gateway.validation.own.figures import own_figures
from gateway.validation.places import Place, Places
from gateway.validation.report import Finding, make_finding
from gateway.validation.rulebook import remedy
from gateway.validation.unreadable import unreadable_finding

#: Every own check, in the order of the ids.
OWN_CHECKS: tuple[OwnCheck, ...] = tuple(
    sorted(
        (check for module in (dates, identifiers, notes, parties, payment, pdf, vat) for check in module.CHECKS),
        key=lambda check: check.id,
    )
)
_UNREADABLE = Text("la facture ne se lit pas : {why}", "the invoice cannot be read: {why}")


class OwnChecker:
    """Runs the own checks that are switched on. No finding of theirs is fatal: it never keeps an invoice from leaving.

    An invoice with a value that the gateway cannot read fails the layer: it could be validated, but not followed.
    """

    def check(self, subject: Subject, artefact: Artefact) -> Outcome:
        """The remarks of all checks, in the order of the checks."""
        document, limits = subject.document, subject.options.reading
        try:
            invoice = invoice_of(without_impossible_dates(document), limits)
        except UnreadableInvoiceError as error:
            why = Text(_UNREADABLE.fr.format(why=error.what.fr), _UNREADABLE.en.format(why=error.what.en))
            return Outcome([unreadable_finding(error, artefact.layer)], why)
        with ExitStack() as opened:
            case = Case(document, invoice, own_figures(subject.options.law_file), limits, opened)
            return Outcome(
                [
                    _finding(check, remark, artefact, subject)
                    for check in OWN_CHECKS
                    if check.id not in subject.options.own_checks_off
                    for remark in check.find(case)
                ]
            )


def require_known_checks(ids: Iterable[str]) -> frozenset[str]:
    """The ids, each of which must be one of ours. Raises UnknownOwnCheckError."""
    known = [check.id for check in OWN_CHECKS]
    for name in ids:
        if name not in known:
            raise UnknownOwnCheckError(name, known)
    return frozenset(ids)


def _finding(check: OwnCheck, remark: Remark, artefact: Artefact, subject: Subject) -> Finding:
    place = _place(remark, subject.places)
    return make_finding(
        rule=check.id,
        layer=artefact.layer,
        severity=remark.severity,
        location=place.path if place else "/",
        line=place.line if place else None,
        terms=(remark.term,) if remark.term else check.terms,
        message=remark.what.en,
        explanation=remark.what,
        fix=remark.fix or remedy(check.fix, check.who),
    )


def _place(remark: Remark, places: Places) -> Place | None:
    if remark.element is not None:
        return places.of(remark.element)
    return places.with_term(remark.term, remark.value) if remark.term else None
