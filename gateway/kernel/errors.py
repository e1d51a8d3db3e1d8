"""The one shape of every error a person or a client program may see: a stable code, what, where, how to fix.

Each room declares its own errors in its `errors.py` as subclasses of `GatewayError`.
"""

import copyreg
from pathlib import Path
from typing import Any, ClassVar

from gateway.kernel.text import Language, Text


class GatewayError(Exception):
    """A named failure that is explained to whoever caused it.

    Class attributes:
        code: stable identifier in SCREAMING_SNAKE_CASE, a public contract: never reused with another meaning.
        status: HTTP status used when the error reaches an HTTP client.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500

    def __init__(self, what: Text, fix: Text, where: str = "") -> None:
        """`what` went wrong, `fix` says how to mend it, `where` is a path, a field, a term or a byte position."""
        super().__init__(what.en)
        self.what = what
        self.fix = fix
        self.where = where

    def __reduce__(self) -> tuple[Any, ...]:
        # What was passed to the constructor of a subclass is not known here; what it made of that is all there is.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]

    def in_language(self, language: Language) -> str:
        """One line: what, where in brackets, how to fix."""
        place = f" [{self.where}]" if self.where else ""
        return f"{self.what.in_language(language)}{place} {self.fix.in_language(language)}"

    def __str__(self) -> str:
        return self.in_language("en")


class OwnDataError(GatewayError):
    """A data file that the installation lays over a shipped one cannot be read, or has an entry that cannot be used."""

    code: ClassVar[str] = "OWN_DATA_INVALID"

    def __init__(self, path: Path, reason: Text, entry: str = "") -> None:
        """`reason`: what is the matter; `entry`: which one of the file."""
        super().__init__(
            Text(f"Le fichier {path} ne peut pas servir : {reason.fr}.", f"The file {path} is of no use: {reason.en}."),
            Text(
                "Corrigez cette entrée ; le fichier du même nom dans schemas/ explique chacune.",
                "Correct that entry; the file of that name in schemas/ explains each of them.",
            ),
            entry,
        )
