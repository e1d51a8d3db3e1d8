"""Tie invoices to the accounts of their buyers, when they are registered and when an account is imported."""

from datetime import datetime

from sqlalchemy import CursorResult, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from gateway.customers.matching import BuyerIdentity, identity_of
from gateway.customers.model import Customer, CustomerContact, CustomerOrigin
from gateway.database.engine import organisation_of
from gateway.invoices.parties import Buyer
from gateway.kernel.identifiers import new_id
from gateway.ledger.service import take_turn
from gateway.lifecycle.model import Direction
from gateway.lifecycle.service import Registration, RegistrationOutcome

_LINK = text(
    """
    INSERT INTO customer_invoice (organisation_id, invoice_id, customer_id, buyer_siret)
    SELECT :organisation, :invoice, id, :siret FROM customer
    WHERE organisation_id = :organisation AND key IN (:preferred, :key) ORDER BY key = :key LIMIT 1
    """
)
_TAKE_OVER = text(
    """
    UPDATE customer_invoice SET customer_id = customer.id FROM customer
    WHERE customer.key = 'siret:' || customer_invoice.buyer_siret AND customer_invoice.customer_id <> customer.id
    """
)


def link_invoice(session: Session, registration: Registration, buyer: Buyer, now: datetime) -> None:
    """A new receivable invoice belongs to the account of its buyer, which is made when there is none.

    One statement when the account exists. Accounts are made in the organisation's turn only, so that two writers never
    wait for each other's.
    """
    invoice = registration.invoice
    if registration.outcome is not RegistrationOutcome.CREATED or invoice.direction != Direction.RECEIVABLE:
        return
    identity = identity_of(buyer, invoice.buyer_siren)
    preferred, key = identity.keys
    link = {
        "organisation": invoice.organisation_id,
        "invoice": invoice.id,
        "siret": identity.siret,
        "preferred": preferred,
        "key": key,
    }
    session.flush()  # the invoice's row comes first
    linked = session.execute(_LINK, link)
    if isinstance(linked, CursorResult) and not linked.rowcount:
        _make(session, identity, now)
        session.execute(_LINK, link)


def take_over_establishments(session: Session) -> int:
    """Invoices of an establishment that has an account of its own by now go over to it. Returns how many."""
    moved = session.execute(_TAKE_OVER)
    return moved.rowcount if isinstance(moved, CursorResult) else 0


def _make(session: Session, identity: BuyerIdentity, now: datetime) -> None:
    take_turn(session)
    customer_id, organisation_id = new_id(), organisation_of(session)
    made = session.execute(
        insert(Customer)
        .values(
            organisation_id=organisation_id,
            id=customer_id,
            key=identity.key,
            name=identity.name,
            siren=identity.siren,
            vat_number=identity.vat_number,
            origin=CustomerOrigin.INVOICE.value,
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Customer.id)  # type: ignore[call-overload]
    ).first()
    contact = identity.contact
    if made is None or contact is None:
        return
    session.add(
        CustomerContact(
            organisation_id=organisation_id,
            customer_id=customer_id,
            role=contact.role.value,
            name=contact.name,
            email=contact.email,
            phone=contact.phone,
            language=contact.language,
            postal=list(contact.postal),
            created_at=now,
        )
    )
