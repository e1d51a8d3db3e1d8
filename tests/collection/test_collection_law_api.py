"""Penalties, limitation, insolvency, hand-over and the order check, by the API of the assembled service."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader
from sqlalchemy.exc import ProgrammingError
from sqlmodel import col, select, update

from fixtures.cii import to_cii
from fixtures.companies import make_customers, make_seller
from fixtures.drafts import InvoiceDraft, make_draft
from fixtures.pdf import to_facturx
from fixtures.profiles import Profile
from fixtures.ubl import to_ubl
from gateway.access.roles import ApiScope
from gateway.access.service import create_client
from gateway.access.tokens import issue_token
from gateway.alerts.model import Alert
from gateway.app.service import create_app
from gateway.app.services import Services, build_services
from gateway.collection.account_rows import accounts_of
from gateway.collection.law.model import ClaimEnding
from gateway.collection.law.tasks import review_law
from gateway.collection.model import CollectionAction
from gateway.customers.model import Customer
from gateway.database import Database
from gateway.invoices.model import InvoicingPeriod, PrecedingInvoice
from gateway.invoices.parties import Delivery
from gateway.ledger.model import LedgerEntry
from gateway.lifecycle.model import InvoiceRecord
from tests.collection.agreeing import House
from tests.lifecycle.making_events import BUYER_SIREN, START

HERE = "/api/v1"
CUSTOMER = f"{HERE}/customers/{BUYER_SIREN}"


@pytest.fixture
def services(database: Database, settings: Any, clock: Any) -> Services:
    return build_services(settings, clock=clock, database=database)


@pytest.fixture
def http(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services)) as client:
        yield client


@pytest.fixture
def as_program(database: Database, settings: Any, clock: Any) -> Callable[..., dict[str, str]]:
    """The Authorization header of a program of an organisation."""

    def make(organisation: UUID, *scopes: ApiScope) -> dict[str, str]:
        wanted = list(scopes) or [ApiScope.COLLECTION_READ, ApiScope.COLLECTION_WRITE]
        with database.transaction(organisation) as session:
            created = create_client(session, name=f"ERP {uuid4()}", scopes=wanted, now=clock())
            client_id, secret = created.client.client_id, created.secret
        with database.system_transaction() as session:
            issued = issue_token(session, settings, client_id=client_id, secret=secret, scopes=frozenset(), now=clock())
        return {"Authorization": f"Bearer {issued.token}"}

    return make


@pytest.fixture
def house(database: Database, organisation: UUID) -> House:
    """F1, 1,200.00 EUR, due on 31 March 2026; today is 5 October 2026."""
    house = House(database, organisation, now=START)
    house.owes("F1", "1200.00", issue_date=date(2026, 2, 28), due_date=date(2026, 3, 31))
    return house


def of(house: House, number: str = "F1") -> str:
    return f"{HERE}/invoices/{house.owed[number].id}"


def drafted() -> InvoiceDraft:
    seller = make_seller(1)
    return make_draft(Random(1), seller, seller.agencies[0], make_customers(1, 1)[0], number="LU-1")


def stand_for(house: House, services: Services, files: dict[str, bytes]) -> None:
    """The files that the house's invoices stand for."""
    with house.database.transaction(house.organisation) as session:
        for number, content in files.items():
            services.documents.put(number.encode())  # what the ledger was told of
            kept = services.documents.put(content)
            session.get_one(InvoiceRecord, house.owed[number].id).document_sha256 = kept


def alerts(house: House, condition: str) -> list[str]:
    with house.database.transaction(house.organisation) as session:
        return list(
            session.exec(select(Alert.state).where(Alert.condition == condition).order_by(col(Alert.opened_at)))
        )


def kinds(house: House) -> list[str]:
    with house.database.transaction(house.organisation) as session:
        return list(session.exec(select(LedgerEntry.kind)))


