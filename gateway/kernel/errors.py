"""The one shape of every error a person or a client program may see: a stable code, what, where, how to fix.

Each room declares its own errors in its `errors.py` as subclasses of `GatewayError`.
"""

from typing import ClassVar

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

    def in_language(self, language: Language) -> str:
        """One line: what, where in brackets, how to fix."""
        place = f" [{self.where}]" if self.where else ""
        return f"{self.what.in_language(language)}{place} {self.fix.in_language(language)}"

    def __str__(self) -> str:
        return self.in_language("en")
