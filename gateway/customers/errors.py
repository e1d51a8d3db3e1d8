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


class RefusedValueError(CustomerError):
    """A fact of a customer that is not written as it must be."""

    code: ClassVar[str] = "CUSTOMER_VALUE_REFUSED"

    def __init__(self, value: str, why: Text, fix: Text, field: str = "") -> None:
        self.value, self.why = value, why
        super().__init__(Text(f"« {value} » : {why.fr}.", f"'{value}': {why.en}."), fix, field)

    def of(self, field: str) -> "RefusedValueError":
        """The same, with the name of the field."""
        return RefusedValueError(self.value, self.why, self.fix, field)
