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
                f"L’artefact « {artefact} » du catalogue n’est pas installé.",
                f"Artefact '{artefact}' of the catalogue is not installed.",
            ),
            Text(
                "Réinstallez les dépendances aux versions verrouillées (make setup) ; d’un fichier à vous, corrigez le "
                "chemin dans le catalogue que GATEWAY_CATALOG_FILE nomme.",
                "Install the dependencies again at their locked versions (make setup); of a file of your own, correct "
                "the path in the catalogue that GATEWAY_CATALOG_FILE names.",
            ),
            place,
        )


class ArtefactChangedError(ValidationError):
    """An installed artefact is not the one whose checksum the catalogue holds."""

    code = "ARTEFACT_CHANGED"

    def __init__(self, artefact: str, place: str, expected: str, actual: str) -> None:
        super().__init__(
            Text(
                f"L’artefact « {artefact} » installé n’est pas celui du catalogue : "
                f"empreinte {actual}, attendue {expected}.",
                f"The installed artefact '{artefact}' is not that of the catalogue: "
                f"checksum {actual}, expected {expected}.",
            ),
            Text(
                "Réinstallez les dépendances aux versions verrouillées, ou relisez la nouvelle version et mettez à "
                "jour l’empreinte : dans schemas/catalog.toml, ou dans le catalogue que GATEWAY_CATALOG_FILE nomme.",
                "Install the dependencies again at their locked versions, or review the new release and update the "
                "checksum: in schemas/catalog.toml, or in the catalogue that GATEWAY_CATALOG_FILE names.",
            ),
            place,
        )


class UnknownRulesError(ValidationError):
    """A name in a rule selection is neither a layer nor an artefact of the catalogue."""

    code = "UNKNOWN_RULES"
    status = 422

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(
            Text(f"Aucune règle ne s’appelle « {name} ».", f"No rules are called '{name}'."),
            Text(f"Choisissez « auto » ou parmi : {', '.join(known)}.", f"Choose 'auto' or among: {', '.join(known)}."),
            "rules",
        )


class UnknownRuleError(ValidationError):
    """No rule of the catalogue and no own check has that id."""

    code = "UNKNOWN_RULE"
    status = 404

    def __init__(self, rule: str) -> None:
        super().__init__(
            Text(f"Aucune règle ne s’appelle « {rule} ».", f"No rule is called '{rule}'."),
            Text(
                "Donnez l’identifiant tel que le rapport l’écrit, comme BR-CO-15, ou son début, comme BR-FR-05.",
                "Give the id as the report writes it, such as BR-CO-15, or its beginning, such as BR-FR-05.",
            ),
            rule,
        )


class UnusableCatalogError(ValidationError):
    """A catalogue of further rule releases cannot be used."""

    code = "UNUSABLE_CATALOG"

    def __init__(self, path: str, reason: str) -> None:
        """`reason`: what is wrong in the file."""
        super().__init__(
            Text(f"Le catalogue de règles ne s’utilise pas : {reason}.", f"The catalogue cannot be used: {reason}."),
            Text(
                "Corrigez le fichier que GATEWAY_CATALOG_FILE nomme ; schemas/catalog.toml en montre les champs.",
                "Correct the file that GATEWAY_CATALOG_FILE names; schemas/catalog.toml shows its fields.",
            ),
            path,
        )


class UnusableSchemaError(ValidationError):
    """An XSD of the catalogue cannot be compiled."""

    code = "UNUSABLE_SCHEMA"

    def __init__(self, path: str, reason: str) -> None:
        """`reason`: what the XSD compiler says."""
        super().__init__(
            Text(f"Le schéma XSD ne se compile pas : {reason}.", f"The XSD schema does not compile: {reason}."),
            Text(
                "Vérifiez dans le catalogue que le fichier est bien un XSD (kind) et que ceux qu’il inclut sont là.",
                "Check in the catalogue that the file is an XSD (kind), and that those it includes are there.",
            ),
            path,
        )


class ReadTwiceError(ValidationError):
    """A comparison, which reads each document twice, was given the standard input."""

    code = "READ_TWICE"

    def __init__(self) -> None:
        super().__init__(
            Text(
                "L’entrée standard ne se lit qu’une fois, et une comparaison lit chaque document deux fois.",
                "Standard input can be read only once, and a comparison reads each document twice.",
            ),
            Text("Enregistrez le document dans un fichier.", "Save the document to a file."),
            "-",
        )


class UnknownPackError(ValidationError):
    """One side of a comparison is neither a date nor an artefact of the catalogue."""

    code = "UNKNOWN_PACK"
    status = 422

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(
            Text(
                f"« {name} » n’est ni une date ni un artefact du catalogue.",
                f"'{name}' is neither a date nor an artefact of the catalogue.",
            ),
            Text(
                f"Donnez une date AAAA-MM-JJ ou choisissez parmi : {', '.join(known)}.",
                f"Give a date as YYYY-MM-DD or choose among: {', '.join(known)}.",
            ),
        )


class UnknownOwnCheckError(ValidationError):
    """A check that is to be switched off is none of the gateway's own."""

    code = "UNKNOWN_OWN_CHECK"
    status = 422

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(
            Text(f"Aucun contrôle ne s’appelle « {name} ».", f"No check is called '{name}'."),
            Text(f"Choisissez parmi : {', '.join(known)}.", f"Choose among: {', '.join(known)}."),
            "GATEWAY_OWN_CHECKS_OFF",
        )


class DocumentTooLargeError(ValidationError):
    """A document sent for validation has too many bytes."""

    code = "DOCUMENT_TOO_LARGE"
    status = 413

    def __init__(self, limit: int) -> None:
        """`limit`: most bytes accepted."""
        super().__init__(
            Text(f"Le document dépasse {limit} octets.", f"The document has more than {limit} bytes."),
            Text(
                "Réduisez ses pièces jointes, ou faites relever GATEWAY_MAX_FILE_BYTES.",
                "Make its attachments smaller, or have GATEWAY_MAX_FILE_BYTES raised.",
            ),
            "body",
        )


class WorkerDiedError(ValidationError):
    """A process of a batch stopped before it had given its reports."""

    code = "WORKER_DIED"

    def __init__(self) -> None:
        super().__init__(
            Text("Un processus de validation s’est arrêté.", "A validation process died."),
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
            Text(f"Le fichier ne s’ouvre pas : {reason}.", f"The file cannot be opened: {reason}."),
            Text("Vérifiez le chemin et les droits d’accès.", "Check the path and the access rights."),
            path,
        )
