"""Write contacts and covers that were told: new ones are added, known ones changed."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session

from gateway.customers.model import Customer, CustomerContact, CustomerCover
from gateway.customers.told import ToldContact, ToldCover, told_contact, told_cover


def keep_contact(
    session: Session, row: Customer, told: ToldContact, known: Iterable[CustomerContact], now: datetime
) -> CustomerContact:
    """`known`: the customer's contacts."""
    values: dict[str, Any] = {**asdict(told), "postal": list(told.postal)}
    contact = next((each for each in known if told_contact(each).identity == told.identity), None)
    if contact is None:
        contact = CustomerContact(organisation_id=row.organisation_id, customer_id=row.id, created_at=now, **values)
    session.add(contact.sqlmodel_update(values))
    return contact


def keep_cover(
    session: Session, row: Customer, told: ToldCover, known: Iterable[CustomerCover], *, by: str, now: datetime
) -> CustomerCover:
    """`known`: the customer's covers; a new one is in the currency of its credit limit."""
    values: dict[str, Any] = {**asdict(told), "recorded_at": now, "recorded_by": by}
    cover = next((each for each in known if told_cover(each).identity == told.identity), None)
    if cover is None:
        cover = CustomerCover(
            organisation_id=row.organisation_id, customer_id=row.id, currency=row.credit_currency, **values
        )
    session.add(cover.sqlmodel_update(values))
    return cover
