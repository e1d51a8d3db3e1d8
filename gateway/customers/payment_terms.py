"""Agreed payment terms: how they are written, the due date they give, whether the law allows them. Pure.

The caps are dated data, see `statutory_terms`. "End of month" has two readings, and both are lawful (C. com. L441-10
I): so many days, then the end of that month (`45 FDM`), or the end of the month, then so many days (`FDM 45`).
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from gateway.customers.errors import RefusedValueError
from gateway.customers.statutory_terms import PublicTerm, StatutoryTerms
from gateway.kernel.text import Text
from gateway.validation.own.figures import PaymentTerm

_WRITTEN = re.compile(
    r"(?P<before>FDM|EOM)?\+?(?P<days>\d{1,3})(?:J|JOURS?|D|DAYS?)?(?:NETS?)?(?P<after>FDM|EOM|FINDEMOIS)?"
    r"(?P<periodic>P|PERIODIQUE|PERIODIC)?"
)
_LONGEST = 365


class TermKind(StrEnum):
    """From when the days count."""

    #: From the issue date.
    NET = "net"
    #: From the issue date, then to the end of the month reached.
    DAYS_THEN_END_OF_MONTH = "days_then_end_of_month"
    #: From the end of the month of issue.
    END_OF_MONTH_THEN_DAYS = "end_of_month_then_days"


class Lawfulness(StrEnum):
    """What the law says of a term."""

    LAWFUL = "lawful"
    #: It depends on something that is not known here.
    DOUBTFUL = "doubtful"
    UNLAWFUL = "unlawful"

    @property
    def label(self) -> Text:
        """What is shown beside the term."""
        return _LAWFULNESS_LABELS[self]


_LAWFULNESS_LABELS = {
    Lawfulness.LAWFUL: Text("conforme", "lawful"),
    Lawfulness.DOUBTFUL: Text("à vérifier", "to be checked"),
    Lawfulness.UNLAWFUL: Text("hors la loi", "past the law"),
}


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """So many days, counted in one of three ways; `periodic`: for invoices that sum up several deliveries."""

    days: int
    kind: TermKind = TermKind.NET
    periodic: bool = False

    def __str__(self) -> str:
        written = {
            TermKind.NET: f"{self.days}",
            TermKind.DAYS_THEN_END_OF_MONTH: f"{self.days} FDM",
            TermKind.END_OF_MONTH_THEN_DAYS: f"FDM {self.days}",
        }[self.kind]
        return f"{written} P" if self.periodic else written

    @property
    def label(self) -> Text:
        """The term for people."""
        label = {
            TermKind.NET: Text(f"{self.days} jours nets", f"{self.days} days net"),
            TermKind.DAYS_THEN_END_OF_MONTH: Text(
                f"{self.days} jours puis fin de mois", f"{self.days} days, then end of month"
            ),
            TermKind.END_OF_MONTH_THEN_DAYS: Text(
                f"fin de mois puis {self.days} jours", f"end of month, then {self.days} days"
            ),
        }[self.kind]
        return Text(f"{label.fr}, facture périodique", f"{label.en}, periodic invoice") if self.periodic else label

    def due_date(self, issued: date) -> date:
        """The last day to pay an invoice issued then."""
        days = timedelta(days=self.days)
        if self.kind is TermKind.NET:
            return issued + days
        if self.kind is TermKind.DAYS_THEN_END_OF_MONTH:
            return _end_of_month(issued + days)
        return _end_of_month(issued) + days


@dataclass(frozen=True, slots=True)
class TermVerdict:
    """What the law says of a term, and why, with the article."""

    lawfulness: Lawfulness
    reason: Text


def read_payment_terms(written: str) -> PaymentTerms:
    """`30`, `30 jours`, `45 FDM`, `45 jours fin de mois`, `FDM+45`, `45 P`… Raises RefusedValueError."""
    compact = re.sub(r"[\s.,]", "", written.upper()).replace("É", "E")
    found = _WRITTEN.fullmatch(compact)
    if found is None or int(found["days"]) > _LONGEST or (found["before"] and found["after"]):
        raise RefusedValueError(
            written,
            Text("Ce n’est pas un délai de paiement", "This is no payment term"),
            Text(
                "Écrivez 30 (jours), 45 FDM (45 jours puis fin de mois), FDM 45 (fin de mois puis 45 jours), "
                "ou 45 P (facture périodique).",
                "Write 30 (days), 45 EOM (45 days, then end of month), EOM 45 (end of month, then 45 days), "
                "or 45 P (periodic invoice).",
            ),
        )
    kind = TermKind.NET
    if found["after"]:
        kind = TermKind.DAYS_THEN_END_OF_MONTH
    elif found["before"]:
        kind = TermKind.END_OF_MONTH_THEN_DAYS
    return PaymentTerms(int(found["days"]), kind, bool(found["periodic"]))


def check_payment_terms(
    terms: PaymentTerms, on: date, law: StatutoryTerms, *, is_public: bool, is_consumer: bool = False
) -> TermVerdict:
    """Whether the law in force `on` that day allows the term; a sector may have its own (C. com. L441-11)."""
    if is_consumer:
        return TermVerdict(
            Lawfulness.LAWFUL,
            Text("La loi ne plafonne pas le délai d’un consommateur.", "The law caps no term of a consumer."),
        )
    return _check_public(terms, law.public_on(on)) if is_public else _check_business(terms, law.business_on(on), on)


def _check_business(terms: PaymentTerms, cap: PaymentTerm | None, on: date) -> TermVerdict:
    if cap is None:
        return TermVerdict(Lawfulness.DOUBTFUL, Text(f"Plafond inconnu au {on:%d/%m/%Y}.", f"No cap is known on {on}."))
    if terms.periodic:
        most, counted = cap.periodic_days, Text("facture périodique", "periodic invoice")
        within = terms.kind is TermKind.NET and terms.days <= most
    elif terms.kind is TermKind.NET:
        most, counted = cap.days, Text("date d’émission", "date of issue")
        within = terms.days <= most
    else:
        most, counted = cap.end_of_month_days, Text("fin de mois", "end of month")
        within = terms.days <= most
    if within:
        return TermVerdict(
            Lawfulness.LAWFUL,
            Text(
                f"Au plus {most} jours ({counted.fr}) : {cap.law}.", f"At most {most} days ({counted.en}): {cap.law}."
            ),
        )
    return TermVerdict(
        Lawfulness.UNLAWFUL,
        Text(
            f"{terms.label.fr} dépasse le plafond de {most} jours ({counted.fr}) : {cap.law}.",
            f"{terms.label.en} is past the cap of {most} days ({counted.en}): {cap.law}.",
        ),
    )


def _check_public(terms: PaymentTerms, cap: PublicTerm) -> TermVerdict:
    usual, longest = min(cap.days.values()), max(cap.days.values())
    if terms.kind is not TermKind.NET or terms.days > longest:
        return TermVerdict(
            Lawfulness.UNLAWFUL,
            Text(
                f"Un acheteur public paie en {usual} jours au plus ({longest} pour certains) : {cap.law}.",
                f"A public buyer pays within {usual} days ({longest} for some): {cap.law}.",
            ),
        )
    if terms.days > usual:
        return TermVerdict(
            Lawfulness.DOUBTFUL,
            Text(
                f"Plus de {usual} jours : réservé aux établissements de santé et aux entreprises publiques "
                f"({cap.law}).",
                f"More than {usual} days: for health establishments and public companies only ({cap.law}).",
            ),
        )
    return TermVerdict(
        Lawfulness.LAWFUL, Text(f"Au plus {usual} jours : {cap.law}.", f"At most {usual} days: {cap.law}.")
    )


def _end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
