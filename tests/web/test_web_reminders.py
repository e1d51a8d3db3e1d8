"""The pages and routes of reminders: what would leave and why not, what waits for a person, whom reminders spare."""

import re
from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from sqlmodel import select

from gateway.access import service
from gateway.access.model import User
from gateway.access.roles import ApiScope, Role
from gateway.access.scope import Scope
from gateway.collection.dispatching import dispatch
from gateway.collection.messages.keeping import store_letterhead
from gateway.collection.model import Reminder
from gateway.collection.reminding import ReminderRound
from gateway.collection.scenario_books import book_content, store_book
from gateway.collection.scenarios import default_book
from gateway.customers.model import Customer
from gateway.database import Database
from gateway.treasury.accounting.importing import assign_account, import_entries
from tests.treasury.making_books import fec, row
from tests.web.story import Site, post

#: A Tuesday at eleven, long after every due date of the story.
LATER = datetime(2027, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def late(site: Site) -> Site:
    """The story, months later, after a round of reminders."""
    site.clock.advance(LATER - site.clock())
    ReminderRound(site.services.database, site.clock, automatic=False).run(site.story.house)
    return site


def reminder_about(site: Site, scenario: str) -> Reminder:
    database: Database = site.services.database
    number = site.story.numbers[scenario]
    with database.transaction(site.story.house) as session:
        found = session.exec(select(Reminder)).all()
    path = site.signed_in(Role.AR_MANAGER).get("/reminders", params={"state": "all"}).text
    ids = re.findall(r'href="/reminders/([0-9a-f-]{36})"', path)
    assert {str(each.id) for each in found} == set(ids)
    page = {each.id: site.signed_in(Role.AR_MANAGER).get(f"/reminders/{each.id}").text for each in found}
    return next(each for each in found if number in page[each.id])


def test_a_reminder_is_confirmed_with_words_of_ones_own(late):
    reminder = reminder_about(late, "silent")
    browser = late.signed_in(Role.COLLECTOR)
    here = f"/reminders/{reminder.id}"
    assert "À confirmer" in browser.get(here).text or "à confirmer" in browser.get(here).text
    answer = post(browser, f"{here}/confirm", {"note": "Merci <b>bien</b>.", "next": here})
    assert answer.headers["location"] == f"{here}?done=reminder_confirmed"
    dispatch(late.services.reminders, late.story.house)
    page = browser.get(here).text
    assert "Merci &lt;b&gt;bien&lt;/b&gt;." in page
    assert post(browser, f"{here}/confirm", {}).status_code == 409


def test_the_navigation_counts_the_reminders_that_wait_and_the_page_says_when_letters_lack_an_address(late):
    browser = late.signed_in(Role.AR_MANAGER)
    page = browser.get("/reminders").text
    waiting = page.count('<article class="card matter')
    assert f'<span>Relances</span><span class="count">{waiting}</span>' in page
    assert "gateway letters head" in page
    assert "gateway letters head" not in late.signed_in(Role.COLLECTOR).get("/reminders").text
    with late.services.database.transaction(late.story.house) as session:
        head = {"name": "Vendeur", "address": ["1 rue du Port", "69002 Lyon"]}
        store_letterhead(session, Scope.everything(), head, by="a test", now=late.services.clock())
    assert "gateway letters head" not in browser.get("/reminders").text


def test_a_reminder_is_refused_only_with_a_reason(late):
    reminder = reminder_about(late, "silent")
    browser = late.signed_in(Role.COLLECTOR)
    assert post(browser, f"/reminders/{reminder.id}/refuse", {"reason": " "}).status_code == 422
    assert post(browser, f"/reminders/{reminder.id}/refuse", {"reason": "Appelé ce matin"}).status_code == 303
    assert "Appelé ce matin" in browser.get(f"/reminders/{reminder.id}").text


def test_a_reader_sees_reminders_and_decides_nothing(late):
    reminder = reminder_about(late, "silent")
    reader = late.signed_in(Role.READER)
    assert "<form method" not in reader.get(f"/reminders/{reminder.id}").text.split("<main")[1]
    assert post(reader, f"/reminders/{reminder.id}/confirm", {}).status_code == 403


@pytest.mark.parametrize(
    ("scenario", "french", "english"),
    [
        ("refused", "Refusée", "Refused"),
        ("rejected", "Rejetée", "Rejected"),
    ],
)
def test_the_page_of_a_customer_says_why_each_invoice_is_not_chased(late, scenario, french, english):
    browser = late.signed_in(Role.AR_MANAGER)
    number = late.story.numbers[scenario]
    shown = browser.get("/reminders/preview", params={"every": "yes"}).text
    assert number in shown
    (customer,) = set(re.findall(r'href="(/customers/[0-9a-f-]{36})#reminders"', _article(shown, number)))
    for language, said in (("fr", french), ("en", english)):
        post(browser, "/language", {"language": language})
        block = browser.get(customer).text.split('<section id="reminders">')[1]
        reason = next(line for line in block.splitlines() if number in line and " · " in line)
        assert said in reason


def _article(page: str, number: str) -> str:
    return next(each for each in page.split("<article") if number in each)


def test_a_customer_is_spared_and_then_no_more(late):
    reminder = reminder_about(late, "silent")
    browser, here = late.signed_in(Role.COLLECTOR), f"/customers/{reminder.customer_id}"
    assert post(browser, f"{here}/exclusions", {"reason": "Accord", "until": "demain"}).status_code == 422
    assert post(browser, f"{here}/exclusions", {"reason": "Accord", "until": "2020-01-01"}).status_code == 422
    assert post(browser, f"{here}/exclusions", {"reason": "Accord <oral>"}).status_code == 303
    page = browser.get(here).text
    assert "Client exclu des relances\u00a0: Accord &lt;oral&gt;" in page
    (lift,) = re.findall(r'action="(/exclusions/[0-9a-f-]{36}/lift)"', page)
    assert post(browser, lift, {}).status_code == 303
    assert "Client exclu des relances" not in browser.get(here).text
    assert "levée le" in browser.get(here).text


def test_what_only_the_books_know_is_named_as_such_and_can_be_spared(late):
    reminder = reminder_about(late, "silent")
    with late.services.database.transaction(late.story.house) as session:
        siren = session.get_one(Customer, reminder.customer_id).siren
        content = book_content(default_book())
        for scenario in content["scenario"]:
            scenario["chase_books"] = True
        now = late.services.clock()
        first = date(2026, 9, 1)
        store_book(session, Scope.everything(), content, valid_from=first, comment="", by="operator", now=now)
    lines = [
        row("VE", "V1", "411000", "500,00", piece="V1-2025", aux="C1", day="20260105"),
        row("VE", "V1", "706000", credit="500,00", piece="V1-2025", day="20260105"),
    ]
    file, database = BytesIO(fec(*lines).encode()), late.services.database
    import_entries(database, late.story.house, file, dry_run=False, by="operator", now=now)
    with database.transaction(late.story.house) as session:
        assign_account(session, "C1", siren, by="operator", now=now)
    browser, here = late.signed_in(Role.AR_MANAGER), f"/customers/{reminder.customer_id}"
    page = browser.get(here).text
    assert 'V1-2025 <span class="quiet">connue des seuls livres</span>' in page
    (entry,) = re.findall(r'<option value="(books:[0-9a-f-]{36})">V1-2025</option>', page)
    assert post(browser, f"{here}/exclusions", {"reason": "Accord", "invoice": entry}).status_code == 303
    assert "Une créance des seuls livres" in browser.get(here).text
    assert post(browser, f"{here}/exclusions", {"reason": "Accord", "invoice": "books:x"}).status_code == 404


def test_a_collector_limited_to_agencies_sees_the_reminders_of_these_only(late):
    mine = reminder_about(late, "silent")
    with late.services.database.transaction(late.story.house) as session:
        user = session.exec(select(User).where(User.role == Role.COLLECTOR.value)).one()
        service.limit_user(session, user, agencies=[], key_accounts=["443061841"])
    browser = late.signed_in(Role.COLLECTOR)
    for path in ("/reminders?state=all", "/reminders/preview?every=yes"):
        assert not [number for number in late.story.numbers.values() if number in browser.get(path).text]
    assert browser.get(f"/reminders/{mine.id}").status_code == 404


@pytest.fixture
def program(late: Site):
    """A program that reads and decides about reminders."""
    with late.services.database.transaction(late.story.house) as session:
        scopes = [ApiScope.COLLECTION_READ, ApiScope.COLLECTION_WRITE]
        made = service.create_client(session, name="ERP", scopes=scopes, now=late.clock())
    caller = late.browser()
    told = {"grant_type": "client_credentials"}
    token = caller.post("/oauth2/token", data=told, auth=(made.client.client_id, made.secret)).json()["access_token"]
    caller.headers["authorization"] = f"Bearer {token}"
    return caller


def test_a_program_previews_reads_and_decides(late, program):
    reminder = reminder_about(late, "silent")
    listed = program.get("/api/v1/reminders", params={"state": "awaiting"}).json()["reminders"]
    assert str(reminder.id) in {each["id"] for each in listed}
    confirmed = program.post(f"/api/v1/reminders/{reminder.id}/confirm", json={"note": "Bonjour."}).json()
    assert (confirmed["state"], confirmed["note"]) == ("planned", "Bonjour.")
    again = program.post(f"/api/v1/reminders/{reminder.id}/refuse", json={"reason": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "REMINDER_STATE")
    everything, cursor = [], None
    while True:
        params = {"due_only": "false", "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = program.get("/api/v1/reminders/preview", params=params).json()
        everything += page["decisions"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    withheld = {each["number"]: each["hold"] for decision in everything for each in decision["withheld"]}
    assert {withheld[late.story.numbers[scenario]] for scenario in ("refused", "rejected")} == {"closed"}


def test_a_program_spares_a_customer_and_stores_scenarios(late, program):
    reminder = reminder_about(late, "silent")
    body = {"customer": str(reminder.customer_id), "reason": "Accord"}
    made = program.post("/api/v1/exclusions", json=body)
    assert made.status_code == 201
    lifted = program.post(f"/api/v1/exclusions/{made.json()['id']}/lift")
    assert lifted.json()["lifted_at"]
    assert program.post(f"/api/v1/exclusions/{made.json()['id']}/lift").status_code == 404
    (kept,) = program.get("/api/v1/exclusions", params={"customer": body["customer"]}).json()
    assert kept["id"] == made.json()["id"]
    book = program.get("/api/v1/scenarios").json()
    book["scenario"][0]["steps"][0]["days"] = 12
    assert program.post("/api/v1/scenarios", json=book).status_code == 201
    assert program.get("/api/v1/scenarios").json() == book
    book["scenario"][0]["steps"][0]["channel"] = "pigeon"
    refused = program.post("/api/v1/scenarios", json=book)
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_SCENARIOS")
    assert "scenario[1].steps[1].channel" in refused.json()["detail"]
