"""Programs and people read promises, disputes and plans; programs of the scope record them."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from gateway.access.roles import ApiScope
from gateway.access.service import create_client
from gateway.access.tokens import issue_token
from gateway.app.service import create_app
from gateway.app.services import build_services
from tests.collection.agreeing import House

FRIDAY = "2026-10-09"


@pytest.fixture
def house(database, organisation):
    made = House(database, organisation)
    made.owes("F1")
    made.owes("F2", "80.00", due_date=date(2026, 11, 30))
    return made


@pytest.fixture
def http(database, settings, clock, organisation):
    """A program that may read and write collection; `http.headers` changes who calls."""
    services = build_services(settings, clock=clock, database=database)
    clock.advance(timedelta(hours=1))
    client = TestClient(create_app(services))
    client.headers.update(token(services, organisation, ApiScope.COLLECTION_READ, ApiScope.COLLECTION_WRITE))
    client.as_reader = lambda: client.headers.update(token(services, organisation, ApiScope.COLLECTION_READ))
    return client


def token(services, organisation, *scopes):
    with services.database.transaction(organisation) as session:
        made = create_client(session, name=f"ERP {uuid4()}", scopes=list(scopes), now=services.clock())
    with services.database.system_transaction() as session:
        issued = issue_token(
            session,
            services.settings,
            client_id=made.client.client_id,
            secret=made.secret,
            scopes=frozenset(),
            now=services.clock(),
        )
    return {"Authorization": f"Bearer {issued.token}"}


def created(answer):
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_promise_is_recorded_read_listed_and_cancelled(house, http):
    customer = str(house.customer())
    told = {"customer": customer, "amount": "150.00", "due_on": FRIDAY, "contact": "Mme Roy", "origin": "reply"}
    promise = created(http.post("/api/v1/promises", json=told))
    assert [each["number"] for each in promise["invoices"]] == ["F1", "F2"]
    assert (promise["state"], promise["awaited"], promise["customer"]) == ("open", "150.00", "Bâtir Ensemble")
    assert promise["grace_until"] == "2026-10-13"
    assert [each["step"] for each in promise["history"]] == ["made"]
    address = f"/api/v1/promises/{promise['id']}"
    assert http.get(address).json() == promise
    for asked in ({"customer": customer}, {"invoice": str(house.owed["F2"].id)}, {"view": "all", "limit": "1"}):
        assert [each["id"] for each in http.get("/api/v1/promises", params=asked).json()["promises"]] == [promise["id"]]
    assert http.get("/api/v1/promises", params={"view": "late"}).json()["promises"] == []
    cancelled = http.post(f"{address}/cancellation", json={"because": "Nouvelle date"}).json()
    assert (cancelled["state"], cancelled["history"][1]["text"]) == ("cancelled", "Nouvelle date")
    again = http.post(f"{address}/cancellation", json={"because": "Nouvelle date"})
    assert (again.status_code, again.json()["code"]) == (409, "AGREEMENT_OVER")


def test_a_dispute_is_opened_talked_about_assigned_settled_and_reopened(house, http):
    told = {"invoice_id": str(house.owed["F1"].id), "reason": "quality", "amount": "20.00", "comment": "Palette abîmée"}
    dispute = created(http.post("/api/v1/disputes", json=told))
    assert (dispute["team"], dispute["contested"], dispute["number"]) == ("logistics", "20.00", "F1")
    assert dispute["reason_label"] == {"fr": "Qualité", "en": "Quality"}
    address = f"/api/v1/disputes/{dispute['id']}"
    said = http.post(f"{address}/messages", json={"text": "Photos demandées"}).json()
    assert said["history"][-1]["text"] == "Photos demandées"
    given = http.post(f"{address}/assignment", json={"owner_id": None, "team": "sales", "deadline": FRIDAY}).json()
    assert (given["team"], given["deadline"], given["owner"]) == ("sales", FRIDAY, "")
    settled = http.post(f"{address}/settlement", json={"outcome": "refused", "because": "Bon signé"}).json()
    assert (settled["outcome"], settled["contested"]) == ("refused", "0.00")
    assert http.get("/api/v1/disputes", params={"open": "true"}).json()["disputes"] == []
    reopened = http.post(f"{address}/reopening", json={"because": "Photos reçues"}).json()
    assert (reopened["closed_on"], reopened["outcome"]) == (None, None)
    assert [each["step"] for each in reopened["history"]] == [
        "made", "message", "assigned", "closed", "reopened",
    ]  # fmt: skip
    asked = {"open": "true", "team": "sales", "customer": str(house.customer())}
    assert [each["id"] for each in http.get("/api/v1/disputes", params=asked).json()["disputes"]] == [dispute["id"]]
    assert http.get(address).json() == reopened
    unknown = http.post(f"{address}/settlement", json={"outcome": "superseded", "because": "x"})
    assert unknown.status_code == 422


def test_a_plan_is_spread_evenly_or_as_told_and_cancelled(house, http):
    customer = str(house.customer())
    told = {"customer": customer, "invoices": [str(house.owed["F1"].id)], "count": 3, "first_on": FRIDAY}
    plan = created(http.post("/api/v1/plans", json={**told, "suspends_penalties": True}))
    assert [(each["due_on"], each["amount"], each["paid"]) for each in plan["instalments"]] == [
        (FRIDAY, "40.00", "0.00"),
        ("2026-11-09", "40.00", "0.00"),
        ("2026-12-09", "40.00", "0.00"),
    ]
    assert (plan["total"], plan["state"], plan["suspends_penalties"]) == ("120.00", "active", True)
    assert http.post("/api/v1/plans", json=told).json()["code"] == "INVOICE_PLANNED"
    short = {"customer": customer, "invoices": [str(house.owed["F2"].id)]}
    uneven = [{"due_on": FRIDAY, "amount": "79.99"}]
    assert http.post("/api/v1/plans", json={**short, "instalments": uneven}).json()["code"] == "PLAN_SUM"
    assert http.post("/api/v1/plans", json=short).json()["code"] == "PLAN_SUM"
    asked = {"state": ["active", "broken"], "customer": customer}
    assert [each["id"] for each in http.get("/api/v1/plans", params=asked).json()["plans"]] == [plan["id"]]
    assert http.get(f"/api/v1/plans/{plan['id']}").json() == plan
    off = http.post(f"/api/v1/plans/{plan['id']}/cancellation", json={"because": "Rien n’est venu"}).json()
    assert (off["state"], off["history"][-1]["step"]) == ("cancelled", "cancelled")


def test_reading_does_not_let_a_program_write(house, http):
    http.as_reader()
    assert http.get("/api/v1/promises").status_code == 200
    told = {"customer": str(house.customer()), "amount": "1.00", "due_on": FRIDAY}
    assert http.post("/api/v1/promises", json=told).status_code == 403


def test_pages_of_a_list_go_on_where_the_last_one_ended(house, http):
    told = {"customer": str(house.customer()), "amount": "1.00", "due_on": FRIDAY}
    ids = {created(http.post("/api/v1/promises", json=told))["id"] for _ in range(5)}
    seen, cursor = [], None
    while True:
        page = http.get("/api/v1/promises", params={"limit": "2", **({"cursor": cursor} if cursor else {})}).json()
        seen += [each["id"] for each in page["promises"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert (len(seen), set(seen)) == (5, ids)


@pytest.mark.parametrize(
    "change", [{"amount": "0"}, {"amount": "1.001"}, {"due_on": "2026-10-04"}, {"currency": "eur"}]
)
def test_a_promise_that_makes_no_sense_is_refused_and_says_why(house, http, change):
    told = {"customer": str(house.customer()), "amount": "1.00", "due_on": FRIDAY}
    answer = http.post("/api/v1/promises", json={**told, **change})
    assert (answer.status_code, bool(answer.json()["detail"])) == (422, True)
    assert http.get("/api/v1/promises", params={"view": "all"}).json()["promises"] == []
