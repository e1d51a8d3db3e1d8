"""Every receivable invoice belongs to one account, that of its buyer."""

from uuid import UUID

import pytest
from sqlmodel import Session, select

from gateway.customers.linking import link_invoice, take_over_establishments
from gateway.customers.matching import identity_of
from gateway.customers.model import Customer, CustomerContact, CustomerInvoice
from gateway.database import Database
from gateway.invoices.parties import Buyer, BuyerAddress, BuyerContact
from gateway.invoices.terms import Identifier
from gateway.lifecycle.model import Direction
from tests.lifecycle.following import invoice, register
from tests.lifecycle.making_events import BUYER_SIREN, START

SIRET = "73282932000074"
BY_SIREN = Buyer(name="Bâtir Ensemble", legal_id=Identifier(value=BUYER_SIREN, scheme="0002"))
FOREIGN = Buyer(name="Bauhaus GmbH", vat_id="DE 136 695 976")
NAMED = Buyer(name="  Atelier  du Port ")
ESTABLISHMENT = Buyer(
    name="Bâtir Ensemble Lyon",
    legal_id=Identifier(value=BUYER_SIREN, scheme="0002"),
    identifiers=(Identifier(value=SIRET, scheme="0009"),),
)


def follow(
    database: Database,
    organisation: UUID,
    number: str,
    buyer: Buyer,
    *,
    direction: Direction = Direction.RECEIVABLE,
) -> None:
    """Register an invoice of a buyer and tie it to its account, as the gateway does."""
    registration = register(database, organisation, invoice(number, buyer=buyer), direction=direction)
    with database.transaction(organisation) as session:
        link_invoice(session, registration, buyer, START)


def owners(session: Session) -> list[str]:
    """The key of the account of each invoice tied, in the order they were registered."""
    rows = session.exec(
        select(Customer.key).join(CustomerInvoice, CustomerInvoice.customer_id == Customer.id).order_by(Customer.key)
    )
    return list(rows)


@pytest.mark.parametrize(
    ("buyer", "key"),
    [
        (BY_SIREN, f"siren:{BUYER_SIREN}"),
        (ESTABLISHMENT, f"siren:{BUYER_SIREN}"),
        (FOREIGN, "vat:DE136695976"),
        (NAMED, "name:atelier du port"),
    ],
)
def test_a_buyer_is_known_by_siren_then_by_vat_number_then_by_name(database, organisation, buyer, key):
    follow(database, organisation, "F1", buyer)
    with database.transaction(organisation) as session:
        assert owners(session) == [key]


def test_invoices_of_one_buyer_share_one_account(database, organisation):
    for number in ("F1", "F2"):
        follow(database, organisation, number, BY_SIREN)
    with database.transaction(organisation) as session:
        assert owners(session) == [f"siren:{BUYER_SIREN}"] * 2


def test_an_invoice_to_pay_makes_no_customer(database, organisation):
    follow(database, organisation, "F1", BY_SIREN, direction=Direction.PAYABLE)
    with database.transaction(organisation) as session:
        assert session.exec(select(Customer)).all() == []


def test_the_same_invoice_again_changes_nothing(database, organisation):
    for _ in range(2):
        follow(database, organisation, "F1", BY_SIREN)
    with database.transaction(organisation) as session:
        assert owners(session) == [f"siren:{BUYER_SIREN}"]


def test_organisations_have_accounts_of_their_own(database, organisation, other_organisation):
    for each in (organisation, other_organisation):
        follow(database, each, "F1", BY_SIREN)
    with database.transaction(organisation) as session:
        assert len(session.exec(select(Customer)).all()) == 1


def test_an_account_of_an_establishment_is_preferred_and_takes_over_its_invoices(database, organisation):
    follow(database, organisation, "F1", ESTABLISHMENT)
    follow(database, organisation, "F2", BY_SIREN)
    with database.transaction(organisation) as session:
        session.add(
            Customer(
                organisation_id=organisation,
                key=f"siret:{SIRET}",
                name="Bâtir Ensemble Lyon",
                siren=BUYER_SIREN,
                siret=SIRET,
                created_at=START,
                updated_at=START,
            )
        )
        session.flush()
        assert take_over_establishments(session) == 1
        assert take_over_establishments(session) == 0
    follow(database, organisation, "F3", ESTABLISHMENT)
    with database.transaction(organisation) as session:
        assert owners(session) == [f"siren:{BUYER_SIREN}", f"siret:{SIRET}", f"siret:{SIRET}"]


def test_the_first_invoice_tells_whom_to_write_to(database, organisation):
    buyer = BY_SIREN.model_copy(
        update={
            "contact": BuyerContact(name="Comptabilité fournisseurs", email="compta@batir.example"),
            "address": BuyerAddress(line_1="1 rue du Port", post_code="69002", city="Lyon", country="FR"),
        }
    )
    follow(database, organisation, "F1", buyer)
    with database.transaction(organisation) as session:
        contact = session.exec(select(CustomerContact)).one()
    assert (contact.name, contact.email, contact.postal) == (
        "Comptabilité fournisseurs",
        "compta@batir.example",
        ["1 rue du Port", "69002 Lyon"],
    )


def test_the_country_is_on_the_last_line_of_an_address_abroad():
    buyer = Buyer(name="Bauhaus", address=BuyerAddress(line_1="Weg 1", post_code="10115", city="Berlin", country="DE"))
    contact = identity_of(buyer, None).contact
    assert contact is not None
    assert contact.postal == ("Weg 1", "10115 Berlin", "DE")
