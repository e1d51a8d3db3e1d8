"""The books: give a file, see what it would bring, take it; the files that were taken, and what each brought."""

from io import BytesIO
from typing import Annotated
from uuid import UUID

from fastapi import File, Response, UploadFile

from gateway.access.errors import PermissionDeniedError
from gateway.customers.tried_files import forget_tried, keep_tried, tried_file
from gateway.kernel.dated import data_file
from gateway.treasury.accounting import rows
from gateway.treasury.accounting.errors import too_large
from gateway.treasury.accounting.import_rows import import_by_id, imports_page
from gateway.treasury.accounting.importing import import_entries
from gateway.treasury.accounting.settling import Outcome
from gateway.treasury.accounting.views import AccountingReport, ImportView
from gateway.web.authors import by_of, names_of_authors
from gateway.web.security import CollectionManager, Visit
from gateway.web.uploads import content_of, takes_file

_PURPOSE = "accounting"
_OPEN_LINES = (Outcome.UNKNOWN_CUSTOMER, Outcome.UNKNOWN_INVOICE, Outcome.PAID_ALREADY)


def _page_limit() -> int:
    return int(data_file("accounting.toml")["limits"]["page_bytes"])


def show(visit: CollectionManager, after: str = "") -> Response:
    """The imports, the latest first, what is not matched, and the form that gives a file."""
    _require_everything(visit)
    with visit.transaction() as session:
        page = imports_page(session, cursor=after or None)
        unmatched = rows.entries_page(session, _OPEN_LINES, limit=50)
        people = names_of_authors(session, [row.imported_by for row in page.items])
    return visit.render(
        "accounting.html", page=page, people=people, unmatched=unmatched, outcomes=Outcome, limit=_page_limit()
    )


@takes_file(_page_limit)
def attempt(visit: CollectionManager, file: Annotated[UploadFile | None, File()] = None) -> Response:
    """A dry run of a file; it waits to be taken."""
    _require_everything(visit)
    name, content = content_of(file, _page_limit(), too_large)
    context, now, by = visit.context, visit.context.clock(), by_of(visit)
    organisation = visit.principal.organisation_id
    result = import_entries(context.database, organisation, BytesIO(content), dry_run=True, by=by, now=now)
    with visit.transaction() as session:
        kept = keep_tried(session, _PURPOSE, name, content, by=by, now=now)
    report = AccountingReport.of_result(result, visit.language)
    return visit.render("accounting_import.html", report=report, file_name=name, tried_id=kept.id, outcomes=Outcome)


def take(visit: CollectionManager, tried_id: UUID) -> Response:
    """Take a file whose dry run was shown."""
    _require_everything(visit)
    by = by_of(visit)
    with visit.transaction() as session:
        kept = tried_file(session, tried_id, _PURPOSE, by=by)
        name, content = kept.file_name, kept.content
    import_entries(
        visit.context.database,
        visit.principal.organisation_id,
        BytesIO(content),
        file_name=name,
        dry_run=False,
        by=by,
        now=visit.context.clock(),
    )
    with visit.transaction() as session:
        forget_tried(session, tried_id)
        (latest,) = imports_page(session, limit=1).items
    return visit.go_to(f"/accounting/imports/{latest.id}", "accounting_taken")


def one(visit: CollectionManager, import_id: UUID) -> Response:
    """What a file brought, and which of its lines were refused."""
    _require_everything(visit)
    with visit.transaction() as session:
        row = import_by_id(session, import_id)
        people = names_of_authors(session, [row.imported_by])
    view = ImportView.of_row(row, visit.language)
    report = AccountingReport(sha256=row.sha256, written=True, **row.counts, refused_lines=view.refused_lines)
    return visit.render(
        "accounting_import.html",
        report=report,
        file_name=row.file_name,
        tried_id=None,
        outcomes=Outcome,
        row=row,
        people=people,
    )


def _require_everything(visit: Visit) -> None:
    """The books are those of the whole organisation. Raises PermissionDeniedError."""
    if not visit.principal.scope.is_everything:
        raise PermissionDeniedError