def test_a_sheet_is_read_claimed_and_waived(house, http, as_program):
    headers = as_program(house.organisation)
    sheet = http.get(f"{of(house)}/penalties", params={"until": "2026-04-10"}, headers=headers).json()
    assert (sheet["days"], sheet["interest"], sheet["indemnity"]) == (10, "3.99", "40.00")
    assert sheet["lines"] == [
        {
            "first": "2026-04-01",
            "last": "2026-04-10",
            "days": 10,
            "base": "1200.00",
            "percent": "12.15",
            "amount": "3.9945",
            "provisional": False,
        }
    ]
    claimed = http.post(f"{of(house)}/penalties", json={"until": "2026-04-10"}, headers=headers)
    assert claimed.status_code == 201
    interest, indemnity = claimed.json()["claimed"]
    assert (interest["amount"], indemnity["amount"]) == ("3.99", "40.00")
    again = http.post(f"{of(house)}/penalties", json={"until": "2026-04-10"}, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "NOTHING_TO_CLAIM")
    waived = http.post(f"{HERE}/penalties/{indemnity['id']}/waivers", json={"reason": "Geste"}, headers=headers)
    assert (waived.status_code, waived.json()["left"]) == (201, "0.00")
    page = http.get(f"{HERE}/penalties", params={"customer": BUYER_SIREN}, headers=headers).json()
    assert [each["number"] for each in page["penalties"]] == ["F1"]


def test_a_claim_that_exceeds_what_is_due_is_told_and_lowered_once(house, http, as_program):
    headers = as_program(house.organisation)
    http.post(f"{of(house)}/penalties", json={"until": "2026-04-10"}, headers=headers)
    house.pay("1200.00", on=date(2026, 4, 5))
    sheet = http.get(f"{of(house)}/penalties", headers=headers).json()
    assert (sheet["interest"], sheet["interest_excess"], sheet["indemnity_excess"]) == ("2.00", "1.99", "0.00")
    corrections = f"{of(house)}/penalties/corrections"
    corrected = http.post(corrections, json={"reason": "Virement du 5 avril"}, headers=headers)
    assert (corrected.status_code, corrected.json()["interest_excess"]) == (201, "0.00")
    interest = corrected.json()["claimed"][0]
    assert (interest["amount"], interest["corrected"], interest["left"]) == ("3.99", "1.99", "2.00")
    again = http.post(corrections, json={"reason": "Encore"}, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "NOTHING_TO_CORRECT")


def test_choices_and_rates_hold_for_all_for_a_customer_or_an_invoice(house, http, as_program):
    headers = as_program(house.organisation)
    choice = {"treatment": "waived", "customer": BUYER_SIREN, "reason": "Accord"}
    assert http.post(f"{HERE}/penalty-choices", json=choice, headers=headers).status_code == 204
    assert http.get(f"{of(house)}/penalties", headers=headers).json()["treatment"] == "waived"
    rate = {"percent": "7.85", "valid_from": "2026-01-01", "source": "CGV"}
    refused = http.post(f"{HERE}/agreed-rates", json=rate, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "AGREED_RATE_TOO_LOW")
    assert http.post(f"{HERE}/agreed-rates", json={**rate, "percent": "9"}, headers=headers).status_code == 204
    lines = http.get(f"{of(house)}/penalties", headers=headers).json()["lines"]
    assert {line["percent"] for line in lines} == {"9.00"}


def test_the_limitation_is_counted_from_the_delivery_and_a_registered_letter_interrupts_nothing(
    house, http, as_program
):
    headers = as_program(house.organisation)
    shown = http.get(f"{of(house)}/limitation", headers=headers).json()
    assert (shown["started_on"], shown["term"], shown["ends_on"]) == ("2026-02-28", "BT-2", "2031-02-28")
    letter = {"kind": "registered_letter", "on": "2026-09-01", "document": "LRAR 1A"}
    acknowledgement = {"kind": "acknowledgement", "on": "2026-09-15", "document": "Courriel du 15"}
    assert http.post(f"{of(house)}/acts", json=letter, headers=headers).json()["ends_on"] == "2031-02-28"
    told = http.post(f"{of(house)}/acts", json=acknowledgement, headers=headers).json()
    assert told["ends_on"] == "2031-09-15"
    assert [act["interrupts"] for act in told["acts"]] == [False, True]
    court = http.post(
        f"{of(house)}/acts", json={**letter, "kind": "court_claim", "on": "2026-09-20"}, headers=headers
    ).json()
    assert court["ends_on"] is None
    act = court["acts"][-1]["id"]
    assert (
        http.post(f"{HERE}/acts/{act}/end", json={"on": "2026-10-01"}, headers=headers).json()["ends_on"]
        == "2031-10-01"
    )
    wrong = http.post(f"{of(house)}/acts", json={**letter, "kind": "phone_call"}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "LEGAL_FACT_REFUSED")


