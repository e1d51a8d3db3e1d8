"""A file of customers: give it, see what it would change, take it."""

from typing import Annotated
from uuid import UUID

from fastapi import File, Response, UploadFile

from gateway.access.errors import PermissionDeniedError
from gateway.customers.statutory_terms import StatutoryTerms, statutory_terms
from gateway.customers.table_file import too_large
from gateway.customers.taking import import_customers, import_limits
from gateway.customers.tried_files import forget_tried, keep_tried, tried_file
from gateway.customers.views import ImportReport
from gateway.web.authors import by_of
from gateway.web.security import CollectionManager, Visit
from gateway.web.uploads import content_of, takes_file

_PURPOSE = "customers"


def _limit() -> int:
    return import_limits().size


def show(visit: CollectionManager) -> Response:
    """The form that gives a file."""
    _require_everything(visit)
    return visit.render("customers_import.html", report=None, tried_id=None, file_name="", limit=_limit())


@takes_file(_limit)
def attempt(visit: CollectionManager, file: Annotated[UploadFile | None, File()] = None) -> Response:
    """A dry run of a file; it waits to be taken."""
    _require_everything(visit)
    name, content = content_of(file, _limit(), too_large)
    now, by = visit.context.clock(), by_of(visit)
    with visit.transaction() as session:
        result = import_customers(session, content, _law(visit), dry_run=True, by=by, now=now)
        kept = keep_tried(session, _PURPOSE, name, content, by=by, now=now)
    report = ImportReport.of_result(result, visit.language)
    return visit.render("customers_import.html", report=report, tried_id=kept.id, file_name=name, limit=_limit())


def take(visit: CollectionManager, tried_id: UUID) -> Response:
    """Take a file whose dry run was shown, and show what it changed."""
    _require_everything(visit)
    by = by_of(visit)
    with visit.transaction() as session:
        kept = tried_file(session, tried_id, _PURPOSE, by=by)
        name = kept.file_name
        result = import_customers(session, kept.content, _law(visit), dry_run=False, by=by, now=visit.context.clock())
        forget_tried(session, tried_id)
    report = ImportReport.of_result(result, visit.language)
    return visit.render("customers_import.html", report=report, tried_id=None, file_name=name, limit=_limit())


def _law(visit: Visit) -> StatutoryTerms:
    """What agreed terms are compared with."""
    return statutory_terms(visit.context.settings.law_file)


def _require_everything(visit: Visit) -> None:
    """A file may name any customer. Raises PermissionDeniedError."""
    if not visit.principal.scope.is_everything:
        raise PermissionDeniedError
