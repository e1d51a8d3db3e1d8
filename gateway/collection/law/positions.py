"""Where the penalties of invoices stand on a day: what has run, what becomes of it, what was claimed and paid."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.law import repository
from gateway.collection.law.debts import LateInvoice, late_invoices
from gateway.collection.law.errors import NotAReceivableError
from gateway.collection.law.model import AgreedRate, Penalty, PenaltyChoice, PenaltyKind, Treatment
from gateway.collection.law.penalties import Indemnity, RatePeriod, Sheet, indemnity_of, penalty_sheet, rates_between
from gateway.collection.law.statute import Statute
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import InvoiceRecord

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Claimed:
    """One claim: what it asked for, what money paid of it, what was given up, what was corrected: it never was due."""

    penalty: Penalty
    paid: Decimal
    waived: Decimal
    corrected: Decimal

    @property
    def asked(self) -> Decimal:
        """What it asks for, once corrected."""
        return self.penalty.amount - self.corrected

    @property
    def left(self) -> Decimal:
        """What is still owed of it."""
        return self.asked - self.paid - self.waived


@dataclass(frozen=True, slots=True)
class PenaltyPosition:
    """The penalties of one invoice on a day, whether its principal is paid or not.

    Attributes:
        sheet: the interest that has run, in the invoice's currency. indemnity: the fixed sum, or why none.
        treatment: what is to become of them, by the narrowest choice. law: the text the interest rests on.
        claimed: every claim so far, the first one first.
    """

    late: LateInvoice
    sheet: Sheet
    indemnity: Indemnity
    treatment: Treatment
    law: str
    claimed: tuple[Claimed, ...]

    @property
    def invoice(self) -> InvoiceRecord:
        """The invoice."""
        return self.late.invoice

    @property
    def interest_to_claim(self) -> Decimal:
        """Interest that has run and that no claim asked for; never negative: a claim stands."""
        return self._to_claim(PenaltyKind.INTEREST)

    @property
    def indemnity_to_claim(self) -> Decimal:
        """The fixed sum unless it was claimed: once for each invoice, and again once that claim was corrected.

        It was not due then, as the invoice seemed paid in time; it is when that payment never came.
        """
        return self._to_claim(PenaltyKind.INDEMNITY)

    @property
    def interest_excess(self) -> Decimal:
        """By how much claims ask for more interest than has run, as when money of before a claim is told after it."""
        return self.excess_of(PenaltyKind.INTEREST)

    @property
    def indemnity_excess(self) -> Decimal:
        """The fixed sum where it was claimed and is not due after all."""
        return self.excess_of(PenaltyKind.INDEMNITY)

    def excess_of(self, kind: PenaltyKind) -> Decimal:
        """By how much the claims up to the last day of the sheet exceed what is due; what was given up is not asked."""
        stands = (each for each in self.claims_of(kind) if each.penalty.until <= self.sheet.until)
        return max(ZERO, sum((each.asked - each.waived for each in stands), ZERO) - self.due_of(kind))

    def due_of(self, kind: PenaltyKind) -> Decimal:
        """What is due of a kind, claimed or not, in `currency_of` it."""
        return self.sheet.total if kind is PenaltyKind.INTEREST else self.indemnity.amount

    def currency_of(self, kind: PenaltyKind) -> str:
        """The currency of a kind."""
        return self.invoice.currency if kind is PenaltyKind.INTEREST else self.indemnity.currency

    @property
    def is_nothing(self) -> bool:
        """Nothing has run, nothing was claimed."""
        return not (self.sheet.total or self.indemnity.amount or self.claimed)

    def claims_of(self, kind: PenaltyKind) -> list[Claimed]:
        """The claims of a kind, the first one first."""
        return [each for each in self.claimed if each.penalty.kind == kind.value]

    def _to_claim(self, kind: PenaltyKind) -> Decimal:
        asked = sum((each.asked for each in self.claims_of(kind)), ZERO)
        return max(ZERO, self.due_of(kind) - asked)


def positions_of(
    session: Session, invoices: Sequence[InvoiceRecord], until: date, law: Statute
) -> list[PenaltyPosition]:
    """The penalties of these receivables up to `until`, included; some statements, whatever the number of invoices."""
    late = late_invoices(session, invoices, law)
    invoice_ids, customer_ids = [each.invoice.id for each in late], {each.customer.id for each in late}
    choices = repository.choices_for(session, customer_ids, invoice_ids)
    rates = repository.agreed_rates_for(session, customer_ids)
    claims = claimed_of(session, invoice_ids)
    found = []
    for each in late:
        first = each.due_date + _DAY
        agreed = agreed_periods(rates, each.customer.id)
        periods = rates_between(law, each.debtor, agreed, first, max(until, first))
        rule = law.penalty_rule(each.debtor, first)
        sheet = penalty_sheet(each.debt, periods, rule.year_days, until)
        indemnity = indemnity_of(
            law.indemnity_on(each.due_date), sheet, each.debtor, each.due_date, each.insolvent_since
        )
        treatment = treatment_of(choices, each.customer.id, each.invoice.id)
        found.append(
            PenaltyPosition(each, sheet, indemnity, treatment, rule.law, tuple(claims.get(each.invoice.id, ())))
        )
    return found


def position_of(session: Session, scope: Scope, invoice_id: UUID, until: date, law: Statute) -> PenaltyPosition:
    """The penalties of one invoice in scope. Raises InvoiceNotFoundError, NotAReceivableError."""
    invoice = repository.receivable_by_id(session, scope, invoice_id)
    found = positions_of(session, [invoice], until, law)
    if not found:
        raise NotAReceivableError(invoice.number)
    return found[0]


def claimed_of(session: Session, invoice_ids: Iterable[UUID]) -> dict[UUID, list[Claimed]]:
    """Every claim about these invoices, with what was paid and given up of it."""
    penalties = repository.penalties_of(session, list(invoice_ids))
    stands = standing_of(session, [penalty for each in penalties.values() for penalty in each])
    return {invoice_id: [stands[row.id] for row in rows] for invoice_id, rows in penalties.items()}


def standing_of(session: Session, penalties: Iterable[Penalty]) -> dict[UUID, Claimed]:
    """Each of these claims, by its identifier, with what was paid, given up and corrected of it."""
    rows = {row.id: row for row in penalties}
    paid, lowered = repository.paid_of_penalties(session, rows), repository.lowered_of_penalties(session, rows)
    none = repository.Lowered()
    return {
        row.id: Claimed(
            row, paid.get(row.id, ZERO), lowered.get(row.id, none).waived, lowered.get(row.id, none).corrected
        )
        for row in rows.values()
    }


def treatment_of(choices: Iterable[PenaltyChoice], customer_id: UUID, invoice_id: UUID) -> Treatment:
    """The narrowest choice, the latest of several; `announced` when nobody chose. `choices`: the oldest first. Pure."""
    latest: dict[int, str] = {}
    for choice in choices:
        if choice.invoice_id == invoice_id:
            latest[2] = choice.treatment
        elif choice.customer_id == customer_id:
            latest[1] = choice.treatment
        elif choice.customer_id is None and choice.invoice_id is None:
            latest[0] = choice.treatment
    return Treatment(latest[max(latest)]) if latest else Treatment.ANNOUNCED


def agreed_periods(rates: Iterable[AgreedRate], customer_id: UUID) -> list[RatePeriod]:
    """When which agreed rate holds: the organisation's first, the customer's after it, which wins. Pure.

    `rates`: in the order they begin, then were told; of two that begin the same day the later told holds.
    """
    by_holder: Mapping[UUID | None, dict[date, Decimal | None]] = {None: {}, customer_id: {}}
    for rate in rates:
        if rate.customer_id in by_holder:
            by_holder[rate.customer_id][rate.valid_from] = rate.percent
    periods = []
    for begun in by_holder.values():
        days = sorted(begun)
        for first, after in zip(days, [*days[1:], None], strict=False):
            percent = begun[first]
            if percent is not None:
                periods.append(RatePeriod(first, after - _DAY if after else None, percent))
    return periods