def test_how_proceedings_ended_is_recorded_told_again_and_kept(house, http, as_program):
    headers = as_program(house.organisation)
    claim = {"kind": "court_claim", "on": "2026-09-20", "document": "RG 26/1"}
    act = http.post(f"{of(house)}/acts", json=claim, headers=headers).json()["acts"][0]
    assert (act["may_end"], act["endings"]) == (True, [])
    end = f"{HERE}/acts/{act['id']}/end"
    dismissed = {"on": "2026-10-01", "ending": "dismissed", "document": "Jugement du 1er octobre"}
    told = http.post(end, json=dismissed, headers=headers).json()
    assert told["ends_on"] == "2031-02-28"
    assert (told["acts"][0]["interrupts"], told["acts"][0]["law"]) == (False, "code civil, art. 2243")
    on_appeal = {"on": "2026-10-04", "document": "Arrêt", "comment": "Infirmé"}
    told = http.post(end, json=on_appeal, headers=headers).json()
    assert (told["ends_on"], told["acts"][0]["interrupts"]) == ("2031-10-04", True)
    assert [(each["ending"], each["document"], each["counts"]) for each in told["acts"][0]["endings"]] == [
        ("dismissed", "Jugement du 1er octobre", False),
        ("ended", "Arrêt", True),
    ]
    assert [each.content["ending"] for each in house.rows(LedgerEntry) if each.kind == "claim.proceedings_ended"] == [
        "dismissed",
        "ended",
    ]


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        ("court_claim", {"on": "2026-10-01", "ending": "vanished"}),
        ("court_claim", {"on": "2026-09-19"}),
        ("acknowledgement", {"on": "2026-10-01"}),
    ],
)
def test_an_ending_that_cannot_be_is_refused(house, http, as_program, kind, end):
    headers = as_program(house.organisation)
    act = {"kind": kind, "on": "2026-09-20", "document": "RG 26/1"}
    (known,) = http.post(f"{of(house)}/acts", json=act, headers=headers).json()["acts"]
    refused = http.post(f"{HERE}/acts/{known['id']}/end", json=end, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "LEGAL_FACT_REFUSED")
    assert house.rows(ClaimEnding) == []


def test_an_ending_that_was_told_is_never_changed(house, http, as_program):
    headers = as_program(house.organisation)
    claim = {"kind": "court_claim", "on": "2026-09-20", "document": "RG 26/1"}
    (act,) = http.post(f"{of(house)}/acts", json=claim, headers=headers).json()["acts"]
    http.post(f"{HERE}/acts/{act['id']}/end", json={"on": "2026-10-01"}, headers=headers)
    with pytest.raises(ProgrammingError), house.database.transaction(house.organisation) as session:
        session.execute(update(ClaimEnding).values(outcome="lapsed"))


def test_people_are_warned_anew_when_what_put_the_end_off_never_interrupted_it(house, services, http, as_program):
    house.owes("OLD", "500.00", issue_date=date(2022, 1, 10), due_date=date(2022, 2, 10))
    review_law(services.law, house.organisation)
    headers = as_program(house.organisation)
    claim = {"kind": "court_claim", "on": "2026-09-20", "document": "RG 26/1"}
    (act,) = http.post(f"{of(house, 'OLD')}/acts", json=claim, headers=headers).json()["acts"]
    review_law(services.law, house.organisation)
    assert alerts(house, "claim.limitation") == ["closed"]
    http.post(f"{HERE}/acts/{act['id']}/end", json={"on": "2026-10-01", "ending": "withdrawn"}, headers=headers)
    for _ in range(2):
        review_law(services.law, house.organisation)
    assert sorted(alerts(house, "claim.limitation")) == ["closed", "open"]


