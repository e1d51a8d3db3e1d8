"""Files that wait between their dry run and the word of the person who gave them.

One for each person and purpose: the next one takes its place, and one of yesterday is gone.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, delete, or_

from gateway.customers.errors import TriedFileGoneError
from gateway.customers.model import TriedFile
from gateway.database.engine import organisation_of

_KEPT = timedelta(days=1)


def keep_tried(session: Session, purpose: str, file_name: str, content: bytes, *, by: str, now: datetime) -> TriedFile:
    """Keep a file until `by` takes it."""
    mine = (col(TriedFile.purpose) == purpose) & (col(TriedFile.tried_by) == by)
    session.exec(delete(TriedFile).where(or_(mine, col(TriedFile.tried_at) < now - _KEPT)))
    row = TriedFile(
        organisation_id=organisation_of(session),
        purpose=purpose,
        file_name=file_name,
        content=content,
        tried_at=now,
        tried_by=by,
    )
    session.add(row)
    session.flush()
    return row


def tried_file(session: Session, tried_id: UUID, purpose: str, *, by: str) -> TriedFile:
    """The file that `by` tried. Raises TriedFileGoneError, also when someone else did."""
    row = session.get(TriedFile, tried_id)
    if row is None or (row.purpose, row.tried_by) != (purpose, by):
        raise TriedFileGoneError(tried_id)
    return row


def forget_tried(session: Session, tried_id: UUID) -> None:
    """It was taken."""
    session.exec(delete(TriedFile).where(col(TriedFile.id) == tried_id))
