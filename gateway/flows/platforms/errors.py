"""What can go wrong between the gateway and its accredited platforms, beside the errors of every flow."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from gateway.flows.errors import PlatformError, PlatformRefusedError, PlatformUnavailableError, UnusableFlowError
from gateway.kernel.text import Text


class PlatformCredentialsError(PlatformUnavailableError):
    """The platform does not accept the connection's credentials: no flow is at fault, and none is lost."""

    code: ClassVar[str] = "PLATFORM_CREDENTIALS"

    def __init__(self, reason: str) -> None:
        """`reason`: what the platform says, without anything secret."""
        super().__init__(f"{reason}")
        self.fix = Text(
            "Vérifiez l’identifiant et le secret de la connexion (gateway platforms test).",
            "Check the client id and the secret of the connection (gateway platforms test).",
        )


class PlatformPausedError(PlatformUnavailableError):
    """The platform is not asked now: too many failures in a row, or a connection that is switched off."""

    code: ClassVar[str] = "PLATFORM_PAUSED"

    def __init__(self, reason: Text, until: datetime, now: datetime) -> None:
        """`until`: when it is asked again."""
        super().__init__(reason.en, max(until - now, timedelta(0)))
        self.what = reason
        self.until = until


class PlatformAnswerError(PlatformUnavailableError):
    """The platform's answer is not what XP Z12-013 says."""

    code: ClassVar[str] = "PLATFORM_ANSWER"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.fix = Text("Signalez-le à la plateforme.", "Report it to the platform.")


class PlatformAddressError(PlatformAnswerError):
    """Nothing of XP Z12-013 answers at an address of the connection."""

    code: ClassVar[str] = "PLATFORM_ADDRESS"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.fix = Text(
            "Vérifiez les adresses de la connexion (gateway platforms addresses).",
            "Check the addresses of the connection (gateway platforms addresses).",
        )


class PlatformListStuckError(PlatformAnswerError):
    """A platform's list of flows cannot be read to its end: the same page comes again and again."""

    code: ClassVar[str] = "PLATFORM_LIST_STUCK"


class PlatformFileTooLargeError(PlatformRefusedError):
    """A file is larger than the platform takes, or than the gateway accepts from it."""

    code: ClassVar[str] = "PLATFORM_FILE_TOO_LARGE"

    def __init__(self, name: str, limit: int) -> None:
        """`limit`: in bytes."""
        super().__init__(Text(f"Le fichier dépasse {limit} octets.", f"The file is larger than {limit} bytes."), name)


class UnknownPlatformKindError(PlatformError):
    """There is no profile of that platform."""

    code: ClassVar[str] = "UNKNOWN_PLATFORM_KIND"
    status: ClassVar[int] = 422

    def __init__(self, kind: str, known: Iterable[str]) -> None:
        names = ", ".join(known)
        super().__init__(
            Text(f"La plateforme « {kind} » n’est pas connue.", f"The platform “{kind}” is not known."),
            Text(
                f"Prenez l’une de celles-ci : {names} ; ou décrivez-la dans un fichier (GATEWAY_PLATFORMS_FILE).",
                f"Use one of these: {names}; or describe it in a file (GATEWAY_PLATFORMS_FILE).",
            ),
            kind,
        )


class InvalidConnectionError(PlatformError):
    """A connection or a route cannot be kept as it was given."""

    code: ClassVar[str] = "INVALID_CONNECTION"
    status: ClassVar[int] = 422

    def __init__(self, reason: Text, where: str) -> None:
        super().__init__(reason, Text("Corrigez cette valeur.", "Correct this value."), where)


class SecretUnavailableError(PlatformCredentialsError):
    """The environment variable or the file that holds a connection's secret is not there."""

    code: ClassVar[str] = "SECRET_UNAVAILABLE"

    def __init__(self, reference: str) -> None:
        """`reference`: env:NAME or file:/path, which is no secret."""
        super().__init__(f"the secret {reference} is not there")
        self.what = Text(
            f"Le secret de la connexion est introuvable ({reference}).",
            f"The secret of the connection is not there ({reference}).",
        )
        self.fix = Text(
            "Définissez cette variable ou ce fichier pour chaque processus de la passerelle.",
            "Set that variable or that file for every process of the gateway.",
        )
        self.where = reference


class NoRouteError(PlatformUnavailableError):
    """No active platform is in charge of a document: it waits, and a person chooses one."""

    code: ClassVar[str] = "NO_ROUTE"

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.what = reason
        self.fix = Text(
            "Choisissez ou réactivez une plateforme (gateway platforms list), puis relancez le flux.",
            "Choose or enable a platform (gateway platforms list), then replay the flow.",
        )


class MissingPlatformNumberError(PlatformError):
    """A copy to the public portal bears the number of the platform (annex 7, G7.54), which the connection lacks."""

    code: ClassVar[str] = "MISSING_PLATFORM_NUMBER"
    status: ClassVar[int] = 422

    def __init__(self) -> None:
        super().__init__(
            Text(
                "Le numéro de la plateforme, qui signe la copie au portail public, n’est pas connu.",
                "The number of the platform, which signs the copy to the public portal, is not known.",
            ),
            Text(
                "Demandez-le à la plateforme, puis : gateway platforms number NOM NUMÉRO.",
                "Ask the platform for it, then: gateway platforms number NAME NUMBER.",
            ),
        )


class StatusNotTakenError(UnusableFlowError):
    """The platform of the invoice takes no such status on it."""

    code: ClassVar[str] = "STATUS_NOT_TAKEN"
    status: ClassVar[int] = 422

    def __init__(self, status: str, rule: str, platform: str, taken: Iterable[str]) -> None:
        """`status`: MDT-105; `rule`: the processing rule of the invoice; `taken`: the statuses that it takes."""
        allowed = ", ".join(taken)
        super().__init__(
            Text(
                f"La plateforme {platform} n’accepte pas le statut {status} sur une facture {rule}.",
                f"The platform {platform} does not take status {status} on an invoice under {rule}.",
            ),
            Text(f"Pour cette facture, elle n’accepte que : {allowed}.", f"On this invoice it only takes: {allowed}."),
            "MDT-105",
        )
