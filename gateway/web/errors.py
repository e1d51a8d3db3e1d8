"""What can go wrong with a page before anything else is asked."""

from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class PageNotFoundError(GatewayError):
    """No page at this address, or its parameters make no sense."""

    code: ClassVar[str] = "PAGE_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self) -> None:
        super().__init__(
            Text("Cette page n’existe pas.", "There is no such page."),
            Text(
                "Vérifiez l’adresse ou repartez de l’accueil.", "Check the address or start again from the first page."
            ),
        )


class ForeignFormError(GatewayError):
    """A change that does not come from a form of ours, or from one shown before the last sign-in (CSRF)."""

    code: ClassVar[str] = "FOREIGN_FORM"
    status: ClassVar[int] = 403

    def __init__(self) -> None:
        super().__init__(
            Text(
                "Ce formulaire n’est plus valable : rien n’a été modifié.",
                "This form is no longer valid: nothing was changed.",
            ),
            Text("Revenez à la page, rechargez-la et recommencez.", "Go back to the page, reload it and try again."),
        )


class ReasonMissingError(GatewayError):
    """An alert is closed, or an action completed, without a word on why or on what came of it."""

    code: ClassVar[str] = "REASON_MISSING"
    status: ClassVar[int] = 422

    def __init__(self) -> None:
        super().__init__(
            Text("Il manque une phrase d’explication.", "A word of explanation is missing."),
            Text(
                "Revenez en arrière et écrivez ce qui s’est passé : vos collègues le liront.",
                "Go back and write what happened: your colleagues will read it.",
            ),
        )


class FileMissingError(GatewayError):
    """A form that gives a file came without one, or the file is empty."""

    code: ClassVar[str] = "FILE_MISSING"
    status: ClassVar[int] = 422

    def __init__(self) -> None:
        super().__init__(
            Text("Aucun fichier n’est arrivé, ou il est vide.", "No file came, or it is empty."),
            Text("Choisissez un fichier, puis recommencez.", "Choose a file, then try again."),
            "file",
        )


class FormTooLargeError(GatewayError):
    """A form that gives a file has more bytes than the page takes."""

    code: ClassVar[str] = "FORM_TOO_LARGE"
    status: ClassVar[int] = 413

    def __init__(self, limit: int) -> None:
        super().__init__(
            Text(f"Le fichier dépasse {limit} octets.", f"The file has more than {limit} bytes."),
            Text("Coupez-le, ou donnez-le par la ligne de commande.", "Cut it, or give it on the command line."),
            "file",
        )
