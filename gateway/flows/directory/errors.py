"""What can go wrong when the directory of electronic addresses is asked."""

from datetime import date
from typing import ClassVar

from gateway.flows.errors import FlowError, ProcessingError
from gateway.kernel.text import Text


class DirectoryEntryNotFoundError(FlowError):
    """The directory holds no such company, facility, routing code or line."""

    code: ClassVar[str] = "MISSING_RESOURCE"
    status: ClassVar[int] = 404

    def __init__(self, key: str) -> None:
        """`key`: what was looked for."""
        super().__init__(
            Text("L’annuaire ne connaît pas cette entrée.", "The directory does not know this entry."),
            Text("Vérifiez l’identifiant auprès du destinataire.", "Check the identifier with the recipient."),
            key,
        )


class DirectoryEntryAbsentError(DirectoryEntryNotFoundError):
    """The same under a base path whose clients expect this code (`error_code` of `schemas/directory.toml`)."""

    code: ClassVar[str] = "NOT_FOUND"


class PastDayError(FlowError):
    """An address is asked about for a day that has passed: a directory tells what is and what is to come."""

    code: ClassVar[str] = "DAY_IN_THE_PAST"
    status: ClassVar[int] = 422

    def __init__(self, day: date) -> None:
        super().__init__(
            Text(f"Le {day:%d/%m/%Y} est passé.", f"{day.isoformat()} has passed."),
            Text(
                "L’annuaire ne dit rien du passé : demandez pour aujourd’hui ou pour un jour à venir.",
                "The directory tells nothing of the past: ask for today or for a day to come.",
            ),
            "on",
        )


class DirectorySourceError(FlowError):
    """The platform's directory gave no usable answer: nothing is known of the address, neither good nor bad."""


class DirectoryUnavailableError(DirectorySourceError):
    """It cannot be reached, fails, or answers something that cannot be read."""

    code: ClassVar[str] = "RESOURCE_ERROR"
    status: ClassVar[int] = 503

    def __init__(self, reason: str) -> None:
        """`reason`: what happened, as the network or the platform says it."""
        super().__init__(
            Text(f"L’annuaire ne répond pas : {reason}.", f"The directory does not answer: {reason}."),
            Text("Réessayez un peu plus tard.", "Try again a little later."),
        )


class DirectoryTimeoutError(DirectorySourceError):
    """It did not answer in time."""

    code: ClassVar[str] = "REQUEST_TIMEOUT"
    status: ClassVar[int] = 408

    def __init__(self) -> None:
        super().__init__(
            Text(
                "L’annuaire de la plateforme n’a pas répondu à temps.",
                "The platform’s directory did not answer in time.",
            ),
            Text("Réessayez un peu plus tard.", "Try again a little later."),
        )


class DirectoryBusyError(DirectorySourceError):
    """The platform asks us to slow down."""

    code: ClassVar[str] = "TOO_MANY_REQUESTS"
    status: ClassVar[int] = 429

    def __init__(self) -> None:
        super().__init__(
            Text("L’annuaire limite le nombre de nos requêtes.", "The directory limits our requests."),
            Text("Attendez une minute, puis réessayez.", "Wait a minute, then try again."),
        )


class DirectoryNotOfferedError(DirectorySourceError):
    """The platform offers no directory, or not this part of it."""

    code: ClassVar[str] = "NOT_IMPLEMENTED"
    status: ClassVar[int] = 501

    def __init__(self) -> None:
        super().__init__(
            Text("La plateforme n’offre pas cet annuaire.", "The platform does not offer this directory."),
            Text(
                "Vérifiez l’adresse d’annuaire de la connexion (directory-url).",
                "Check the directory address of the connection (directory-url).",
            ),
        )


class NoDirectoryError(DirectoryNotOfferedError):
    """The connection of the default platform has no directory address: there is nobody to ask."""


class DirectoryRefusedError(DirectorySourceError):
    """The platform refuses a request that is well formed."""

    code: ClassVar[str] = "UNPROCESSABLE_ENTITY"
    status: ClassVar[int] = 422

    def __init__(self, reason: str) -> None:
        """`reason`: in the words of the platform."""
        super().__init__(
            Text(f"La plateforme refuse la recherche : {reason}.", f"The platform refuses the search: {reason}."),
            Text("Changez les critères de la recherche.", "Change the criteria of the search."),
        )


class BuyerNotAddressableError(ProcessingError):
    """Under `preflight = hold`: the invoice waits in quarantine, because the directory would not route it."""

    code: ClassVar[str] = "BUYER_NOT_ADDRESSABLE"

    def __init__(self, address: str, says: Text, to_do: Text) -> None:
        """`address`: BT-49; `says`, `to_do`: the answer of the check."""
        super().__init__(
            says,
            Text(f"{to_do.fr} Puis relancez le flux.", f"{to_do.en} Then replay the flow."),
            f"BT-49 {address}",
        )