def test_people_are_warned_once_before_a_claim_is_lost_and_the_alert_cures_itself(house, services, http, as_program):
    house.owes("OLD", "500.00", issue_date=date(2022, 1, 10), due_date=date(2022, 2, 10))
    for _ in range(2):
        review_law(services.law, house.organisation)
    assert alerts(house, "claim.limitation") == ["open"]
    with house.database.transaction(house.organisation) as session:
        [action] = session.exec(select(CollectionAction)).all()
    assert "OLD" in action.title_fr
    acknowledgement = {"kind": "acknowledgement", "on": "2026-10-01", "document": "Lettre"}
    headers = as_program(house.organisation)
    assert http.post(f"{of(house, 'OLD')}/acts", json=acknowledgement, headers=headers).status_code == 201
    assert alerts(house, "claim.limitation") == ["closed"]


@pytest.mark.parametrize(
    ("issued", "title", "says"),
    [
        (date(2022, 1, 10), "Prescription proche : facture OLD", "se prescrit le 10 janvier 2027"),
        (date(2021, 10, 5), "Prescription proche : facture OLD", "se prescrit le 5 octobre 2026"),
        (date(2021, 10, 4), "Créance prescrite : facture OLD", "le dernier jour pour agir était le 4 octobre 2026"),
    ],
)
def test_a_claim_that_time_has_barred_is_not_told_as_one_that_can_still_be_saved(house, services, issued, title, says):
    house.owes("OLD", "500.00", issue_date=issued, due_date=issued + timedelta(days=30))
    review_law(services.law, house.organisation)
    with house.database.transaction(house.organisation) as session:
        alert = session.exec(select(Alert)).one()
    assert alert.title_fr == title
    assert says in alert.reason_fr


def test_a_claim_that_was_not_declared_in_time_is_told_with_its_last_way_out(house, services, http, as_program):
    told = {"kind": "receivership", "judgment_on": "2026-06-01", "published_on": "2026-06-10", "source": "BODACC"}
    http.post(f"{CUSTOMER}/insolvencies", json=told, headers=as_program(house.organisation))
    review_law(services.law, house.organisation)
    with house.database.transaction(house.organisation) as session:
        alert = session.exec(select(Alert).where(Alert.condition == "insolvency.claim")).one()
    assert "étaient à déclarer au plus tard le 10 août 2026" in alert.reason_fr
    assert "relevé de forclusion" in alert.next_step_fr


def test_a_claim_that_is_paid_is_no_longer_warned_of(house, services):
    house.owes("OLD", "500.00", issue_date=date(2022, 1, 10), due_date=date(2022, 2, 10))
    review_law(services.law, house.organisation)
    house.pay("500.00", "OLD")
    review_law(services.law, house.organisation)
    assert alerts(house, "claim.limitation") == ["closed"]


