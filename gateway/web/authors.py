"""Who did something, as rows name them and as people read it."""

from collections.abc import Collection
from uuid import UUID

from sqlmodel import Session

from gateway.web import repository
from gateway.web.security import Visit

_USER = "user:"


def by_of(visit: Visit) -> str:
    """The person of a visit, as rows and the ledger name them."""
    return f"{visit.principal.kind}:{visit.principal.id}"


def names_of_authors(session: Session, authors: Collection[str]) -> dict[str, str]:
    """What people call those who did something: a person's name; of a program or the gateway, what rows call it."""
    ids = {each: UUID(each.removeprefix(_USER)) for each in authors if each.startswith(_USER)}
    names = repository.user_names(session, ids.values())
    return {each: names.get(ids[each], each) if each in ids else each for each in authors}
