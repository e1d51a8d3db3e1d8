"""What can go wrong with the wording of messages."""

from collections.abc import Sequence
from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class InvalidTextsError(GatewayError):
    """The texts an organisation wants to store cannot be used."""

    code: ClassVar[str] = "INVALID_TEXTS"
    status: ClassVar[int] = 422

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        """`faults`: place and what is wrong there, in the words of the reader."""
        said = " ; ".join(f"{place or 'document'} : {message}" for place, message in faults)
        super().__init__(
            Text(f"Ces textes sont inutilisables : {said}.", f"These texts cannot be used: {said}."),
            Text(
                "Corrigez ces champs ; partez du modèle que donne « gateway letters texts ».",
                "Correct these fields; start from what `gateway letters texts` prints.",
            ),
            faults[0][0] if faults else "",
        )


class NoTextError(GatewayError):
    """A scenario names a template that no book has."""

    code: ClassVar[str] = "NO_TEXT"
    status: ClassVar[int] = 422

    def __init__(self, key: str) -> None:
        super().__init__(
            Text(f"Aucun texte ne s’appelle « {key} ».", f"No text is called “{key}”."),
            Text(
                "Ajoutez ce texte (« gateway letters texts »), ou corrigez le modèle de l’étape dans le scénario.",
                "Add this text (`gateway letters texts`), or correct the template of the scenario’s step.",
            ),
            key,
        )


class InvalidLetterheadError(GatewayError):
    """The letterhead cannot be used."""

    code: ClassVar[str] = "INVALID_LETTERHEAD"
    status: ClassVar[int] = 422

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        """`faults`: place and what is wrong there."""
        said = " ; ".join(f"{place or 'document'} : {message}" for place, message in faults)
        super().__init__(
            Text(f"Ce papier à en-tête est inutilisable : {said}.", f"This letterhead cannot be used: {said}."),
            Text(
                "Corrigez ces champs ; « gateway letters head » montre celui qui sert aujourd’hui.",
                "Correct these fields; `gateway letters head` shows the one in use today.",
            ),
            faults[0][0] if faults else "",
        )
