"""What can go wrong with the wording of messages."""

from typing import ClassVar

from gateway.collection.errors import UnusableContentError
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class InvalidTextsError(UnusableContentError):
    """The texts an organisation wants to store cannot be used."""

    code: ClassVar[str] = "INVALID_TEXTS"
    refused = Text("Ces textes sont inutilisables", "These texts cannot be used")
    remedy = Text(
        "partez du modèle que donne « gateway letters texts ».", "start from what `gateway letters texts` prints."
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


class InvalidLetterheadError(UnusableContentError):
    """The letterhead cannot be used."""

    code: ClassVar[str] = "INVALID_LETTERHEAD"
    refused = Text("Ce papier à en-tête est inutilisable", "This letterhead cannot be used")
    remedy = Text(
        "« gateway letters head » montre celui qui sert aujourd’hui.",
        "`gateway letters head` shows the one in use today.",
    )
