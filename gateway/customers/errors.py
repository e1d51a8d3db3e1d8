"""What can go wrong with customers."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class CustomerError(GatewayError):
    """Something about a customer that cannot be done as asked; nothing is written."""

    status: ClassVar[int] = 422


class LawFileError(GatewayError):
    """The file that the setting `law_file` names cannot be read, or says something that the gateway cannot use."""

    code: ClassVar[str] = "LAW_FILE_INVALID"

    def __init__(self, file: str, fault: str) -> None:
        super().__init__(
            Text(f"Les données légales ne se lisent pas : {fault}.", f"The legal data cannot be read: {fault}."),
            Text(
                "Donnez un fichier de la même forme que schemas/collection-law.toml.",
                "Give a file of the same form as schemas/collection-law.toml.",
            ),
            file,
        )


class CustomerNotFoundError(CustomerError):
    """No customer that the asker may see has that identifier or key."""

    code: ClassVar[str] = "CUSTOMER_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, asked: str) -> None:
        super().__init__(
            Text("Ce client n’existe pas.", "This customer does not exist."),
            Text(
                "Reprenez l’identifiant ou la clé dans la liste des clients, et vérifiez votre périmètre.",
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
            Text("Écrivez ce qu’il faut retenir de ce client.", "Write what is to be kept in mind of this customer."),
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


class UnknownCollectorError(RefusedValueError):
    """Nobody of the organisation has the e-mail address of a collector."""

    code: ClassVar[str] = "CUSTOMER_COLLECTOR_UNKNOWN"

    def __init__(self, email: str) -> None:
        super().__init__(
            email,
            Text("Personne n’a cette adresse ici", "Nobody here has this address"),
            Text(
                "Créez la personne (gateway users add), ou corrigez.", "Add the person (gateway users add), or mend it."
            ),
            "collector",
        )


class ContactWithoutNameError(RefusedValueError):
    """A contact that bears no name."""

    code: ClassVar[str] = "CUSTOMER_CONTACT_NAMELESS"

    def __init__(self) -> None:
        super().__init__(
            "",
            Text("Le contact n’a ni nom ni adresse électronique", "The contact has neither name nor e-mail address"),
            Text("Donnez l’un des deux.", "Give one of them."),
            "contact_name",
        )


class ContactNotFoundError(CustomerError):
    """The customer has no contact of that identifier."""

    code: ClassVar[str] = "CUSTOMER_CONTACT_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, contact_id: UUID) -> None:
        super().__init__(
            Text("Ce contact n’existe pas.", "This contact does not exist."),
            Text("Reprenez-le sur la fiche du client.", "Take it from the customer’s page."),
            str(contact_id),
        )


class CoverIncompleteError(RefusedValueError):
    """A cover that lacks its insurer, its amount or its first day."""

    code: ClassVar[str] = "CUSTOMER_COVER_INCOMPLETE"

    def __init__(self, field: str) -> None:
        super().__init__(
            "",
            Text("La garantie n’est pas complète", "The cover is not complete"),
            Text(
                "Donnez l’assureur, le montant et le premier jour.", "Give the insurer, the amount and the first day."
            ),
            f"cover_{field}",
        )


class CoverPeriodError(RefusedValueError):
    """A cover that ends before it begins."""

    code: ClassVar[str] = "CUSTOMER_COVER_PERIOD"

    def __init__(self, last: date) -> None:
        super().__init__(
            last.isoformat(),
            Text("La garantie finit avant de commencer", "The cover ends before it begins"),
            Text("Corrigez l’une des deux dates.", "Mend one of the two dates."),
            "cover_valid_until",
        )


class CoverNotFoundError(CustomerError):
    """The customer has no cover of that identifier."""

    code: ClassVar[str] = "CUSTOMER_COVER_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, cover_id: UUID) -> None:
        super().__init__(
            Text("Cette garantie n’existe pas.", "This cover does not exist."),
            Text("Reprenez-la sur la fiche du client.", "Take it from the customer’s page."),
            str(cover_id),
        )


class TriedFileGoneError(CustomerError):
    """The file whose dry run was shown is not kept any more, or someone else tried it."""

    code: ClassVar[str] = "TRIED_FILE_GONE"
    status: ClassVar[int] = 404

    def __init__(self, tried_id: UUID) -> None:
        super().__init__(
            Text(
                "Ce fichier n’attend plus : il est déjà pris, remplacé par un autre, ou trop ancien.",
                "This file does not wait any more: it was taken, another took its place, or it is too old.",
            ),
            Text("Donnez-le de nouveau.", "Give it again."),
            str(tried_id),
        )
