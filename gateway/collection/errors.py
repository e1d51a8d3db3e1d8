"""What can go wrong with collection actions."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class ActionNotFoundError(GatewayError):
    """No action that the asker may see has that identifier."""

    code: ClassVar[str] = "ACTION_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, action_id: UUID) -> None:
        super().__init__(
            Text("Cette action n'existe pas.", "This action does not exist."),
            Text(
                "Revenez à la liste de travail et vérifiez votre périmètre.",
                "Go back to the worklist and check what you may see.",
            ),
            str(action_id),
        )


class ActionNotOpenError(GatewayError):
    """The action is done or cancelled: nothing about it can change any more."""

    code: ClassVar[str] = "ACTION_NOT_OPEN"
    status: ClassVar[int] = 409

    def __init__(self, action_id: UUID, outcome: str | None) -> None:
        super().__init__(
            Text(f"Cette action est terminée : {outcome or '—'}.", f"This action is over: {outcome or '—'}."),
            Text("Il n'y a rien à faire.", "There is nothing left to do."),
            str(action_id),
        )


class InvalidScenariosError(GatewayError):
    """The scenarios an organisation wants to store cannot be followed."""

    code: ClassVar[str] = "INVALID_SCENARIOS"
    status: ClassVar[int] = 422

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        """`faults`: place and what is wrong there, in the words of the reader."""
        said = " ; ".join(f"{place or 'document'} : {message}" for place, message in faults)
        super().__init__(
            Text(f"Ces scénarios sont inutilisables : {said}.", f"These scenarios cannot be followed: {said}."),
            Text(
                "Corrigez ces champs ; partez du modèle que donne « gateway reminders scenarios show ».",
                "Correct these fields; start from what `gateway reminders scenarios show` prints.",
            ),
            faults[0][0] if faults else "",
        )
        self.faults = tuple(faults)
