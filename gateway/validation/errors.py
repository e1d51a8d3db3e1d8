"""What can go wrong around a verdict. A wrong invoice is no error here: it is a finding of the report."""

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class ValidationError(GatewayError):
    """Any failure of the validation room."""

    code = "VALIDATION_ERROR"


class ArtefactMissingError(ValidationError):
    """An artefact of the catalogue is not installed where the catalogue says."""

    code = "ARTEFACT_MISSING"

    def __init__(self, artefact: str, place: str) -> None:
        super().__init__(
            Text(
                f"L'artefact « {artefact} » du catalogue n'est pas installé.",
                f"Artefact '{artefact}' of the catalogue is not installed.",
            ),
            Text(
                "Réinstallez les dépendances aux versions verrouillées (make setup).",
                "Install the dependencies again at their locked versions (make setup).",
            ),
            place,
        )


class ArtefactChangedError(ValidationError):
    """An installed artefact is not the one whose checksum the catalogue holds."""

    code = "ARTEFACT_CHANGED"

    def __init__(self, artefact: str, place: str, expected: str, actual: str) -> None:
        super().__init__(
            Text(
                f"L'artefact « {artefact} » installé n'est pas celui du catalogue : "
                f"empreinte {actual}, attendue {expected}.",
                f"The installed artefact '{artefact}' is not that of the catalogue: "
                f"checksum {actual}, expected {expected}.",
            ),
            Text(
                "Réinstallez les dépendances aux versions verrouillées, ou relisez la nouvelle version et mettez à "
                "jour schemas/catalog.toml.",
                "Install the dependencies again at their locked versions, or review the new release and update "
                "schemas/catalog.toml.",
            ),
            place,
        )


class UnknownRulesError(ValidationError):
    """A name in a rule selection is neither a layer nor an artefact of the catalogue."""

    code = "UNKNOWN_RULES"
    status = 422

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(
            Text(f"Aucune règle ne s'appelle « {name} ».", f"No rules are called '{name}'."),
            Text(f"Choisissez « auto » ou parmi : {', '.join(known)}.", f"Choose 'auto' or among: {', '.join(known)}."),
            "rules",
        )


class UnknownOwnCheckError(ValidationError):
    """A check that is to be switched off is none of the gateway's own."""

    code = "UNKNOWN_OWN_CHECK"
    status = 422

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(
            Text(f"Aucun contrôle ne s'appelle « {name} ».", f"No check is called '{name}'."),
            Text(f"Choisissez parmi : {', '.join(known)}.", f"Choose among: {', '.join(known)}."),
            "GATEWAY_OWN_CHECKS_OFF",
        )


class WorkerDiedError(ValidationError):
    """A process of a batch stopped before it had given its reports."""

    code = "WORKER_DIED"

    def __init__(self) -> None:
        super().__init__(
            Text("Un processus de validation s'est arrêté.", "A validation process died."),
            Text(
                "Relancez avec --jobs 1 : le document en cause se verra, et la mémoire suffira peut-être.",
                "Run again with --jobs 1: the document that caused it will show, and memory may suffice.",
            ),
        )


class UnopenableFileError(ValidationError):
    """A file or folder that was named cannot be opened."""

    code = "UNOPENABLE_FILE"
    status = 422

    def __init__(self, path: str, reason: str) -> None:
        """`reason`: what the operating system says."""
        super().__init__(
            Text(f"Le fichier ne s'ouvre pas : {reason}.", f"The file cannot be opened: {reason}."),
            Text("Vérifiez le chemin et les droits d'accès.", "Check the path and the access rights."),
            path,
        )
