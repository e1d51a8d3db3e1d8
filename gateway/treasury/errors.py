"""What can go wrong with money received, and with what is written off."""

from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class ReceiptError(GatewayError):
    """A receipt that cannot be recorded as told; nothing is written."""

    status: ClassVar[int] = 422


class ReceiptNotFoundError(ReceiptError):
    """No receipt of the organisation has that identifier."""

    code: ClassVar[str] = "RECEIPT_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, receipt_id: UUID) -> None:
        super().__init__(
            Text("Cet encaissement n’existe pas.", "This receipt does not exist."),
            Text(
                "Reprenez l’identifiant dans la liste des encaissements.",
                "Take the identifier from the list of receipts.",
            ),
            str(receipt_id),
        )


class ReceiptConflictError(ReceiptError):
    """Another receipt of the same source bears the same reference, with other content."""

    code: ClassVar[str] = "RECEIPT_CONFLICT"
    status: ClassVar[int] = 409

    def __init__(self, reference: str, receipt_id: UUID) -> None:
        """`receipt_id`: the receipt recorded first."""
        super().__init__(
            Text(
                f"La référence « {reference} » désigne déjà un encaissement différent ({receipt_id}).",
                f"Reference “{reference}” already names a different receipt ({receipt_id}).",
            ),
            Text(
                "Donnez à chaque encaissement sa référence ; pour corriger, annulez-le puis enregistrez-en un autre.",
                "Give each receipt a reference of its own; to correct one, reverse it and record another.",
            ),
            "reference",
        )


class ReceiptInTheFutureError(ReceiptError):
    """Money cannot have come in after today (Europe/Paris)."""

    code: ClassVar[str] = "RECEIPT_IN_THE_FUTURE"

    def __init__(self, received_on: date) -> None:
        super().__init__(
            Text(f"Le {received_on} n’est pas encore passé.", f"{received_on} has not come yet."),
            Text("Donnez le jour où l’argent est arrivé.", "Give the day the money came in."),
            "received_on",
        )


class ReceiptAmountError(ReceiptError):
    """An amount of zero, or finer than the cent."""

    code: ClassVar[str] = "RECEIPT_AMOUNT"

    def __init__(self, amount: Decimal) -> None:
        super().__init__(
            Text(
                f"{amount} n’est pas un montant reçu ou rendu, en centimes au plus fin.",
                f"{amount} is no amount received or given back, to the cent at the finest.",
            ),
            Text(
                "Donnez un montant différent de zéro, avec deux décimales au plus.",
                "Give an amount other than zero, with two decimals at most.",
            ),
            "amount",
        )


class ReceiptCurrencyError(ReceiptError):
    """The money and the invoice are in two currencies."""

    code: ClassVar[str] = "RECEIPT_CURRENCY"

    def __init__(self, number: str, currency: str, given: str) -> None:
        """`currency`: of invoice `number` (BT-5); `given`: of the receipt."""
        super().__init__(
            Text(
                f"La facture {number} est en {currency}, l’encaissement en {given}.",
                f"Invoice {number} is in {currency}, the receipt in {given}.",
            ),
            Text(
                "Enregistrez le montant dans la devise de la facture.",
                "Record the amount in the invoice’s currency.",
            ),
            "currency, BT-5",
        )


class InvoiceNotReceivableError(ReceiptError):
    """The invoice is one we pay: what we pay is not received."""

    code: ClassVar[str] = "INVOICE_NOT_RECEIVABLE"

    def __init__(self, number: str) -> None:
        super().__init__(
            Text(f"La facture {number} est à payer par nous.", f"Invoice {number} is ours to pay."),
            Text(
                "N’affectez un encaissement qu’à une facture émise.",
                "Allocate a receipt to an invoice you issued only.",
            ),
            "allocations",
        )


class AmbiguousInvoiceError(ReceiptError):
    """Several invoices bear that number, in several years or of several sellers."""

    code: ClassVar[str] = "AMBIGUOUS_INVOICE"

    def __init__(self, number: str, found: list[UUID]) -> None:
        """`found`: their identifiers."""
        choices = ", ".join(map(str, found))
        super().__init__(
            Text(f"Plusieurs factures portent le numéro {number}.", f"Several invoices bear the number {number}."),
            Text(
                f"Donnez l’identifiant de l’une d’elles : {choices}.", f"Give the identifier of one of them: {choices}."
            ),
            "BT-1",
        )


class AllocationExceedsReceiptError(ReceiptError):
    """The invoices are given more than came in, or money of the other direction."""

    code: ClassVar[str] = "ALLOCATION_EXCEEDS_RECEIPT"

    def __init__(self, allocated: Decimal, amount: Decimal) -> None:
        super().__init__(
            Text(
                f"{allocated} sont affectés aux factures, sur un encaissement de {amount}.",
                f"{allocated} is allocated to invoices, of a receipt of {amount}.",
            ),
            Text(
                "Affectez au plus le montant reçu ; le reste demeure non affecté.",
                "Allocate at most what came in; the rest stays unallocated.",
            ),
            "allocations",
        )


