"""`/api/v1/accounting` and `/api/v1/write-offs` on the assembled service."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from fixtures.fec import faulty_fec, fec, year_of_books
from gateway.access.model import Agency
from gateway.access.roles import ApiScope
from gateway.access.service import create_client
from gateway.access.tokens import issue_token
from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.database import Database
from gateway.treasury.accounting.model import AccountingEntry
from tests.lifecycle.making_events import BUYER_SIREN
from tests.treasury.test_accounting_importing import LETTERED, all_of, known, payment, sale
from tests.treasury.test_accounting_importing import fec as fec_of

IMPORTS = "/api/v1/accounting/imports"


@pytest.fixture
def http(database: Database, settings: Any, clock: Any) -> Iterator[TestClient]:
    with TestClient(create_app(build_services(settings, clock=clock, database=database))) as client:
        yield client


@pytest.fixture
def as_program(database: Database, settings: Any, clock: Any) -> Callable[..., dict[str, str]]:
    """The Authorization header of a program of an organisation."""

    def make(organisation: UUID, *scopes: ApiScope, agencies: tuple[str, ...] = ()) -> dict[str, str]:
        with database.transaction(organisation) as session:
            for siret in agencies:
                session.add(Agency(organisation_id=organisation, code="LYO", name="Lyon", siret=siret))
            session.flush()
            created = create_client(
                session, name=f"Compta {uuid4()}", scopes=list(scopes), now=clock(), agencies=agencies
            )
            client_id, secret = created.client.client_id, created.secret
        with database.system_transaction() as session:
            issued = issue_token(session, settings, client_id=client_id, secret=secret, scopes=frozenset(), now=clock())
        return {"Authorization": f"Bearer {issued.token}"}

    return make


@pytest.fixture
def program(organisation: UUID, as_program: Callable[..., dict[str, str]]) -> dict[str, str]:
    return as_program(organisation, ApiScope.ACCOUNTING_WRITE, ApiScope.COLLECTION_READ, ApiScope.COLLECTION_WRITE)


def test_books_are_tried_by_default_then_taken_and_stay_in_the_history(database, organisation, http, program):
    content = faulty_fec(year_of_books(5), "finer than a cent")
    tried = http.post(IMPORTS, params={"file_name": "fec.txt"}, content=content, headers=program).json()
    assert (tried["written"], tried["refused"]) == (False, 1)
    assert all_of(database, organisation, AccountingEntry) == []
    assert http.get(IMPORTS, headers=program).json()["imports"] == []
    taken = http.post(
        IMPORTS, params={"file_name": "fec.txt", "dry_run": False}, content=content, headers=program
    ).json()
    assert (taken["written"], taken["new"], taken["outcomes"]) == (True, tried["new"], tried["outcomes"])
    (kept,) = http.get(IMPORTS, headers=program).json()["imports"]
    assert (kept["file_name"], kept["sha256"], kept["counts"]["new"]) == ("fec.txt", taken["sha256"], taken["new"])
    assert kept["refused_lines"] == taken["refused_lines"]
    assert http.get(f"{IMPORTS}/{kept['id']}", headers=program).json() == kept
    assert http.get(f"{IMPORTS}/{uuid4()}", headers=program).status_code == 404


def test_an_account_is_told_and_what_the_books_alone_know_is_owed(database, organisation, http, program):
    known(database, organisation, "F1")
    content = fec_of(*sale("V1", "500,00", aux="C009")).encode()
    http.post(IMPORTS, params={"dry_run": False}, content=content, headers=program)
    lines = http.get("/api/v1/accounting/entries", params={"outcome": "unknown_customer"}, headers=program).json()
    assert [line["account"] for line in lines["entries"]] == ["C009"]
    told = http.put(
        "/api/v1/accounting/accounts/C009", json={"customer": f"siren:{BUYER_SIREN}"}, headers=program
    ).json()
    assert told["outcomes"] == {"opening": 1}
    (account,) = http.get("/api/v1/accounting/accounts", headers=program).json()
    assert account["customer_id"]
    cell = http.get("/api/v1/receivables", headers=program).json()["cells"][0]["figures"]
    assert (cell["openings"]["amount"], cell["balance"]["amount"]) == ("500.00", "620.00")
    (item,) = http.get(
        "/api/v1/receivables/items",
        params={"by": "customer", "of": account["customer_id"], "currency": "EUR", "figure": "openings"},
        headers=program,
    ).json()["items"]
    assert (item["kind"], item["entry_id"], item["invoice_id"]) == ("opening", lines["entries"][0]["id"], None)
    assert (
        http.put(
            "/api/v1/accounting/accounts/C404", json={"customer": f"siren:{BUYER_SIREN}"}, headers=program
        ).status_code
        == 404
    )


def test_a_file_that_is_no_table_of_entries_is_a_named_problem(http, program):
    answer = http.post(IMPORTS, content=b"a;b\n1;2\n", headers=program)
    assert (answer.status_code, answer.json()["code"]) == (422, "ACCOUNTING_FILE_UNREADABLE")


def test_who_sees_a_part_of_the_organisation_sees_no_books(organisation, http, as_program):
    limited = as_program(organisation, ApiScope.COLLECTION_READ, agencies=("73282932000074",))
    for path in (IMPORTS, "/api/v1/accounting/entries", "/api/v1/accounting/accounts"):
        assert http.get(path, headers=limited).status_code == 403
    reader = as_program(organisation, ApiScope.COLLECTION_READ)
    assert http.post(IMPORTS, content=fec(year_of_books(1)), headers=reader).status_code == 403


def test_a_program_writes_off_and_undoes(database, organisation, http, program, as_program):
    invoice = known(database, organisation, "F1")
    here = f"/api/v1/invoices/{invoice.id}/write-offs"
    made = http.post(here, json={"amount": "20.00", "reason": "Client disparu."}, headers=program)
    assert (made.status_code, made.json()["kind"], made.json()["number"]) == (201, "loss", "F1")
    undone = http.post(
        f"/api/v1/write-offs/{made.json()['id']}/reversal", json={"reason": "Erreur."}, headers=program
    ).json()
    assert (undone["amount"], undone["reverses"]) == ("-20.00", made.json()["id"])
    listed = http.get("/api/v1/write-offs", params={"invoice": str(invoice.id)}, headers=program).json()["write_offs"]
    assert {each["id"]: each["reversed_by"] for each in listed} == {
        made.json()["id"]: undone["id"],
        undone["id"]: None,
    }
    by_customer = {"customer": f"siren:{BUYER_SIREN}"}
    assert http.get("/api/v1/write-offs", params=by_customer, headers=program).json()["write_offs"] == listed
    too_much = http.post(here, json={"amount": "999.00", "reason": "x"}, headers=program)
    assert (too_much.status_code, too_much.json()["code"]) == (422, "WRITE_OFF_AMOUNT")
    reader = as_program(organisation, ApiScope.COLLECTION_READ)
    assert http.post(here, json={"reason": "x"}, headers=reader).status_code == 403


def test_a_file_taken_by_a_program_pays_what_it_is_lettered_with(database, organisation, http, program):
    known(database, organisation, "F1")
    content = fec_of(*sale(**LETTERED), *payment(day="20261001", **LETTERED)).encode()
    taken = http.post(IMPORTS, params={"dry_run": False}, content=content, headers=program).json()
    assert (taken["recorded"], taken["outcomes"]) == (1, {"allocated": 1, "matched": 1})
    assert http.get("/api/v1/receivables", headers=program).json()["cells"] == []
