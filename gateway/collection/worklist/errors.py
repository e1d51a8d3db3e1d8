"""What can go wrong with the worklist, calls and comments."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class MatterNotFoundError(GatewayError):
    """No line of the worklist that the asker may see has that identifier; it may be done by now."""

    code: ClassVar[str] = "MATTER_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, matter_id: UUID) -> None:
        super().__init__(
            Text("Cette ligne n’est pas, ou plus, dans la liste.", "This line is not, or no more, on the worklist."),
            Text("Rechargez la liste : quelqu’un l’a peut-être traitée.", "Reload the list: someone may have done it."),
            str(matter_id),
        )


class CallIncompleteError(GatewayError):
    """The outcome of a call needs something that was not told."""

    code: ClassVar[str] = "CALL_INCOMPLETE"
    status: ClassVar[int] = 422

    def __init__(self, missing: str, what: Text) -> None:
        """`missing`: the field. `what`: it, for people."""
        super().__init__(
            Text(f"Il manque {what.fr}.", f"What is missing: {what.en}."),
            Text("Complétez l’appel et enregistrez-le de nouveau.", "Complete the call and record it again."),
            missing,
        )


class UnknownMentionError(GatewayError):
    """A comment mentions someone who does not exist, or who may not see what it is about."""

    code: ClassVar[str] = "UNKNOWN_MENTION"
    status: ClassVar[int] = 422

    def __init__(self, names: Sequence[str]) -> None:
        said = ", ".join(f"@{name}" for name in names)
        super().__init__(
            Text(f"Personne de ce nom ne voit ce sujet : {said}.", f"Nobody of that name sees this matter: {said}."),
            Text(
                "Écrivez @ et l’adresse e-mail d’une personne qui voit ce sujet, ou ce qui y précède l’arobase.",
                "Write @ and the e-mail address of someone who sees this matter, or what comes before its at sign.",
            ),
            "text",
        )
