"""What can go wrong with customers."""

from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class CustomerError(GatewayError):
    """Something about a customer that cannot be done as asked; nothing is written."""

    status: ClassVar[int] = 422


class CustomerNotFoundError(CustomerError):
    """No customer that the asker may see has that identifier or key."""

    code: ClassVar[str] = "CUSTOMER_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, asked: str) -> None:
        super().__init__(
            Text("Ce client n'existe pas.", "This customer does not exist."),
            Text(
                "Reprenez l'identifiant ou la clé dans la liste des clients, et vérifiez votre périmètre.",
                "Take the identifier or the key from the list of customers, and check what you may see.",
            ),
            asked,
        )


class UnreadablePaymentTermsError(CustomerError):
    """A payment term that is written in no known way."""

    code: ClassVar[str] = "PAYMENT_TERMS_UNREADABLE"

    def __init__(self, written: str) -> None:
        super().__init__(
            Text(f"« {written} » n'est pas un délai de paiement.", f"'{written}' is no payment term."),
            Text(
                "Écrivez 30 (jours), 45 FDM (45 jours puis fin de mois), FDM 45 (fin de mois puis 45 jours), "
                "ou 45 P (facture périodique).",
                "Write 30 (days), 45 EOM (45 days, then end of month), EOM 45 (end of month, then 45 days), "
                "or 45 P (periodic invoice).",
            ),
            written,
        )


class EmptyNoteError(CustomerError):
    """A note without text."""

    code: ClassVar[str] = "CUSTOMER_NOTE_EMPTY"

    def __init__(self) -> None:
        super().__init__(
            Text("La note est vide.", "The note is empty."),
            Text("Écrivez ce qu'il faut retenir de ce client.", "Write what is to be kept in mind of this customer."),
        )


class UnreadableCustomerFileError(CustomerError):
    """A file of customers that cannot be read at all: no table, no known column, too long."""

    code: ClassVar[str] = "CUSTOMER_FILE_UNREADABLE"

    def __init__(self, why: Text, fix: Text, where: str = "") -> None:
        super().__init__(why, fix, where)


class CustomerImportRefusedError(CustomerError):
    """Rows of a file of customers were refused, so that nothing of it was taken."""

    code: ClassVar[str] = "CUSTOMER_IMPORT_REFUSED"

    def __init__(self, refused: int) -> None:
        super().__init__(
            Text(
                f"{refused} ligne(s) refusée(s) : rien n'est écrit.", f"{refused} row(s) refused: nothing is written."
            ),
            Text(
                "Corrigez-les, ou demandez d'importer le reste sans elles.",
                "Mend them, or ask to import the rest without them.",
            ),
        )
