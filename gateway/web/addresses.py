"""Addresses inside the site."""

from urllib.parse import urlsplit
from uuid import UUID


def local_path(path: str) -> str:
    """`path` when it is an address of this site, else the first page: nobody is led elsewhere from here."""
    is_local = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_local and not urlsplit(path).netloc else "/"


def came_from(referer: str, host: str) -> str | None:
    """The page of this site (`host`) that a form was on, from its Referer; None when it was on none of ours."""
    told = urlsplit(referer)
    if told.netloc != host:
        return None
    return local_path(told.path + (f"?{told.query}" if told.query else ""))


def subject_path(invoice_id: UUID | None, flow_id: UUID | None = None) -> str:
    """The page of what an alert or an action is about: its invoice, else the flow that was refused."""
    if invoice_id is not None:
        return f"/invoices/{invoice_id}"
    return f"/flows/{flow_id}" if flow_id is not None else "/alerts"
