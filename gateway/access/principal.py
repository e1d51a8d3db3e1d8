"""Who is acting: a signed-in person or an authenticated program, with all that a decision about access needs."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from gateway.access.roles import Permission, Role
from gateway.access.scope import Scope
from gateway.kernel.text import Language


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts, for which organisation.

    Attributes:
        organisation_id: the only organisation whose rows this principal reaches.
        kind: "user" for a person, "client" for a program.
        id: identifier of the person's or the API client's row.
        name: for people: in pages, in the history of an alert.
        scopes: OAuth2 scopes of the token (programs only), such as flows:write.
        role: the person's role; None for a program.
        scope: agencies and key accounts that the principal is limited to.
        language: of what is said to the principal.
    """

    organisation_id: UUID
    kind: Literal["user", "client"]
    id: UUID
    name: str
    scopes: frozenset[str]
    role: Role | None
    scope: Scope
    language: Language = "fr"

    def may(self, permission: Permission) -> bool:
        """Whether the person's role grants `permission`; programs act by their scopes and never by a role."""
        return self.role is not None and permission in self.role.permissions
