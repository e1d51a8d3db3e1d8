"""What can go wrong with promises, disputes and instalment plans."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class AgreementError(GatewayError):
    """A promise, dispute or plan that cannot be recorded as told; nothing is written."""

    status: ClassVar[int] = 422


class PromiseNotFoundError(AgreementError):
    """No promise that the asker may see has that identifier."""

    code: ClassVar[str] = "PROMISE_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, promise_id: UUID) -> None:
        super().__init__(
            Text("Cette promesse n’existe pas.", "This promise does not exist."),
            Text(
                "Reprenez l’identifiant dans la liste des promesses et vérifiez votre périmètre.",
                "Take the identifier from the list of promises and check what you may see.",
            ),
            str(promise_id),
        )


class DisputeNotFoundError(AgreementError):
    """No dispute that the asker may see has that identifier."""

    code: ClassVar[str] = "DISPUTE_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, dispute_id: UUID) -> None:
        super().__init__(
            Text("Ce litige n’existe pas.", "This dispute does not exist."),
            Text(
                "Reprenez l’identifiant dans la liste des litiges et vérifiez votre périmètre.",
                "Take the identifier from the list of disputes and check what you may see.",
            ),
            str(dispute_id),
        )


class PlanNotFoundError(AgreementError):
    """No instalment plan that the asker may see has that identifier."""

    code: ClassVar[str] = "PLAN_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, plan_id: UUID) -> None:
        super().__init__(
            Text("Cet échéancier n’existe pas.", "This plan does not exist."),
            Text(
                "Reprenez l’identifiant dans la liste des échéanciers et vérifiez votre périmètre.",
                "Take the identifier from the list of plans and check what you may see.",
            ),
            str(plan_id),
        )


class NoAmountError(AgreementError):
    """An amount is a positive number of cents."""

    code: ClassVar[str] = "AGREEMENT_AMOUNT"

    def __init__(self, amount: Decimal) -> None:
        super().__init__(
            Text(
                f"{amount} n’est pas un montant qui se promet, se conteste ou s’échelonne.",
                f"{amount} is no amount to promise, dispute or spread.",
            ),
            Text(
                "Donnez un montant TTC positif, au centime près.",
                "Give a positive amount with VAT, in whole cents.",
            ),
            "amount",
        )


class NothingOpenError(AgreementError):
    """Nothing is left to pay of what is named."""

    code: ClassVar[str] = "NOTHING_OPEN"

    def __init__(self) -> None:
        super().__init__(
            Text("Il ne reste rien à payer.", "Nothing is left to pay."),
            Text(
                "Nommez des factures ouvertes du client, dans une seule devise.",
                "Name open invoices of the customer, in one currency.",
            ),
            "invoices",
        )


class InvoiceOfAnotherError(AgreementError):
    """An invoice is not one of the customer's open receivables in that currency."""

    code: ClassVar[str] = "INVOICE_OF_ANOTHER"

    def __init__(self, numbers: Iterable[str]) -> None:
        named = ", ".join(numbers)
        super().__init__(
            Text(
                f"Ces factures ne sont pas des créances ouvertes d’un même client, dans une même devise : {named}.",
                f"These invoices are not open receivables of one customer in one currency: {named}.",
            ),
            Text(
                "Faites une promesse ou un échéancier par client et par devise, sur des factures ouvertes.",
                "Make one promise or plan for each customer and currency, over open invoices.",
            ),
            "invoices",
        )


class InvoicePlannedError(AgreementError):
    """An invoice is in another plan that runs."""

    code: ClassVar[str] = "INVOICE_PLANNED"
    status: ClassVar[int] = 409

    def __init__(self, number: str, plan_id: UUID) -> None:
        super().__init__(
            Text(
                f"La facture {number} est déjà dans l’échéancier {plan_id}.",
                f"Invoice {number} is in plan {plan_id} already.",
            ),
            Text(
                "Annulez cet échéancier d’abord, ou laissez cette facture de côté.",
                "Cancel that plan first, or leave this invoice out.",
            ),
            "invoices",
        )


class PromiseInThePastError(AgreementError):
    """A promise is for today or later (Europe/Paris)."""

    code: ClassVar[str] = "PROMISE_IN_THE_PAST"

    def __init__(self, due_on: date) -> None:
        super().__init__(
            Text(f"Le {due_on} est déjà passé.", f"{due_on} has passed already."),
            Text("Donnez le jour pour lequel le client promet.", "Give the day the customer promises for."),
            "due_on",
        )


class PromiseExceedsError(AgreementError):
    """More is promised than is left to pay of the invoices."""

    code: ClassVar[str] = "PROMISE_EXCEEDS"

    def __init__(self, amount: Decimal, owed: Decimal) -> None:
        super().__init__(
            Text(
                f"{amount} promis, alors qu’il reste {owed} à payer.",
                f"{amount} promised, while {owed} is left to pay.",
            ),
            Text("Nommez d’autres factures, ou baissez le montant.", "Name other invoices, or lower the amount."),
            "amount",
        )


class DisputeExceedsError(AgreementError):
    """More is contested than is left to pay beside the open disputes."""

    code: ClassVar[str] = "DISPUTE_EXCEEDS"

    def __init__(self, amount: Decimal, free: Decimal) -> None:
        super().__init__(
            Text(
                f"{amount} contestés, alors que {free} seulement restent à payer sans l’être déjà.",
                f"{amount} disputed, while only {free} is left to pay and not disputed yet.",
            ),
            Text(
                "Baissez le montant, ou contestez toute la facture.",
                "Lower the amount, or dispute the whole invoice.",
            ),
            "amount",
        )