class AllocationExceedsInvoiceError(ReceiptError):
    """More is allocated to the invoice than is open, or more is given back than came in for it."""

    code: ClassVar[str] = "ALLOCATION_EXCEEDS_INVOICE"

    def __init__(self, number: str, amount: Decimal, most: Decimal) -> None:
        """`most`: what can be allocated to invoice `number` in that direction."""
        super().__init__(
            Text(
                f"{amount} dépassent ce que la facture {number} admet : {most}.",
                f"{amount} exceeds what invoice {number} takes: {most}.",
            ),
            Text(
                "Affectez au plus ce montant ; un trop-perçu demeure non affecté.",
                "Allocate at most this amount; an overpayment stays unallocated.",
            ),
            "allocations",
        )


class ReceiptNotReversibleError(ReceiptError):
    """The receipt is reversed already, or is itself a counter-entry."""

    code: ClassVar[str] = "RECEIPT_NOT_REVERSIBLE"
    status: ClassVar[int] = 409

    def __init__(self, receipt_id: UUID, other: UUID) -> None:
        """`other`: the receipt that reverses it, or that it reverses."""
        super().__init__(
            Text(
                f"L’encaissement est déjà annulé, ou est lui-même une annulation : voir {other}.",
                f"The receipt is reversed already, or is itself a reversal: see {other}.",
            ),
            Text("Pour le rétablir, enregistrez-le de nouveau.", "To bring it back, record it again."),
            str(receipt_id),
        )


class ReversalWithoutReasonError(ReceiptError):
    """A counter-entry says why."""

    code: ClassVar[str] = "REVERSAL_WITHOUT_REASON"

    def __init__(self) -> None:
        super().__init__(
            Text("L’annulation n’a pas de motif.", "The reversal gives no reason."),
            Text("Dites pourquoi l’encaissement est annulé.", "Say why the receipt is reversed."),
            "reason",
        )


class NoVatRateError(ReceiptError):
    """The invoice tells no VAT rate to split the money by."""

    code: ClassVar[str] = "NO_VAT_RATE"

    def __init__(self, number: str) -> None:
        super().__init__(
            Text(
                f"La facture {number} ne donne aucun montant par taux de TVA : l’encaissement ne peut être ventilé.",
                f"Invoice {number} gives no amount by VAT rate: the receipt cannot be split.",
            ),
            Text(
                "Posez le statut « Encaissée » (212) vous-même, avec le taux.",
                "Give the “Payment received” status (212) yourself, with the rate.",
            ),
            "BG-23, MDT-224",
        )


class WriteOffError(GatewayError):
    """A write-off that cannot be made or undone as asked; nothing is written."""

    status: ClassVar[int] = 422


class WriteOffNotFoundError(WriteOffError):
    """No write-off of the organisation has that identifier, or its invoice is not to be seen."""

    code: ClassVar[str] = "WRITE_OFF_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, write_off_id: UUID) -> None:
        super().__init__(
            Text("Ce passage en perte n’existe pas.", "This write-off does not exist."),
            Text(
                "Reprenez l’identifiant dans la liste des passages en perte.",
                "Take the identifier from the list of write-offs.",
            ),
            str(write_off_id),
        )


class WriteOffAmountError(WriteOffError):
    """More is to be written off than is left of the invoice, nothing at all, or less than a cent."""

    code: ClassVar[str] = "WRITE_OFF_AMOUNT"

    def __init__(self, number: str, amount: Decimal, left: Decimal) -> None:
        """`left`: what is left of invoice `number`."""
        super().__init__(
            Text(
                f"{amount} ne peut être passé en perte : il reste {left} sur la facture {number}.",
                f"{amount} cannot be written off: {left} is left of invoice {number}.",
            ),
            Text("Donnez au plus ce qui reste, en centimes.", "Give at most what is left, in cents."),
            "amount",
        )


class SmallDifferenceTooLargeError(WriteOffError):
    """More than what counts as a small difference (`schemas/treasury.toml`)."""

    code: ClassVar[str] = "SMALL_DIFFERENCE_TOO_LARGE"

    def __init__(self, amount: Decimal, most: Decimal) -> None:
        super().__init__(
            Text(f"{amount} dépasse un petit écart : {most} au plus.", f"{amount} exceeds a small difference: {most}."),
            Text("Passez-le en perte.", "Write it off as a bad debt."),
            "kind",
        )


class WriteOffWithoutReasonError(WriteOffError):
    """A write-off, and what undoes it, say why."""

    code: ClassVar[str] = "WRITE_OFF_WITHOUT_REASON"

    def __init__(self) -> None:
        super().__init__(
            Text("Le motif manque.", "The reason is missing."),
            Text("Dites pourquoi ce montant n’est plus attendu, ou l’est de nouveau.", "Say why this is decided."),
            "reason",
        )


class WriteOffNotReversibleError(WriteOffError):
    """The write-off is undone already, or is itself a counter-entry."""

    code: ClassVar[str] = "WRITE_OFF_NOT_REVERSIBLE"
    status: ClassVar[int] = 409

    def __init__(self, write_off_id: UUID, other: UUID) -> None:
        """`other`: the write-off that undoes it, or that it undoes."""
        super().__init__(
            Text(
                f"Ce passage en perte est déjà annulé, ou est lui-même une annulation : voir {other}.",
                f"The write-off is undone already, or undoes another itself: see {other}.",
            ),
            Text("Passez de nouveau en perte ce qui reste.", "Write off again what is left."),
            str(write_off_id),
        )
