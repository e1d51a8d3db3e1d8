"""Queries of the directory: the cached answers about addresses, and the parties of the organisation's invoices."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, or_, select

from gateway.database.engine import organisation_of
from gateway.flows.directory.model import DirectoryLookup
from gateway.lifecycle.model import InvoiceRecord


def cached_lookup(session: Session, directory: str, address: str, since: datetime) -> DirectoryLookup | None:
    """What a directory said of an address since then."""
    found = session.get(DirectoryLookup, (organisation_of(session), directory, address))
    return found if found is not None and found.asked_at >= since else None


def keep_lookup(session: Session, lookup: DirectoryLookup) -> None:
    """Keep an answer; the last one written stays."""
    values = lookup.model_dump()
    changed = {name: values[name] for name in ("answer", "asked_at")}
    session.execute(
        insert(DirectoryLookup)
        .values(values)
        .on_conflict_do_update(index_elements=["organisation_id", "directory", "address"], set_=changed)
    )


def forget_lookups(session: Session, before: datetime) -> None:
    """Drop the answers that are too old to be used (system session)."""
    session.execute(delete(DirectoryLookup).where(col(DirectoryLookup.asked_at) < before))


def party_name(session: Session, siren: str) -> str | None:
    """A company's name as the latest invoice that names it as buyer or seller has it."""
    buyer, seller = col(InvoiceRecord.buyer_siren), col(InvoiceRecord.seller_siren)
    latest = col(InvoiceRecord.received_at).desc()
    named = session.exec(
        select(InvoiceRecord).where(or_(buyer == siren, seller == siren)).order_by(latest).limit(1)
    ).first()
    if named is None:
        return None
    return named.buyer_name if named.buyer_siren == siren else named.seller_name


def party_names(session: Session) -> dict[str, str]:
    """SIREN -> name of every buyer and seller of the organisation's invoices."""
    sellers = session.exec(select(InvoiceRecord.seller_siren, InvoiceRecord.seller_name).distinct())
    buyers = session.exec(select(InvoiceRecord.buyer_siren, InvoiceRecord.buyer_name).distinct())
    return {siren: name for siren, name in (*sellers, *buyers) if siren}
