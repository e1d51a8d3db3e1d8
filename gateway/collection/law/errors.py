"""What can go wrong with penalties, limitation, insolvency, hand-over and the order block."""

from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class AgreedRateTooLowError(GatewayError):
    """An agreed late-payment rate lies below three times the legal interest rate (C. com. L441-10, II)."""

    code: ClassVar[str] = "AGREED_RATE_TOO_LOW"
    status: ClassVar[int] = 422

    def __init__(self, percent: Decimal, least: Decimal, half_year: date) -> None:
        super().__init__(
            Text(
                f"Le taux convenu de {percent} % est inférieur à trois fois l’intérêt légal, soit {least} % au "
                f"{half_year:%d/%m/%Y}.",
                f"The agreed rate of {percent} % is below three times the legal interest, {least} % on {half_year}.",
            ),
            Text(
                f"Convenez d’un taux d’au moins {least} %, ou laissez s’appliquer le taux par défaut de la loi.",
                f"Agree on at least {least} %, or let the default rate of the law hold.",
            ),
            "percent",
        )


class ProvisionalRateError(GatewayError):
    """A penalty cannot be claimed on a rate that is not known yet for its half-year."""

    code: ClassVar[str] = "PENALTY_RATE_PROVISIONAL"
    status: ClassVar[int] = 409

    def __init__(self, half_year: date) -> None:
        super().__init__(
            Text(
                f"Le taux du semestre du {half_year:%d/%m/%Y} n’est pas dans les données légales : ce montant est "
                "provisoire.",
                f"The rate of the half-year of {half_year} is not in the legal data: this amount is provisional.",
            ),
            Text(
                "Donnez ce taux par le réglage law_file, ou réclamez jusqu’à la veille de ce semestre.",
                "Give that rate by the setting law_file, or claim up to the day before that half-year.",
            ),
            half_year.isoformat(),
        )


class NothingToClaimError(GatewayError):
    """No penalty or indemnity is left to claim on an invoice."""

    code: ClassVar[str] = "NOTHING_TO_CLAIM"
    status: ClassVar[int] = 409

    def __init__(self, number: str, why: Text) -> None:
        super().__init__(
            Text(
                f"Rien à réclamer sur la facture {number} : {why.fr}",
                f"Nothing to claim on invoice {number}: {why.en}",
            ),
            Text("Il n’y a rien à faire.", "There is nothing to do."),
            number,
        )


class NothingToCorrectError(GatewayError):
    """No claim about an invoice asks for more than is due."""

    code: ClassVar[str] = "NOTHING_TO_CORRECT"
    status: ClassVar[int] = 409

    def __init__(self, number: str) -> None:
        super().__init__(
            Text(
                f"Les pénalités réclamées pour la facture {number} ne dépassent pas ce qui est dû.",
                f"The penalties claimed for invoice {number} do not exceed what is due.",
            ),
            Text(
                "Il n’y a rien à corriger ; pour renoncer à une pénalité due, abandonnez-la.",
                "There is nothing to correct; to give up a penalty that is due, waive it.",
            ),
            number,
        )


class PenaltyNotFoundError(GatewayError):
    """No claimed penalty that the asker may see has that identifier."""

    code: ClassVar[str] = "PENALTY_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, penalty_id: UUID) -> None:
        super().__init__(
            Text("Cette pénalité n’existe pas.", "This penalty does not exist."),
            Text("Revenez à la facture et vérifiez votre périmètre.", "Go back to the invoice and check your scope."),
            str(penalty_id),
        )


class PenaltySettlementError(GatewayError):
    """A payment or a waiver of a claimed penalty is not more than what is left of it, and not nothing."""

    code: ClassVar[str] = "PENALTY_SETTLEMENT_REFUSED"
    status: ClassVar[int] = 422

    def __init__(self, amount: Decimal, left: Decimal) -> None:
        super().__init__(
            Text(
                f"{amount} ne va pas sur cette pénalité, dont il reste {left}.",
                f"{amount} does not fit this penalty, of which {left} is left.",
            ),
            Text("Donnez un montant entre 0,01 et le reste.", "Give an amount between 0.01 and what is left."),
            "amount",
        )


class ReceiptCannotSettleError(GatewayError):
    """The receipt holds too little unallocated money, another currency, or is undone."""

    code: ClassVar[str] = "RECEIPT_CANNOT_SETTLE"
    status: ClassVar[int] = 422

    def __init__(self, receipt_id: UUID, free: Decimal, currency: str) -> None:
        super().__init__(
            Text(
                f"Cet encaissement n’a que {free} {currency} de non affecté.",
                f"That receipt has only {free} {currency} unallocated.",
            ),
            Text("Affectez moins, ou nommez un autre encaissement.", "Allocate less, or name another receipt."),
            str(receipt_id),
        )


class NotAReceivableError(GatewayError):
    """The matter is only for invoices that are ours to collect, not for credit notes nor for what we owe."""

    code: ClassVar[str] = "NOT_A_RECEIVABLE"
    status: ClassVar[int] = 409

    def __init__(self, number: str) -> None:
        super().__init__(
            Text(f"La facture {number} n’est pas une créance.", f"Invoice {number} is not a receivable."),
            Text("Choisissez une facture que vous avez émise.", "Choose an invoice that you issued."),
            number,
        )


class LegalFactError(GatewayError):
    """What is told of a claim or of proceedings cannot be so: a date to come, an order of dates, an unknown word."""

    code: ClassVar[str] = "LEGAL_FACT_REFUSED"
    status: ClassVar[int] = 422

    def __init__(self, what: Text, fix: Text, where: str) -> None:
        super().__init__(what, fix, where)


class LegalFactNotFoundError(GatewayError):
    """No insolvency, act, litigation or block that the asker may see has that identifier."""

    code: ClassVar[str] = "LEGAL_FACT_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, identifier: UUID) -> None:
        super().__init__(
            Text("Ce fait n’est pas enregistré.", "This fact is not recorded."),
            Text("Revenez au client et vérifiez votre périmètre.", "Go back to the customer and check your scope."),
            str(identifier),
        )


class AlreadyInForceError(GatewayError):
    """The customer is blocked or insolvent, or the invoice in litigation, already."""

    code: ClassVar[str] = "ALREADY_IN_FORCE"
    status: ClassVar[int] = 409

    def __init__(self, what: Text, where: str) -> None:
        super().__init__(what, Text("Il n’y a rien à faire.", "There is nothing to do."), where)


class HandOverTooLargeError(GatewayError):
    """A hand-over file holds at most so many invoices."""

    code: ClassVar[str] = "HAND_OVER_TOO_LARGE"
    status: ClassVar[int] = 422

    def __init__(self, count: int, most: int) -> None:
        super().__init__(
            Text(
                f"Le dossier compterait {count} factures ; il en tient {most} au plus.",
                f"The file would hold {count} invoices; it holds {most} at most.",
            ),
            Text("Faites plusieurs dossiers.", "Make several files."),
            "invoices",
        )
