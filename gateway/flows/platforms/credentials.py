"""A connection's secret is never a row: the row names the environment variable or the file that holds it."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from gateway.flows.platforms.errors import InvalidConnectionError, SecretUnavailableError
from gateway.kernel.configuration import PREFIX
from gateway.kernel.text import Text

_ENVIRONMENT, _FILE = "env:", "file:"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are at a platform: the client id, and where its secret is read each time a token is asked for."""

    client_id: str
    secret_reference: str = field(repr=False)

    def secret(self) -> SecretStr:
        """The secret as it is now: one that was changed is taken without a restart. Raises SecretUnavailableError."""
        return read_secret(self.secret_reference)


def read_secret(reference: str) -> SecretStr:
    """The secret behind `env:NAME` or `file:/path`. Raises SecretUnavailableError."""
    if reference.startswith(_ENVIRONMENT):
        value = os.environ.get(reference.removeprefix(_ENVIRONMENT), "")
    else:
        try:
            value = Path(reference.removeprefix(_FILE)).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SecretUnavailableError(reference) from error
    if not value:
        raise SecretUnavailableError(reference)
    return SecretStr(value)


def checked_reference(reference: str) -> str:
    """The reference, when it is one. Raises InvalidConnectionError, which does not repeat what may be a secret."""
    if reference.startswith(_ENVIRONMENT):
        name = reference.removeprefix(_ENVIRONMENT)
        # Variables of the gateway's own are settings, and those it does not know are refused.
        if _VARIABLE.fullmatch(name) and not name.upper().startswith(PREFIX):
            return reference
    elif reference.startswith(_FILE) and Path(reference.removeprefix(_FILE)).is_absolute():
        return reference
    raise InvalidConnectionError(
        Text(
            f"Le secret se donne par env:NOM (hors {PREFIX}…) ou par file:/chemin/absolu.",
            f"The secret is given as env:NAME (not {PREFIX}…) or as file:/absolute/path.",
        ),
        "secret",
    )
