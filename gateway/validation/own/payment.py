"""How and when to pay: an account that exists, a term that the law allows."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta

from stdnum import iban

from gateway.kernel.text import Text
from gateway.validation.own.check import Case, OwnCheck, Remark
from gateway.validation.own.figures import PaymentTerm
from gateway.validation.rulebook import Who

#: What looks like an IBAN (ISO 13616); national account numbers are left alone.
_IBAN_START = re.compile(r"[A-Z]{2}\d{2}")

_WRONG_IBAN = Text(
    "L’IBAN « {value} » ({term}) n’existe pas : sa forme ou sa clé est fausse.",
    "The IBAN '{value}' ({term}) does not exist: its form or its check digits are wrong.",
)
_TOO_LATE = Text(
    "L’échéance du {due} (BT-9) dépasse le délai légal : le {latest} au plus tard, facture du {issued} ({law}).",
    "The due date {due} (BT-9) is past the statutory term: {latest} at the latest for an invoice of {issued} ({law}).",
)


def find_wrong_accounts(case: Case) -> Iterator[Remark]:
    """IBANs to pay to (BT-84) or to debit (BT-91) whose check digits are wrong."""
    for means in case.invoice.payment_means:
        paid_to = means.credit_transfer.account if means.credit_transfer else None
        debited = means.direct_debit.debited_account if means.direct_debit else None
        for term, value in (("BT-84", paid_to), ("BT-91", debited)):
            if value and _IBAN_START.match(value.upper()) and not iban.is_valid(value):
                yield Remark(_WRONG_IBAN.format(value=value, term=term), term, value)


def latest_due_date(issued: date, term: PaymentTerm) -> date:
    """The latest lawful due date: `days` after the invoice, or by the end of month counted either way."""
    return max(
        issued + timedelta(days=term.days),
        _end_of_month(issued) + timedelta(days=term.end_of_month_days),
        _end_of_month(issued + timedelta(days=term.end_of_month_days)),
    )


def find_late_due_date(case: Case) -> Iterator[Remark]:
    """A due date past the statutory term, between French companies, on an invoice."""
    invoice = case.invoice
    if invoice.due_date is None or invoice.issue_date is None or invoice.is_credit_note:
        return
    countries = {party.address.country if party.address else None for party in (invoice.seller, invoice.buyer)}
    term = case.figures.payment_term_on(invoice.issue_date)
    if countries != {"FR"} or term is None:
        return
    latest = latest_due_date(invoice.issue_date, term)
    if invoice.due_date > latest:
        dates = {"due": invoice.due_date, "latest": latest, "issued": invoice.issue_date}
        shown = {name: f"{day:%d/%m/%Y}" for name, day in dates.items()}
        yield Remark(_TOO_LATE.format(law=term.law, **shown), "BT-9")


def _end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


CHECKS = (
    OwnCheck(
        "GW-04",
        ("BT-84", "BT-91"),
        Text("Un IBAN porte une clé de contrôle juste.", "An IBAN carries right check digits."),
        Text(
            "Les règles officielles veulent un compte sans en vérifier la clé : le virement revient, ou part ailleurs.",
            "The official rules want an account and leave its check digits: the transfer comes back, or goes astray.",
        ),
        Who.SELLER,
        Text("Reprenez l’IBAN du relevé d’identité bancaire.", "Take the IBAN from the bank’s account statement."),
        find_wrong_accounts,
    ),
    OwnCheck(
        "GW-08",
        ("BT-9", "BT-2"),
        Text(
            "Entre entreprises françaises, l’échéance respecte le délai légal de paiement : 60 jours, ou 45 jours fin "
            "de mois.",
            "Between French companies the due date keeps to the statutory term: 60 days, or 45 days end of month.",
        ),
        Text(
            "Aucune règle officielle ne compare l’échéance à la loi ; un délai trop long expose à une amende et "
            "retarde l’encaissement. Des dérogations sectorielles existent (art. L441-11).",
            "No official rule compares the due date with the law; a longer term risks a fine and delays the cash. "
            "Some sectors have their own terms (art. L441-11).",
        ),
        Who.SELLER,
        Text("Ramenez l’échéance au délai légal.", "Bring the due date back to the statutory term."),
        find_late_due_date,
    ),
)
