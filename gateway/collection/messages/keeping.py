"""An organisation's letterhead and texts: stored once and for all, the latest holds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from gateway.access.errors import PermissionDeniedError
from gateway.access.model import Organisation
from gateway.access.scope import Scope
from gateway.collection.messages.letterhead import Letterhead, read_letterhead
from gateway.collection.messages.model import LetterheadRow, TextBookRow
from gateway.collection.messages.texts import TextBook, default_texts, read_texts
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.ledger.service import append


def letterhead_in_force(session: Session) -> Letterhead:
    """The latest letterhead; without any, the name of the organisation and its SIREN."""
    row = session.exec(select(LetterheadRow).order_by(col(LetterheadRow.stored_at).desc()).limit(1)).first()
    if row is not None:
        return read_letterhead(row.content)
    organisation = session.exec(select(Organisation).where(Organisation.id == organisation_of(session))).one()
    return Letterhead(name=organisation.name, mentions=f"SIREN {organisation.siren}")


def store_letterhead(
    session: Session, scope: Scope, content: Mapping[str, Any], *, by: str, now: datetime
) -> Letterhead:
    """Write under this letterhead from now on.

    Raises InvalidLetterheadError, and PermissionDeniedError to whoever sees a part of the organisation only.
    """
    _require_everything(scope)
    letterhead = read_letterhead(content)
    row = LetterheadRow(
        organisation_id=organisation_of(session),
        content=letterhead.model_dump(mode="json", exclude_defaults=True),
        stored_at=now,
        stored_by=by,
    )
    session.add(row)
    told = {"by": by, "letterhead": row.content}
    append(session, at=now, kind="letterhead.stored", subject=f"letterhead:{row.id}", content=told)
    return letterhead


def texts_in_force(session: Session, now: datetime) -> TextBook:
    """The organisation's own texts, else the default ones."""
    row = session.exec(select(TextBookRow).order_by(col(TextBookRow.stored_at).desc()).limit(1)).first()
    return default_texts(paris_date(now)) if row is None else read_texts(row.content)


def store_texts(
    session: Session, scope: Scope, content: Mapping[str, Any], *, comment: str, by: str, now: datetime
) -> TextBook:
    """Write these texts from now on.

    Raises InvalidTextsError, and PermissionDeniedError to whoever sees a part of the organisation only.
    """
    _require_everything(scope)
    book = read_texts(content)
    row = TextBookRow(
        organisation_id=organisation_of(session),
        content=book.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        comment=comment,
        stored_at=now,
        stored_by=by,
    )
    session.add(row)
    told = {"comment": comment, "by": by, "texts": row.content}
    append(session, at=now, kind="texts.stored", subject=f"text_book:{row.id}", content=told)
    return book


def _require_everything(scope: Scope) -> None:
    if not scope.is_everything:
        raise PermissionDeniedError