def test_an_insolvency_stops_reminders_warns_in_time_and_is_declared(house, services, http, as_program, clock):
    headers = as_program(house.organisation)
    told = {
        "kind": "receivership",
        "judgment_on": "2026-09-01",
        "published_on": "2026-09-10",
        "source": "BODACC A n° 1",
    }
    recorded = http.post(f"{CUSTOMER}/insolvencies", json=told, headers=headers)
    assert (recorded.status_code, recorded.json()["declare_by"]) == (201, "2026-11-10")
    assert http.post(f"{CUSTOMER}/insolvencies", json=told, headers=headers).status_code == 409
    with house.database.transaction(house.organisation) as session:
        assert session.exec(select(Customer.insolvent_since)).one() == date(2026, 9, 1)
    review_law(services.law, house.organisation)
    assert alerts(house, "insolvency.claim") == []
    clock.advance(timedelta(days=16))
    for _ in range(2):
        review_law(services.law, house.organisation)
    assert alerts(house, "insolvency.claim") == ["open"]
    headers = as_program(house.organisation)
    declared = {"on": "2026-10-20", "amount": "1243.99", "reference": "LRAR 2B"}
    where = f"{HERE}/insolvencies/{recorded.json()['id']}/declaration"
    assert http.post(where, json=declared, headers=headers).json()["declared_amount"] == "1243.99"
    assert http.post(where, json=declared, headers=headers).status_code == 409
    assert alerts(house, "insolvency.claim") == ["closed"]
    ended = http.post(f"{HERE}/insolvencies/{recorded.json()['id']}/end", json={"on": "2026-10-21"}, headers=headers)
    assert ended.json()["ended_on"] == "2026-10-21"
    with house.database.transaction(house.organisation) as session:
        assert session.exec(select(Customer.insolvent_since)).one() is None


def test_an_order_is_allowed_warned_or_blocked_with_its_reasons(house, http, as_program):
    headers = as_program(house.organisation)

    def check(amount: str = "100.00") -> tuple[str, list[str]]:
        found = http.get(f"{CUSTOMER}/order-check", params={"amount": amount}, headers=headers).json()
        return found["verdict"], [each["rule"] for each in found["reasons"]]

    assert check() == ("blocked", ["overdue_days"])
    relaxed = {"valid_from": "2026-10-01", "thresholds": {"overdue_days_blocked": 0, "overdue_days_warned": 0}}
    assert http.put(f"{HERE}/order-thresholds", json=relaxed, headers=headers).status_code == 200
    assert check() == ("warned", ["overdue_amount"])
    with house.database.transaction(house.organisation) as session:
        session.execute(update(Customer).values(credit_limit=1250))
    assert check("40.00") == ("warned", ["exposure", "overdue_amount"])
    assert check("60.00") == ("blocked", ["exposure", "overdue_amount"])
    assert http.put(f"{CUSTOMER}/order-block", json={"reason": "Impayés"}, headers=headers).status_code == 204
    assert http.put(f"{CUSTOMER}/order-block", json={"reason": "Impayés"}, headers=headers).status_code == 409
    assert check("1.00")[1][0] == "manual_block"
    assert http.post(f"{CUSTOMER}/order-block/lift", json={"reason": "Payé"}, headers=headers).status_code == 204
    assert check("1.00") == ("warned", ["exposure", "overdue_amount"])
    wrong = {"valid_from": "2026-10-01", "thresholds": {"overdue_weeks": 1}}
    assert http.put(f"{HERE}/order-thresholds", json=wrong, headers=headers).status_code == 422
    assert http.get(f"{CUSTOMER}/order-check", params={"amount": "NaN"}, headers=headers).status_code == 422


