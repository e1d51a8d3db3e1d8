"""Take the files of a drop in: each is stored first and moved then, so that a crash between the two doubles nothing."""

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import structlog

from gateway.flows.context import FlowsContext
from gateway.flows.drops.places import DroppedFile, Folder, Place
from gateway.flows.errors import FileSizeExceededError, FlowError
from gateway.flows.intake import Submission, accept_flow
from gateway.kernel.settings import DropSettings
from gateway.kernel.text import printable

#: Start of the source of a flow that came by a drop; the drop's name follows.
DROP_SOURCE = "drop:"
_LONGEST_NAME = 255
#: Bytes of a name that are kept beside a mark and `.error.json`: file systems take 255 in all.
_LONGEST_KEPT = 200
#: Bytes that do not begin a character in UTF-8: a cut must not leave half of one.
_CONTINUATIONS = bytes(range(0x80, 0xC0))
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one look at a drop did with its files; the forbidden ones may not be read or moved and stay."""

    taken: int = 0
    refused: int = 0
    forbidden: int = 0


def take_files(context: FlowsContext, organisation_id: UUID, drop: DropSettings, place: Place) -> Taken:
    """Take every finished file, each in a transaction of its own. One that cannot be taken stops no other.

    Raises DocumentStoreError: then the gateway is at fault and no file, so that all stay where they are.
    """
    quiet_since = context.clock() - timedelta(seconds=context.settings.drop_quiet_seconds)
    taken = refused = forbidden = 0
    for file in place.waiting():
        if file.changed_at > quiet_since:
            continue  # perhaps still being written
        try:
            _take(context, organisation_id, drop, place, file)
            taken += 1
        except FlowError as error:
            _refuse(place, file, error, context.clock())
            refused += 1
        except FileNotFoundError:
            _log.info("dropped_file_gone", drop=drop.name, file=file.name)  # another worker was quicker
        except PermissionError as error:
            _log.warning("dropped_file_forbidden", drop=drop.name, file=file.name, reason=str(error))
            forbidden += 1
    return Taken(taken, refused, forbidden)


def _take(context: FlowsContext, organisation_id: UUID, drop: DropSettings, place: Place, file: DroppedFile) -> None:
    limit = context.settings.max_file_bytes
    data = place.read(file.name, limit + 1)
    if len(data) > limit:
        raise FileSizeExceededError(limit)
    submission = Submission(data=data, name=printable(file.name)[:_LONGEST_NAME], source=DROP_SOURCE + drop.name)
    with context.database.transaction(organisation_id) as session:
        accepted = accept_flow(session, context.store, submission, now=context.clock())
        flow_id = accepted.flow.id
    # The content is in the name: another file of the same name replaces nothing.
    place.move(file.name, Folder.TAKEN, _kept(sha256(data).hexdigest()[:12], file.name))
    _log.info("dropped_file_taken", drop=drop.name, file=file.name, flow_id=str(flow_id))


def _refuse(place: Place, file: DroppedFile, error: FlowError, now: datetime) -> None:
    """Put a file aside with its reason beside it: the reason first, so that none lies there without one."""
    reason = {
        "file": file.name,
        "errorCode": error.code,
        "errorMessage": error.in_language("fr"),
        "errorMessage_en": error.in_language("en"),
    }
    # The instant is in the name: a later file of the same name replaces nothing.
    kept = _kept(f"{now:%Y%m%dT%H%M%S%f}", file.name)
    place.write(Folder.REFUSED, f"{kept}.error.json", _json(reason))
    place.move(file.name, Folder.REFUSED, kept)
    _log.warning("dropped_file_refused", file=file.name, reason=error.code)


def _kept(mark: str, name: str) -> str:
    """The name under which a file is put away; of a long one the end is kept, with its extension."""
    return f"{mark}-{os.fsdecode(os.fsencode(name)[-_LONGEST_KEPT:].lstrip(_CONTINUATIONS))}"


def _json(content: object) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