class AlreadyDisputedError(AgreementError):
    """All that is left to pay of the invoice is disputed."""

    code: ClassVar[str] = "ALREADY_DISPUTED"
    status: ClassVar[int] = 409

    def __init__(self) -> None:
        super().__init__(
            Text(
                "Tout ce qui reste à payer de cette facture est déjà contesté.",
                "All that is left to pay of this invoice is disputed already.",
            ),
            Text("Écrivez dans le litige ouvert.", "Write in the open dispute."),
            "invoice_id",
        )


class UnknownReasonError(AgreementError):
    """A reason of a dispute is a published code of the lifecycle or one of our categories."""

    code: ClassVar[str] = "UNKNOWN_DISPUTE_REASON"

    def __init__(self, reason: str, categories: Iterable[str]) -> None:
        known = ", ".join(categories)
        super().__init__(
            Text(f"« {reason} » n’est pas un motif de litige.", f"“{reason}” is no reason of a dispute."),
            Text(
                f"Donnez un code motif du cycle de vie (MDT-113) ou l’une de nos catégories : {known}.",
                f"Give a reason code of the lifecycle (MDT-113) or one of our categories: {known}.",
            ),
            "reason",
        )


class UnknownOwnerError(AgreementError):
    """The owner of a dispute is an active person of the organisation."""

    code: ClassVar[str] = "UNKNOWN_OWNER"

    def __init__(self, owner: str) -> None:
        super().__init__(
            Text("Cette personne n’est pas de l’organisation.", "This person is not of the organisation."),
            Text(
                "Donnez une personne active (gateway users list).",
                "Give an active person (gateway users list).",
            ),
            owner,
        )


class UnknownTeamError(AgreementError):
    """A dispute is settled by one of the teams that alerts name."""

    code: ClassVar[str] = "UNKNOWN_TEAM"

    def __init__(self, team: str) -> None:
        super().__init__(
            Text(f"L’équipe « {team} » n’existe pas.", f"There is no team “{team}”."),
            Text(
                "Donnez billing, sales, logistics, treasury, order_desk ou ar.",
                "Give billing, sales, logistics, treasury, order_desk or ar.",
            ),
            "team",
        )


class NotOpenError(AgreementError):
    """What is over can no longer change."""

    code: ClassVar[str] = "AGREEMENT_OVER"
    status: ClassVar[int] = 409

    def __init__(self, agreement_id: UUID, state: str) -> None:
        super().__init__(
            Text(f"C’est déjà terminé : {state}.", f"This is over already: {state}."),
            Text("Enregistrez-en un nouveau, ou rouvrez le litige.", "Record a new one, or reopen the dispute."),
            str(agreement_id),
        )


class DisputeOpenError(AgreementError):
    """Only a closed dispute can be reopened."""

    code: ClassVar[str] = "DISPUTE_OPEN"
    status: ClassVar[int] = 409

    def __init__(self, dispute_id: UUID) -> None:
        super().__init__(
            Text("Ce litige est encore ouvert.", "This dispute is still open."),
            Text("Écrivez-y un message.", "Write a message in it."),
            str(dispute_id),
        )


class WithoutWordsError(AgreementError):
    """A cancellation, a settlement, a reopening or a message says something."""

    code: ClassVar[str] = "WITHOUT_WORDS"

    def __init__(self) -> None:
        super().__init__(
            Text("Il faut dire pourquoi.", "Say why."),
            Text("Écrivez une phrase : elle reste dans l’historique.", "Write a sentence: it stays in the history."),
            "text",
        )


class InstalmentInThePastError(AgreementError):
    """An instalment is due today or later (Europe/Paris)."""

    code: ClassVar[str] = "INSTALMENT_IN_THE_PAST"

    def __init__(self, due_on: date) -> None:
        super().__init__(
            Text(f"L’échéance du {due_on} est déjà passée.", f"The instalment of {due_on} has passed already."),
            Text("Commencez l’échéancier aujourd’hui ou plus tard.", "Begin the plan today or later."),
            "instalments",
        )


class InstalmentsOutOfOrderError(AgreementError):
    """Each instalment comes after the one before."""

    code: ClassVar[str] = "INSTALMENTS_OUT_OF_ORDER"

    def __init__(self) -> None:
        super().__init__(
            Text("Deux échéances ont le même jour, ou reculent.", "Two instalments share a day, or go back in time."),
            Text("Donnez les échéances dans l’ordre des jours.", "Give the instalments in the order of their days."),
            "instalments",
        )


class PlanSumError(AgreementError):
    """The instalments add up to what is left to pay of the invoices, to the cent."""

    code: ClassVar[str] = "PLAN_SUM"

    def __init__(self, total: Decimal, owed: Decimal) -> None:
        super().__init__(
            Text(
                f"Les échéances font {total}, alors qu’il reste {owed} à payer.",
                f"The instalments add up to {total}, while {owed} is left to pay.",
            ),
            Text("Répartissez exactement ce qui reste à payer.", "Spread exactly what is left to pay."),
            "instalments",
        )
