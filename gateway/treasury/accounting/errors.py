"""What can go wrong with a file of accounting entries."""

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class AccountingError(GatewayError):
    """A file of entries that cannot be taken as asked."""

    status: ClassVar[int] = 422


class UnreadableAccountingFileError(AccountingError):
    """A file that cannot be read at all: no known columns, or no text."""

    code: ClassVar[str] = "ACCOUNTING_FILE_UNREADABLE"

    def __init__(self, why: Text, fix: Text, where: str = "") -> None:
        super().__init__(why, fix, where)


class UnknownAuxiliaryError(AccountingError):
    """No imported entry names that customer account."""

    code: ClassVar[str] = "ACCOUNTING_ACCOUNT_UNKNOWN"
    status: ClassVar[int] = 404

    def __init__(self, account: str) -> None:
        super().__init__(
            Text("Aucune écriture importée ne porte ce compte.", "No imported entry names this account."),
            Text(
                "Reprenez le compte auxiliaire de la liste (gateway accounting accounts).",
                "Take the customer account from the list (gateway accounting accounts).",
            ),
            account,
        )


class UnknownImportError(AccountingError):
    """No import of the organisation has that identifier."""

    code: ClassVar[str] = "ACCOUNTING_IMPORT_UNKNOWN"
    status: ClassVar[int] = 404

    def __init__(self, import_id: UUID) -> None:
        super().__init__(
            Text("Cette reprise d’écritures n’existe pas.", "This import does not exist."),
            Text("Reprenez l’identifiant dans l’historique.", "Take the identifier from the history."),
            str(import_id),
        )


class OpeningNotFoundError(AccountingError):
    """No open receivable that only the books know has that identifier, or it is not to be seen."""

    code: ClassVar[str] = "OPENING_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, entry_id: UUID) -> None:
        super().__init__(
            Text("Cette créance des livres n’est pas ouverte.", "This receivable of the books is not open."),
            Text(
                "Reprenez l’identifiant de la liste (gateway accounting entries --outcome opening).",
                "Take the identifier from the list (gateway accounting entries --outcome opening).",
            ),
            str(entry_id),
        )


class OpeningPaymentError(AccountingError):
    """More than is left of the receivable, or of the receipt."""

    code: ClassVar[str] = "OPENING_PAYMENT"

    def __init__(self, number: str, amount: Decimal, most: Decimal) -> None:
        """`most`: what the receipt can pay of receivable `number`."""
        super().__init__(
            Text(
                f"{amount} ne peut payer la créance {number} : {most} au plus.",
                f"{amount} cannot pay receivable {number}: {most} at most.",
            ),
            Text("Donnez au plus ce montant.", "Give at most this amount."),
            "amount",
        )


def too_large(limit: int) -> UnreadableAccountingFileError:
    """The refusal of a file of more than `limit` bytes."""
    return UnreadableAccountingFileError(
        Text(f"Plus de {limit} octets.", f"More than {limit} bytes."),
        Text(
            "Coupez le fichier par journal ou par mois, ou prenez-le par la commande gateway accounting import.",
            "Cut the file by journal or by month, or take it by the command gateway accounting import.",
        ),
    )
