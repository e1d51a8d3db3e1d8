"""`/api/v1/customers` and `/api/v1/receivables` on the assembled service."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from gateway.access.model import Agency
from gateway.access.roles import ApiScope
from gateway.access.service import create_client
from gateway.access.tokens import issue_token
from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.database import Database
from gateway.invoices.parties import Buyer
from gateway.invoices.terms import Identifier
from gateway.ledger.model import LedgerEntry
from tests.lifecycle.making_events import BUYER_SIREN
from tests.treasury.test_treasury_receivables import follow, receive

KEY = f"siren:{BUYER_SIREN}"
HERE = f"/api/v1/customers/{KEY}"


@pytest.fixture
def http(database: Database, settings: Any, clock: Any) -> Iterator[TestClient]:
    with TestClient(create_app(build_services(settings, clock=clock, database=database))) as client:
        yield client


@pytest.fixture
def as_program(database: Database, settings: Any, clock: Any) -> Callable[..., dict[str, str]]:
    """The Authorization header of a program of an organisation."""

    def make(organisation: UUID, *scopes: ApiScope, agencies: tuple[str, ...] = ()) -> dict[str, str]:
        wanted = list(scopes) or [ApiScope.COLLECTION_READ, ApiScope.CUSTOMERS_WRITE]
        with database.transaction(organisation) as session:
            created = create_client(session, name=f"ERP {uuid4()}", scopes=wanted, now=clock(), agencies=agencies)
            client_id, secret = created.client.client_id, created.secret
        with database.system_transaction() as session:
            issued = issue_token(session, settings, client_id=client_id, secret=secret, scopes=frozenset(), now=clock())
        return {"Authorization": f"Bearer {issued.token}"}

    return make


def test_a_customer_is_listed_found_and_shown_with_what_is_known_of_it(database, organisation, http, as_program):
    follow(database, organisation)
    headers = as_program(organisation)
    (listed,) = http.get("/api/v1/customers", params={"q": "ensemble"}, headers=headers).json()["customers"]
    assert http.get("/api/v1/customers", params={"q": "nobody"}, headers=headers).json()["customers"] == []
    shown = http.get(f"/api/v1/customers/{listed['id']}", headers=headers).json()
    assert shown["key"] == KEY
    assert http.get(HERE, headers=headers).json() == shown
    assert {fact["name"]: fact["confidence"] for fact in shown["facts"]}["siren"] == "holds"


def test_pages_of_customers_neither_skip_nor_repeat(database, organisation, http, as_program):
    for number in range(5):
        follow(database, organisation, f"F{number}", buyer=Buyer(name=f"Client {number}"))
    headers, seen, where = as_program(organisation), [], {"limit": 2}
    while where:
        page = http.get("/api/v1/customers", params=where, headers=headers).json()
        seen += [each["name"] for each in page["customers"]]
        where = page["next_cursor"] and {"limit": 2, "cursor": page["next_cursor"]}
    assert seen == [f"Client {number}" for number in range(5)]


def test_facts_contacts_covers_and_notes_are_kept_and_told_in_the_ledger(database, organisation, http, as_program):
    follow(database, organisation)
    headers = as_program(organisation)
    changed = http.patch(
        HERE, json={"payment_terms": "90", "credit_limit": "5000.00", "is_key_account": True}, headers=headers
    ).json()
    assert (changed["credit_limit"], changed["is_key_account"], changed["terms"]["lawfulness"]) == (
        "5000.00", True, "unlawful",
    )  # fmt: skip
    contact = {"name": "Mme Durand", "email": "compta@batir.example", "address": "1 rue du Port\n69002 Lyon"}
    with_contact = http.post(f"{HERE}/contacts", json=contact, headers=headers).json()
    again = http.post(f"{HERE}/contacts", json=contact | {"phone": "01 23 45 67 89"}, headers=headers).json()
    assert [each["postal"] for each in with_contact["contacts"]] == [["1 rue du Port", "69002 Lyon"]]
    assert [each["phone"] for each in again["contacts"]] == ["01 23 45 67 89"]
    cover = {"insurer": "Assur", "amount": "1000.00", "valid_from": "2026-01-01"}
    covered = http.post(f"{HERE}/covers", json=cover, headers=headers).json()
    assert covered["covered"] == "1000.00"
    noted = http.post(f"{HERE}/notes", json={"text": "Paie le 10."}, headers=headers).json()
    assert [each["text"] for each in noted["notes"]] == ["Paie le 10."]
    http.patch(HERE, json={"credit_limit": None}, headers=headers)
    for part in (f"contacts/{covered['contacts'][0]['id']}", f"covers/{covered['covers'][0]['id']}"):
        assert http.delete(f"{HERE}/{part}", headers=headers).status_code == 204
        assert http.delete(f"{HERE}/{part}", headers=headers).status_code == 404
    final = http.get(HERE, headers=headers).json()
    assert (final["credit_limit"], final["contacts"], final["covers"]) == (None, [], [])
    with database.transaction(organisation) as session:
        kinds = session.exec(
            select(LedgerEntry.kind).where(LedgerEntry.subject == f"customer:{KEY}").order_by(LedgerEntry.position)
        ).all()
    assert kinds == [
        "customer.changed", "customer.contact_kept", "customer.contact_kept", "customer.cover_kept",
        "customer.note_added", "customer.changed", "customer.contact_removed", "customer.cover_removed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"siren": "443061841"}, "CUSTOMER_VALUE_REFUSED"),
        ({"payment_terms": "soon"}, "CUSTOMER_VALUE_REFUSED"),
        ({"name": None}, "CUSTOMER_VALUE_REFUSED"),
        ({"collector": "nobody@nowhere.example"}, "CUSTOMER_COLLECTOR_UNKNOWN"),
    ],
)
def test_what_cannot_be_said_of_a_customer_is_refused_and_nothing_changes(
    database, organisation, http, as_program, body, code
):
    follow(database, organisation)
    headers = as_program(organisation)
    before = http.get(HERE, headers=headers).json()
    refused = http.patch(HERE, json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert http.get(HERE, headers=headers).json() == before


def test_a_file_is_shown_first_then_taken(database, organisation, http, as_program):
    headers = as_program(organisation)
    data = f"SIREN;Nom\n{BUYER_SIREN};Bâtir\n123;Faux".encode()
    shown = http.post("/api/v1/customers/import", content=data, headers=headers).json()
    assert (shown["written"], shown["created"], shown["refused"]) == (False, 1, 1)
    assert [(row["line"], row["column"], row["value"]) for row in shown["refused_rows"]] == [(3, "SIREN", "123")]
    assert http.get(HERE, headers=headers).status_code == 404
    taken = http.post("/api/v1/customers/import", params={"dry_run": False}, content=data, headers=headers).json()
    assert taken == shown | {"written": True}
    assert http.get(HERE, headers=headers).json()["name"] == "Bâtir"
    unreadable = http.post("/api/v1/customers/import", content=b"\0", headers=headers)
    assert (unreadable.status_code, unreadable.json()["code"]) == (422, "CUSTOMER_FILE_UNREADABLE")


def test_writing_wants_its_own_scope_and_another_organisation_finds_nothing(
    database, organisation, other_organisation, http, as_program
):
    follow(database, organisation)
    reader, stranger = as_program(organisation, ApiScope.COLLECTION_READ), as_program(other_organisation)
    assert http.patch(HERE, json={"name": "X"}, headers=reader).status_code == 403
    assert http.get(HERE, headers=stranger).status_code == 404
    assert http.patch(HERE, json={"name": "X"}, headers=stranger).status_code == 404
    assert http.get("/api/v1/receivables", headers=stranger).json()["cells"] == []


def test_what_is_owed_opens_down_to_invoices_statuses_and_receipts(database, organisation, http, as_program):
    paid = follow(database, organisation)
    receipt = receive(database, organisation, "50.00", {paid.id: Decimal("50.00")})
    headers = as_program(organisation)
    answer = http.get("/api/v1/receivables", params={"by": "customer"}, headers=headers).json()
    (cell,) = answer["cells"]
    assert (cell["name"], cell["figures"]["balance"]) == ("Bâtir Ensemble", {"amount": "70.00", "items": 1})
    assert [total["figures"] for total in answer["totals"]] == [cell["figures"]]
    where = {"by": "customer", "of": cell["of"], "currency": "EUR", "figure": "payments"}
    behind = http.get("/api/v1/receivables/items", params=where, headers=headers).json()
    (item,) = behind["items"]
    assert (behind["total"], item["amount"], item["invoice_id"], item["receipt_ids"]) == (
        "-50.00", "-50.00", str(paid.id), [str(receipt.id)],
    )  # fmt: skip


@pytest.mark.parametrize("by", ["customer", "agency", "entity", "group"])
def test_every_figure_of_every_cell_is_the_sum_of_its_items(database, organisation, http, as_program, by):
    other = Buyer(name="Autre Client", legal_id=Identifier(value="443061841", scheme="0002"))
    follow(database, organisation, "F1")
    follow(database, organisation, "A1", "30.00", type_code="381")
    follow(database, organisation, "F2", "60.00", buyer=other)
    receive(database, organisation, "5.00")
    headers = as_program(organisation)
    for cell in http.get("/api/v1/receivables", params={"by": by}, headers=headers).json()["cells"]:
        for family, figure in cell["figures"].items():
            where = {"by": by, "currency": cell["currency"], "figure": family, "limit": 1}
            where |= {"of": cell["of"]} if cell["of"] else {}
            total, count, cursor = Decimal(0), 0, {}
            while cursor is not None:
                page = http.get("/api/v1/receivables/items", params=where | cursor, headers=headers).json()
                total += sum(Decimal(item["amount"]) for item in page["items"])
                count += len(page["items"])
                cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
            assert (total, count) == (Decimal(figure["amount"]), figure["items"]), (cell["of"], family)


def test_pages_of_cells_are_whole_and_a_bad_cursor_is_refused(database, organisation, http, as_program):
    for number in range(3):
        follow(database, organisation, f"F{number}", f"{number + 1}0.00", buyer=Buyer(name=f"Client {number}"))
    headers = as_program(organisation)
    first = http.get("/api/v1/receivables", params={"limit": 2}, headers=headers).json()
    rest = http.get("/api/v1/receivables", params={"cursor": first["next_cursor"]}, headers=headers).json()
    names = [cell["name"] for cell in first["cells"] + rest["cells"]]
    assert (names, rest["next_cursor"]) == (["Client 2", "Client 1", "Client 0"], None)
    assert http.get("/api/v1/receivables", params={"cursor": "!"}, headers=headers).status_code in (400, 422)


def test_a_program_limited_to_an_agency_sees_its_customers_only_and_may_not_write(
    database, organisation, http, as_program
):
    with database.transaction(organisation) as session:
        agency = Agency(organisation_id=organisation, siret="73282932000074", code="P", name="Paris")
        session.add(agency)
    follow(database, organisation, "F1", agency_id=agency.id)
    follow(database, organisation, "F2", buyer=Buyer(name="Client caché"))
    limited = as_program(organisation, ApiScope.COLLECTION_READ, agencies=("73282932000074",))
    assert [each["name"] for each in http.get("/api/v1/customers", headers=limited).json()["customers"]] == [
        "Bâtir Ensemble"
    ]
    assert http.get("/api/v1/customers/name:client caché", headers=limited).status_code == 404
    assert len(http.get("/api/v1/receivables", headers=limited).json()["cells"]) == 1
