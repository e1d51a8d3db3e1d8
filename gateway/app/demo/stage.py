"""Who plays in the demonstration: the wholesaler with its agencies, its people, its billing and accounting system."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from fixtures.companies import Company, make_seller
from gateway.access.model import Agency, ApiClient, Organisation, User
from gateway.access.roles import ApiScope, Role
from gateway.access.scope import Scope
from gateway.access.service import (
    NewClient,
    create_agency,
    create_client,
    create_organisation,
    create_user,
    rotate_client_secret,
)
from gateway.app.demo.script import SEED, demo_organisation
from gateway.app.services import Services
from gateway.collection.messages.keeping import store_letterhead

DEMO_EMAIL = "demo@valbrune.example"
_CLIENT_NAME = "Démonstration"
_SCOPES = (
    ApiScope.FLOWS_WRITE,
    ApiScope.FLOWS_READ,
    ApiScope.RECEIPTS_WRITE,
    ApiScope.CUSTOMERS_WRITE,
    ApiScope.COLLECTION_READ,
    ApiScope.COLLECTION_WRITE,
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Who plays: the organisation, the person whom the pages sign in, and the credentials of the billing system."""

    organisation_id: UUID
    user_id: UUID
    user_name: str
    client_id: str
    client_secret: str


def set_stage(services: Services) -> Stage:
    """Create what is missing: organisation, agencies, people; give the billing system a new secret."""
    seller = make_seller(SEED)
    organisation = _organisation(services, seller)
    with services.database.transaction(organisation.id) as session:
        _agencies(session, seller)
        user = session.exec(select(User).where(User.email == DEMO_EMAIL)).one_or_none()
        if user is None:
            user = _people(session, seller, services.clock())
            told = _letterhead(seller)
            store_letterhead(session, Scope.everything(), told, by=_CLIENT_NAME, now=services.clock())
        user_id, user_name = user.id, user.name
    client = _billing_system(services, organisation)
    return Stage(organisation.id, user_id, user_name, client.client.client_id, client.secret)


def _organisation(services: Services, seller: Company) -> Organisation:
    known = demo_organisation(services.database)
    if known is not None:
        return known
    with services.database.system_transaction() as session:
        return create_organisation(session, siren=seller.siren, name=seller.name, now=services.clock())


def _agencies(session: Session, seller: Company) -> None:
    known = set(session.exec(select(Agency.siret)).all())
    for agency in seller.agencies:
        if agency.siret not in known:
            create_agency(session, siret=agency.siret, code=agency.code, name=agency.name)


def _billing_system(services: Services, organisation: Organisation) -> NewClient:
    """The same program at each start, since tracking ids are counted by program; its secret is a new one."""
    with services.database.transaction(organisation.id) as session:
        known = session.exec(select(ApiClient.client_id).where(ApiClient.name == _CLIENT_NAME)).one_or_none()
        if known is None:
            return create_client(session, name=_CLIENT_NAME, scopes=list(_SCOPES), now=services.clock())
    with services.database.system_transaction() as session:
        return rotate_client_secret(session, known)


def _people(session: Session, seller: Company, now: datetime) -> User:
    """The person the pages sign in, a collector of three agencies and a treasurer; nobody knows their passwords."""
    create_user(
        session,
        email="collecte@valbrune.example",
        name="Sacha Morel",
        password=secrets.token_urlsafe(24),
        role=Role.COLLECTOR,
        now=now,
        agencies=[agency.siret for agency in seller.agencies[:3]],
    )
    create_user(
        session,
        email="tresorerie@valbrune.example",
        name="Dominique Faure",
        password=secrets.token_urlsafe(24),
        role=Role.TREASURER,
        now=now,
    )
    return create_user(
        session,
        email=DEMO_EMAIL,
        name="Camille Roux",
        password=secrets.token_urlsafe(24),
        role=Role.AR_MANAGER,
        now=now,
    )


def _letterhead(seller: Company) -> dict[str, object]:
    """What the letters bear, as `gateway letters head` reads it."""
    address, capital = seller.address, f"{seller.share_capital:,}".replace(",", " ")
    return {
        "name": seller.name,
        "address": [address.street, f"{address.postcode} {address.city}"],
        "contact": ["Service recouvrement", seller.contact.telephone],
        "iban": seller.iban,
        "bic": seller.bic,
        "mentions": f"{seller.legal_form} au capital de {capital} € · SIREN {seller.siren}",
    }