def test_a_hand_over_stops_reminders_and_makes_one_file_with_everything(house, services, http, as_program):
    reference = (PrecedingInvoice(number="F1", issue_date=date(2026, 2, 28)),)
    house.owes("A1", "200.00", type_code="381", issue_date=date(2026, 4, 15), preceding_invoices=reference)
    stand_for(house, services, {"F1": to_ubl(drafted()), "A1": to_cii(drafted(), Profile.EN_16931)})
    headers = as_program(house.organisation)
    body = {"invoices": [str(house.owed["F1"].id)], "handed_to": "Me Martin", "reference": "2026-12"}
    given = http.post(f"{CUSTOMER}/hand-overs", json=body, headers=headers)
    assert given.status_code == 201
    needs = [each["need"] for each in given.json()["missing"]]
    assert (given.json()["numbers"], needs) == (["F1"], ["not_available", "no_formal_notice"])
    assert http.post(f"{CUSTOMER}/hand-overs", json=body, headers=headers).status_code == 409
    with house.database.transaction(house.organisation) as session:
        [account] = accounts_of(session, [house.customer()], START)
    assert [item.in_litigation for item in account.items if item.number == "F1"] == [True]
    file = http.get(f"{HERE}/hand-overs/{given.json()['id']}/file", headers=headers)
    assert file.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(file.content))
    assert archive.testzip() is None
    names = set(archive.namelist())
    assert "absentes" not in archive.read("index.html").decode()
    documents = {f"{name}.{kind}" for name in ("factures/F1", "avoirs/A1") for kind in ("xml", "pdf")}
    assert names == {"index.html", "penalites.json", "preuves/F1.zip"} | documents
    for name in ("factures/F1.pdf", "avoirs/A1.pdf"):
        assert drafted().number in PdfReader(io.BytesIO(archive.read(name))).pages[0].extract_text()
    assert "verify.py" in zipfile.ZipFile(io.BytesIO(archive.read("preuves/F1.zip"))).namelist()
    index = archive.read("index.html").decode()
    for told in ("F1", "A1 (avoir)", "Me Martin", "Bâtir Ensemble", "penalites.json"):
        assert told in index
    [sheet] = json.loads(archive.read("penalites.json"))
    assert sheet["lines"][0]["base"] == "1200.00"
    assert {line["base"] for line in sheet["lines"]} == {"1200.00", "1000.00"}
    close = {"on": "2026-10-05", "because": "Payé"}
    assert http.post(f"{HERE}/hand-overs/{given.json()['id']}/close", json=close, headers=headers).status_code == 201
    assert [each["closed_on"] for each in http.get(f"{CUSTOMER}/hand-overs", headers=headers).json()] == ["2026-10-05"]
    assert {"litigation.handed_over", "litigation.closed"} <= set(kinds(house))


def test_a_hand_over_names_the_pdf_it_cannot_make_and_gives_a_facturx_as_it_was_sent(house, services, http, as_program):
    house.owes("F2", "200.00", issue_date=date(2026, 2, 28), due_date=date(2026, 3, 31))
    sent = to_facturx(drafted(), Profile.EN_16931)
    stand_for(house, services, {"F1": b"<torn", "F2": sent})
    headers = as_program(house.organisation)
    body = {"invoices": [str(house.owed[each].id) for each in ("F1", "F2")], "handed_to": "Me Martin"}
    given = http.post(f"{CUSTOMER}/hand-overs", json=body, headers=headers).json()
    file = http.get(f"{HERE}/hand-overs/{given['id']}/file", headers=headers)
    archive = zipfile.ZipFile(io.BytesIO(file.content))
    assert archive.read("factures/F1.xml") == b"<torn"
    assert archive.read("factures/F2.pdf") == sent
    assert not {"factures/F1.pdf", "factures/F2.xml"} & set(archive.namelist())
    absent = archive.read("index.html").decode().partition("Pièces absentes")[2]
    assert ("factures/F1.pdf" in absent, "F2" in absent) == (True, False)


def test_what_a_formal_notice_needs_is_told_and_its_evidence_file_made(house, services, http, as_program):
    services.documents.put(b"F1")
    headers = as_program(house.organisation)
    told = http.get(f"{of(house)}/readiness", headers=headers).json()
    assert (told["formal_notice_allowed"], told["hand_over_allowed"]) == (True, True)
    needs = [each["need"] for each in told["formal_notice"]]
    assert needs == ["not_available", "no_address", "no_reminder"]
    file = http.get(f"{of(house)}/evidence", headers=headers)
    assert {"verify.py", "timeline.pdf"} <= set(zipfile.ZipFile(io.BytesIO(file.content)).namelist())


def test_an_invoice_that_is_not_due_or_of_another_customer_is_not_handed_over(house, http, as_program):
    house.owes("F2", "100.00", due_date=date(2026, 10, 31))
    headers = as_program(house.organisation)
    body = {"invoices": [str(house.owed["F2"].id)], "handed_to": "Me Martin"}
    refused = http.post(f"{CUSTOMER}/hand-overs", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "LEGAL_FACT_REFUSED")
    unknown = {"invoices": [str(uuid4())], "handed_to": "Me Martin"}
    assert http.post(f"{CUSTOMER}/hand-overs", json=unknown, headers=headers).status_code == 404


def test_reading_and_writing_need_their_scopes(house, http, as_program):
    reads = as_program(house.organisation, ApiScope.COLLECTION_READ)
    other = as_program(house.organisation, ApiScope.INVOICES_READ)
    assert http.get(f"{of(house)}/penalties").status_code == 401
    assert http.get(f"{of(house)}/penalties", headers=other).status_code == 403
    assert http.get(f"{of(house)}/penalties", headers=reads).status_code == 200
    assert http.post(f"{of(house)}/penalties", json={}, headers=reads).status_code == 403
    assert http.put(f"{CUSTOMER}/order-block", json={"reason": "x"}, headers=reads).status_code == 403


def test_another_organisation_finds_nothing_of_it(house, http, as_program, other_organisation):
    mine, headers = as_program(house.organisation), as_program(other_organisation)
    claimed = http.post(f"{of(house)}/penalties", json={"until": "2026-04-10"}, headers=mine).json()["claimed"][0]
    told = {"kind": "receivership", "judgment_on": "2026-09-01", "source": "BODACC"}
    insolvency = http.post(f"{CUSTOMER}/insolvencies", json=told, headers=mine).json()["id"]
    act = {"kind": "acknowledgement", "on": "2026-09-15", "document": "Courriel"}
    acted = http.post(f"{of(house)}/acts", json=act, headers=mine).json()["acts"][0]["id"]
    day, why = {"on": "2026-10-01"}, {"reason": "x"}
    declared = {**day, "amount": "1.00", "reference": "x"}
    paid = {"amount": "1.00", "receipt_id": str(uuid4())}
    given = {"invoices": [str(house.owed["F1"].id)], "handed_to": "x"}
    asked = [
        http.get(f"{of(house)}/penalties", headers=headers),
        http.post(f"{of(house)}/penalties", json={}, headers=headers),
        http.post(f"{HERE}/penalties/{claimed['id']}/waivers", json=why, headers=headers),
        http.post(f"{HERE}/penalties/{claimed['id']}/payments", json=paid, headers=headers),
        http.get(f"{of(house)}/limitation", headers=headers),
        http.get(f"{of(house)}/readiness", headers=headers),
        http.get(f"{of(house)}/evidence", headers=headers),
        http.post(f"{of(house)}/acts", json=act, headers=headers),
        http.post(f"{HERE}/acts/{acted}/end", json=day, headers=headers),
        http.get(f"{CUSTOMER}/insolvencies", headers=headers),
        http.post(f"{CUSTOMER}/insolvencies", json=told, headers=headers),
        http.post(f"{HERE}/insolvencies/{insolvency}/declaration", json=declared, headers=headers),
        http.post(f"{HERE}/insolvencies/{insolvency}/end", json=day, headers=headers),
        http.get(f"{CUSTOMER}/order-check", params={"amount": "1"}, headers=headers),
        http.put(f"{CUSTOMER}/order-block", json=why, headers=headers),
        http.post(f"{CUSTOMER}/hand-overs", json=given, headers=headers),
        http.get(f"{CUSTOMER}/hand-overs", headers=headers),
        http.get(f"{HERE}/hand-overs/{uuid4()}/file", headers=headers),
    ]
    assert [answer.status_code for answer in asked] == [404] * len(asked)
    assert http.get(f"{HERE}/penalties", headers=headers).json()["penalties"] == []


def test_the_start_of_a_claim_is_read_from_the_document(services, house):
    delivered = house.owes(
        "D1",
        issue_date=date(2026, 2, 28),
        deliver_to=Delivery(delivered_on=date(2026, 1, 31)),
        period=InvoicingPeriod(end=date(2026, 2, 15)),
    )
    # Only the row is kept of an invoice; without its document the invoice's own date counts.
    assert services.law.read_start(delivered).on == date(2026, 2, 28)
