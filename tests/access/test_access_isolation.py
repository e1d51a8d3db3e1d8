"""Nobody crosses the line: not between organisations on any table or route, not beyond a collector's limits."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session, col, select
from starlette.routing import BaseRoute, Route

from gateway.access import service
from gateway.access.model import Agency, Organisation, User
from gateway.access.principal import Principal
from gateway.access.roles import ApiScope, Role
from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.app.service import create_app
from gateway.app.tables import METADATA
from gateway.collection.agreements.disputing import NewDispute, open_dispute
from gateway.collection.agreements.planning import EvenSpread, NewPlan, make_plan
from gateway.collection.agreements.promising import NewPromise, make_promise
from gateway.collection.exclusions import exclude
from gateway.collection.law.model import ClaimAct, HandOver, HandOverInvoice, Insolvency, Penalty
from gateway.collection.model import AddressFaultRow, CollectionAction, Reminder, ReminderInvoice
from gateway.collection.worklist.calls import NewCall, record_call
from gateway.collection.worklist.comments import Subject, comment
from gateway.collection.worklist.policy import CallOutcome
from gateway.collection.worklist.ranking import Source
from gateway.customers import service as customers
from gateway.customers.model import CustomerInvoice
from gateway.customers.repository import customers_of_invoices
from gateway.customers.tried_files import keep_tried
from gateway.database.engine import organisation_of
from gateway.flows.hearing.model import PlatformSubscription, PlatformSubscriptionKey
from gateway.flows.model import Flow, FlowState
from gateway.flows.platforms.model import PlatformConnection
from gateway.flows.reports.model import EReport
from gateway.flows.webhooks.model import Webhook, WebhookKind
from gateway.jobs.model import OutboxMessage
from gateway.kernel.clock import paris_date
from gateway.lifecycle.deliveries import PLATFORM_FLOW
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent
from gateway.notifications.service import Channels
from gateway.treasury.accounting.model import AccountingEntry, AccountingImport
from gateway.treasury.accounting.results import ImportResult
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import Receipt, ReceiptSource, WriteOffKind
from gateway.treasury.receipts import record_receipt
from gateway.treasury.writing_off import write_off
from tests.web.story import NEIGHBOUR, PEOPLE, Site, csrf_of

BUSINESS_TABLES = sorted(name for name, table in METADATA.tables.items() if "organisation_id" in table.columns)
#: What routes take of the directory, and of closed lists, which are the same for everyone.
OF_THE_DIRECTORY = {
    "siren": "732829320", "siret": "73282932000074", "routing_identifier": "none", "addressing_identifier": "732829320",
    "address": "732829320", "source": "action", "name": "lifecycle-event.schema.json", "position": 1,
}  # fmt: skip
#: What routes of programs take, by the last part of their path.
BODIES = {
    "reversal": {"reason": "x"},
    "cancellation": {"because": "x"},
    "reopening": {"because": "x"},
    "messages": {"text": "x"},
    "assignment": {"owner_id": None},
    "settlement": {"outcome": "refused", "because": "x"},
    "contacts": {"name": "x"},
    "covers": {"insurer": "x", "amount": "1.00", "valid_from": "2026-10-01"},
    "notes": {"text": "x"},
    "calls": {"outcome": "no_answer"},
    "comments": {"text": "x"},
    "confirm": {},
    "refuse": {"reason": "x"},
    "complete": {"outcome": "x"},
    "settle": {"arrived": True},
    "bounce": {"reason": "x"},
    "penalties": {},
    "payments": {"amount": "1.00", "receipt_id": str(UUID(int=1))},
    "waivers": {"reason": "x"},
    "corrections": {"reason": "x"},
    "acts": {"kind": "acknowledgement", "on": "2026-10-01", "document": "x"},
    "end": {"on": "2026-10-01"},
    "insolvencies": {"kind": "safeguard", "judgment_on": "2026-10-01", "source": "x"},
    "declaration": {"on": "2026-10-01", "amount": "1.00", "reference": "x"},
    "hand-overs": {"invoices": [str(UUID(int=1))], "handed_to": "x"},
    "close": {"on": "2026-10-01", "because": "x"},
    "order-block": {"reason": "x"},
    "lift": {"reason": "x"},
    "write-offs": {"reason": "x"},
    "{account}": {"customer": "x"},
}
#: What routes ask for in their address, by the last part of their path.
QUERIES = {"order-check": "?amount=1.00"}
MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@pytest.fixture
def theirs(site: Site) -> dict[str, UUID]:
    """One identifier of the house's for each parameter that a route takes."""
    with site.services.database.transaction(site.story.house) as session:
        return {
            "invoice_id": session.exec(select(InvoiceRecord.id).where(InvoiceRecord.number == "F-REJECTED")).one(),
            "event_id": session.exec(select(LifecycleEvent.id).where(LifecycleEvent.number == "F-REJECTED")).first(),
            "alert_id": session.exec(select(Alert.id).where(Alert.state == "open")).first(),
            "action_id": session.exec(select(CollectionAction.id).where(CollectionAction.state == "todo")).first(),
            "matter_id": session.exec(select(CollectionAction.id).where(CollectionAction.state == "todo")).first(),
            "webhook_id": _webhook(session, site.clock()).id,
            "receipt_id": _receipt(session, site.clock()).id,
            **_customer(session, site.clock()),
            **_agreements(session, site.clock()),
            **_reminder(session, site.clock()),
            **_claims(session, site.clock()),
            "delivery_id": session.exec(select(OutboxMessage.id).where(OutboxMessage.kind == PLATFORM_FLOW)).first(),
            "subscription": _subscription(session, site.clock()).id,
            "flow_id": session.exec(select(Flow.id).where(Flow.state == FlowState.QUARANTINED.value)).one(),
            **_books(session, site.clock()),
            "report_id": _report(session, site.clock()).id,
        }


def _report(session: Session, now: datetime) -> EReport:
    """An e-reporting transmission."""
    flow = session.exec(select(Flow).where(Flow.state == FlowState.QUARANTINED.value)).one()
    made = EReport(
        organisation_id=flow.organisation_id,
        number="R-OF-THE-HOUSE",
        kind="IN",
        period_from="20260901",
        period_to="20260930",
        flow_id=flow.id,
        registered_at=now,
    )
    session.add(made)
    session.flush()
    return made


def _books(session: Session, now: datetime) -> dict[str, Any]:
    """A write-off, an import, a file that waits, and an account of the books."""
    invoice = session.exec(
        select(InvoiceRecord).where(InvoiceRecord.remaining > 1, col(InvoiceRecord.is_closed).is_(False))
    ).first()
    lost = write_off(
        session,
        Scope.everything(),
        invoice.id,
        Decimal("1.00"),
        kind=WriteOffKind.LOSS,
        reason="x",
        by="a test",
        now=now,
    )
    kept = {"organisation_id": lost.organisation_id}
    counts = {**ImportResult("", written=True).told(), "outcomes": {}}
    taken = AccountingImport(
        **kept, sha256="0" * 64, file_name="f", counts=counts, refused=[], imported_at=now, imported_by="a test"
    )
    line = AccountingEntry(
        **kept, key="k", journal="VE", number="1", day=paris_date(now), account="C-OF-THE-HOUSE", account_name="",
        piece="", label="", amount=Decimal("1.00"), currency="", nature="other", lettering="", recorded_at=now,
    )  # fmt: skip
    tried = keep_tried(session, "accounting", "f", b"x", by="a test", now=now)
    session.add_all([taken, line])
    session.flush()
    return {
        "write_off_id": lost.id,
        "import_id": taken.id,
        "tried_id": tried.id,
        "account": line.account,
        "entry_id": line.id,
    }


def _webhook(session: Session, now: datetime) -> Webhook:
    program = service.create_client(session, name="Trésorerie", scopes=list(ApiScope), now=now).client
    made = Webhook(
        organisation_id=program.organisation_id,
        api_client_id=program.id,
        kind=WebhookKind.EVENT,
        callback_url="https://house.example/events",
        wanted={},
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def _receipt(session: Session, now: datetime) -> Receipt:
    new = NewReceipt(amount=Decimal("10.00"), currency="EUR", received_on=paris_date(now), reference="R1")
    return record_receipt(session, Scope.everything(), new, source=ReceiptSource.API, by="a test", now=now).receipt


def _customer(session: Session, now: datetime) -> dict[str, Any]:
    """The customer of the invoice that goes on in silence, with a contact and a cover."""
    scope, mine = Scope.everything(), {"by": "a test", "now": now}
    invoice_id = session.exec(select(InvoiceRecord.id).where(InvoiceRecord.number == "F-SILENT")).one()
    customer_id = customers_of_invoices(session, [invoice_id])[invoice_id]
    contact = customers.add_contact(session, scope, customer_id, {"name": "Mme Durand"}, **mine)
    cover = customers.add_cover(session, scope, customer_id, BODIES["covers"], **mine)
    return {
        "customer_id": customer_id, "customer": customer_id, "contact_id": contact.id, "cover_id": cover.id
    }  # fmt: skip


def _agreements(session: Session, now: datetime) -> dict[str, UUID]:
    """A promise, a plan and a dispute about an invoice that goes on in silence."""
    scope, day, mine = Scope.everything(), paris_date(now), {"by": "a test", "now": now}
    invoice_id = session.exec(select(InvoiceRecord.id).where(InvoiceRecord.number == "F-SILENT")).one()
    customer_id = customers_of_invoices(session, [invoice_id])[invoice_id]
    promise = make_promise(session, scope, NewPromise(customer_id, Decimal("1.00"), day), **mine)
    plan = make_plan(session, scope, NewPlan(customer_id, EvenSpread(2, day), invoice_ids=(invoice_id,)), **mine)
    told = NewDispute(invoice_id, "price", Decimal("1.00"))
    dispute = open_dispute(session, scope, told, Channels(by_email=False), **mine)
    return {"promise_id": promise.id, "plan_id": plan.id, "dispute_id": dispute.id}


def _reminder(session: Session, now: datetime) -> dict[str, UUID]:
    """A reminder to be confirmed, and an exclusion."""
    invoice = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "F-SILENT")).one()
    customer_id = customers_of_invoices(session, [invoice.id])[invoice.id]
    reminder = Reminder(
        organisation_id=invoice.organisation_id,
        customer_id=customer_id,
        currency="EUR",
        scenario="standard",
        step="relance_1",
        title_fr="Relance",
        title_en="Reminder",
        anchor_id=invoice.id,
        channel="email",
        template="relance_1",
        tone=1,
        language="fr",
        unallocated=Decimal(0),
        total=invoice.amount_due,
        subject="Rappel",
        text="Bonjour",
        documents=[{"name": "F.xml", "media_type": "text/xml", "sha256": invoice.document_sha256, "kind": "invoice"}],
        state="awaiting",
        decided_at=now,
        decided_on=paris_date(now),
        decided_by="clock",
    )
    session.add(reminder)
    session.flush()
    line = ReminderInvoice(
        organisation_id=invoice.organisation_id,
        reminder_id=reminder.id,
        invoice_id=invoice.id,
        step="relance_1",
        position=0,
        number=invoice.number,
        seller_siren=invoice.seller_siren,
        issue_date=invoice.issue_date,
        due_date=invoice.issue_date,
        total=invoice.amount_due,
        remaining=invoice.amount_due,
        claimed=invoice.amount_due,
    )
    session.add(line)
    spared = exclude(session, Scope.everything(), str(customer_id), reason="x", by="a test", now=now)
    fault = AddressFaultRow(
        organisation_id=invoice.organisation_id,
        customer_id=customer_id,
        address="x@example.fr",
        kind="refused",
        words="",
        told_at=now,
        told_by="gateway",
    )
    session.add(fault)
    session.flush()
    return {"reminder_id": reminder.id, "exclusion_id": spared.id, "fault_id": fault.id}


def _claims(session: Session, now: datetime) -> dict[str, UUID]:
    """A penalty, an act, proceedings and a hand-over of the invoice that goes on in silence."""
    invoice = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "F-SILENT")).one()
    customer_id, day = customers_of_invoices(session, [invoice.id])[invoice.id], paris_date(now)
    house: dict[str, Any] = {"organisation_id": invoice.organisation_id}
    told: dict[str, Any] = {**house, "recorded_at": now, "recorded_by": "a test"}
    penalty = Penalty(
        **house,
        invoice_id=invoice.id,
        customer_id=customer_id,
        number=1,
        kind="indemnity",
        amount=Decimal("40.00"),
        currency="EUR",
        until=day,
        law="C. com. D441-5",
        claimed_at=now,
        claimed_by="a test",
    )
    act = ClaimAct(**told, invoice_id=invoice.id, kind="acknowledgement", on_day=day, document="x", comment="")
    insolvency = Insolvency(
        **told,
        customer_id=customer_id,
        kind="safeguard",
        judgment_on=day,
        source="x",
        court_agent="",
        abroad=False,
        declare_by=day,
    )
    handed = HandOver(
        **told, customer_id=customer_id, whole_customer=False, handed_on=day, handed_to="x", reference="", comment=""
    )
    session.add_all([penalty, act, insolvency, handed])
    session.flush()
    session.add(HandOverInvoice(**house, hand_over_id=handed.id, invoice_id=invoice.id))
    return {
        "penalty_id": penalty.id, "act_id": act.id, "insolvency_id": insolvency.id, "hand_over_id": handed.id
    }  # fmt: skip


def _subscription(session: Session, now: datetime) -> PlatformSubscription:
    """A webhook of the house at a platform: whoever calls it proves a key, and no token."""
    connection = PlatformConnection(
        organisation_id=organisation_of(session),
        name="elsewhere",
        kind="standard",
        flow_url="https://platform.example/flow-service/v1",
        token_url="https://platform.example/token",
        client_id="house",
        secret_reference="env:NOWHERE",
        created_at=now,
    )
    session.add(connection)
    session.flush()
    made = PlatformSubscription(
        organisation_id=connection.organisation_id,
        connection_id=connection.id,
        webhook_id="w-1",
        callback_url="https://house.example/platform-calls",
        created_at=now,
    )
    session.add(made)
    session.flush()
    session.execute(insert(PlatformSubscriptionKey).values(subscription_id=made.id, key=bytes(32)))
    return made


def snapshot(site: Site, organisation: UUID) -> dict[str, list[str]]:
    """Every row of one organisation, as text."""
    with site.services.database.system_transaction() as session:
        rows = {
            table: session.connection()
            .execute(
                text(f'SELECT t::text FROM "{table}" t WHERE organisation_id = :house ORDER BY 1'),
                {"house": organisation},
            )
            .scalars()
            .all()
            for table in BUSINESS_TABLES
            if table != "user_session"
        }
    return {table: list(found) for table, found in rows.items()}


def walk(site: Site) -> list[tuple[str, str]]:
    """Every method and path of the assembled application."""
    found = list(_endpoints(create_app(site.services).routes))
    assert {("GET", "/alerts"), ("POST", "/oauth2/token"), ("POST", "/flow-service/v1/flows")} <= set(found)
    return found


def _endpoints(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Route):
            yield from ((method, route.path) for method in sorted((route.methods or set()) - {"HEAD"}))
        elif hasattr(route, "effective_route_contexts"):  # a router as FastAPI includes it
            for inner in route.effective_route_contexts():
                yield from ((method, inner.path) for method in sorted(inner.methods))


def body_of(path: str, fields: dict[str, str]) -> dict[str, Any]:
    """What a route takes: the pages a form, the programs' routes JSON."""
    if not path.startswith("/api/"):
        return {"data": fields}
    usual = {"name": "x"} if path.startswith("/api/v1/customers/") else {"status": "220"}
    return {"json": BODIES.get(path.rpartition("/")[2], usual)}


def bearer(site: Site, organisation: UUID, scope: str = "") -> dict[str, str]:
    """The header of a program of an organisation that holds every scope, or the one given, known or not."""
    with site.services.database.transaction(organisation) as session:
        created = service.create_client(session, name=f"ERP {uuid4()}", scopes=list(ApiScope), now=site.clock())
        if scope:
            created.client.scopes = [scope]
    answer = site.browser().post(
        "/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(created.client.client_id, created.secret),
    )
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.mark.parametrize("table", BUSINESS_TABLES)
def test_no_table_shows_or_takes_a_row_of_another_organisation(site, table):
    owner = f'SELECT count(*) FROM "{table}" WHERE organisation_id = :house'
    with site.services.database.transaction(site.story.neighbour) as session:
        seen = session.connection().execute(text(owner), {"house": site.story.house}).scalar_one()
        assert seen == 0
        may_delete = text("SELECT has_table_privilege(:table, 'DELETE')")
        if session.connection().execute(may_delete, {"table": table}).scalar_one():
            statement = text(f'DELETE FROM "{table}" WHERE organisation_id = :house')
            assert session.connection().execute(statement, {"house": site.story.house}).rowcount == 0
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        site.services.database.transaction(site.story.neighbour) as session,
    ):
        # The policy judges a row before any other constraint does.
        smuggled = text(f'INSERT INTO "{table}" (organisation_id) VALUES (:house)')
        session.connection().execute(smuggled, {"house": site.story.house})


def test_every_route_asks_who_comes_or_holds_nothing_of_anyone(site):
    browser = site.browser()
    public = {
        "/healthz", "/readyz", "/metrics", "/api/openapi.json", "/oauth2/token", "/flow-service/v1/healthcheck",
        "/.well-known/jwks.json", "/.well-known/oauth-authorization-server",
        "/sign-in", "/sign-out", "/language", "/invoice.css", "/schemas/{name}",
    }  # fmt: skip
    open_routes = set()
    for method, path in walk(site):
        answer = browser.request(method, re.sub(r"{\w+}", str(uuid4()), path), follow_redirects=False)
        leads_to_sign_in = answer.headers.get("location", "").startswith("/sign-in")
        if answer.status_code not in (401, 403) and not leads_to_sign_in:
            open_routes.add(path)
    assert open_routes <= public


def test_every_route_of_programs_wants_a_scope(site):
    headers = bearer(site, site.story.house, scope="of no route")
    browser, asked = site.browser(), 0
    for method, path in walk(site):
        if path.startswith(("/api/v1/", "/flow-service/", "/directory-service/")) and not path.endswith("healthcheck"):
            status = browser.request(method, re.sub(r"{\w+}", str(uuid4()), path), headers=headers).status_code
            # A request that is no good may be said so first.
            assert status == 403 or (status in (400, 422) and method in MUTATING), (method, path, status)
            asked += status == 403
    assert asked >= 10


def test_no_route_lets_another_organisation_see_or_change_a_row(site, theirs):
    owner, own_headers = site.signed_in(Role.ADMINISTRATOR), bearer(site, site.story.house)
    browser, headers = site.signed_in(NEIGHBOUR), bearer(site, site.story.neighbour)
    fields = {
        "csrf": csrf_of(browser, "/notifications"),
        "because": "x",
        "outcome": "x",
        "reason": "x",
        "language": "fr",
        "kind": "acknowledgement",
        "document": "x",
        "amount": "1.00",
        "reference": "x",
        "handed_to": "x",
        "invoices": str(UUID(int=1)),
        "invoice_id": str(theirs["invoice_id"]),
    }
    before = snapshot(site, site.story.house)
    secrets = {number for scenario, number in site.story.numbers.items() if scenario != "neighbour"}
    crossed = 0
    for method, path in walk(site):
        if path == "/sign-out":
            continue
        names = set(re.findall(r"{(\w+)}", path)) - set(OF_THE_DIRECTORY)
        assert names <= set(theirs), f"{path}: say in `theirs` which row of the house to try"
        address = path.format(**theirs, **OF_THE_DIRECTORY) + QUERIES.get(path.rpartition("/")[2], "")
        send = body_of(path, fields) if method in MUTATING else {}
        answer = browser.request(method, address, headers=headers, follow_redirects=False, **send)
        asked = {str(theirs[name]) for name in names}
        marks = secrets | set(map(str, theirs.values())) - asked
        assert not [mark for mark in marks if mark in answer.text], (method, path)
        if names:
            crossed += 1
            assert answer.status_code in ((401,) if "subscription" in names else (403, 404)), (method, path)
        if names and method == "GET":
            shown = owner.get(address, headers=own_headers).status_code
            assert shown == 200, f"{path} shows its owner nothing"
    assert crossed >= 10
    assert snapshot(site, site.story.house) == before


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("person", "/api/v1/invoices"),
        ("program", "/api/v1/invoices"),
        ("program", "/flow-service/v1/flows/none"),
        ("program", "/directory-service/v1/siren/code-insee:732829320"),
    ],
)
def test_organization_id_names_an_organisation_that_one_acts_for_or_nothing_is_answered(site, who, path):
    with site.services.database.system_transaction() as session:
        own, foreign = (session.get_one(Organisation, each).siren for each in (site.story.house, site.story.neighbour))
    browser = site.browser() if who == "program" else site.signed_in(Role.ADMINISTRATOR)
    headers = bearer(site, site.story.house) if who == "program" else {}
    for good in (own, str(site.story.house)):
        assert browser.get(path, headers=headers | {"Organization-Id": good}).status_code in (200, 404)
    for wrong in (foreign, str(site.story.neighbour), "", "no organisation"):
        refused = browser.get(path, headers=headers | {"Organization-Id": wrong})
        said = refused.json()
        assert (refused.status_code, said.get("code", said.get("errorCode"))) == (403, "FORBIDDEN_ACCESS"), wrong


def test_a_program_of_another_organisation_finds_none_of_the_flows(site):
    headers = bearer(site, site.story.neighbour)
    answer = site.browser().post("/flow-service/v1/flows/search", json={"where": {}}, headers=headers)
    assert site.story.numbers["rejected"] not in answer.text
    assert "rejected.xml" not in answer.text


def test_a_collector_sees_and_changes_only_what_lies_in_their_agencies(site):
    """The first agency issued the paid, refused and silent invoices, the second one the others."""
    collector = site.signed_in(Role.COLLECTOR)
    hidden = site.invoice("rejected")
    listed = collector.get("/invoices").text
    assert ("F-REFUSED" in listed, "F-REJECTED" in listed) == (True, False)
    alerts = collector.get("/alerts").text + collector.get("/worklist").text + collector.get("/").text
    assert ("F-REFUSED" in alerts, "F-REJECTED" in alerts) == (True, False)
    for path in (hidden, f"{hidden}/document"):
        assert collector.get(path).status_code == 404
    with site.services.database.transaction(site.story.house) as session:
        rejected = select(InvoiceRecord.id).where(InvoiceRecord.number == "F-REJECTED")
        alert = session.exec(select(Alert).where(Alert.invoice_id == rejected.scalar_subquery())).one()
        action = session.exec(select(CollectionAction).where(CollectionAction.alert_id == alert.id)).one()
    token = csrf_of(collector, "/notifications")
    for path in (
        f"/alerts/{alert.id}/acknowledge",
        f"/alerts/{alert.id}/close",
        f"/worklist/{action.id}/assign",
        f"/worklist/{action.id}/complete",
    ):
        fields = {"csrf": token, "because": "x", "outcome": "x"}
        assert collector.post(path, data=fields, follow_redirects=False).status_code == 404, path


def test_a_key_account_is_seen_beyond_the_agencies(site):
    with site.services.database.transaction(site.story.house) as session:
        invoice = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "F-REJECTED")).one()
        user = session.exec(select(User).where(User.role == Role.COLLECTOR.value)).one()
        service.limit_user(session, user, agencies=[], key_accounts=[invoice.buyer_siren])
    listed = site.signed_in(Role.COLLECTOR).get("/invoices").text
    assert ("F-REJECTED" in listed, "F-REFUSED" in listed) == (True, False)


#: What the silent invoice carries in `theirs`: nobody sees these who does not see the invoice.
OF_THE_SILENT = (
    "promise_id", "plan_id", "dispute_id", "reminder_id", "penalty_id", "act_id", "hand_over_id", "matter_id"
)  # fmt: skip


@pytest.fixture
def silent(site, theirs) -> dict[str, str]:
    """What tells of the silent invoice, of the first agency; its customer has an invoice of the second one, too.

    A call about its reminder and comments on it and on its dispute are marked by their words.
    """
    with site.services.database.transaction(site.story.house) as session:
        invoice = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "F-SILENT")).one()
        other = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "F-SUSPENDED")).one()
        assert invoice.agency_id != other.agency_id
        link = session.exec(select(CustomerInvoice).where(CustomerInvoice.invoice_id == other.id)).one()
        link.customer_id = theirs["customer_id"]
        user = session.exec(select(User).where(User.email == PEOPLE[Role.ADMINISTRATOR])).one()
        person = Principal(
            site.story.house, "user", user.id, user.name, frozenset(), Role.ADMINISTRATOR, Scope.everything()
        )
        nobody, now = Channels(by_email=False), site.clock()
        told = NewCall(CallOutcome.NO_ANSWER, note="appel muet")
        record_call(session, person, Source.REMINDER, theirs["reminder_id"], told, nobody, now)
        comment(session, person, Subject.INVOICE, invoice.id, "mot sur la facture", nobody, now)
        comment(session, person, Subject.DISPUTE, theirs["dispute_id"], "mot sur le litige", nobody, now)
        action = session.exec(select(CollectionAction).where(CollectionAction.invoice_id == invoice.id)).first()
    ids = {**{name: str(theirs[name]) for name in OF_THE_SILENT}, "invoice_id": str(invoice.id)}
    ids |= {"matter_id": str(action.id), "action_id": str(action.id)} if action else {}
    words = ("F-SILENT", "appel muet", "mot sur la facture", "mot sur le litige")
    return {**ids, **{word: word for word in words}}


@pytest.mark.parametrize("role", [Role.COLLECTOR, Role.AR_MANAGER, Role.TREASURER])
def test_no_list_or_page_tells_a_limited_person_of_what_lies_elsewhere(site, theirs, silent, role):
    """Promises, plans, disputes, reminders, calls, comments, claims: all lists and all pages, by routes and cookies."""
    with site.services.database.transaction(site.story.house) as session:
        user = session.exec(select(User).where(User.email == PEOPLE[role])).one()
        second = session.exec(select(InvoiceRecord.agency_id).where(InvoiceRecord.number == "F-SUSPENDED")).one()
        service.limit_user(session, user, agencies=[session.get_one(Agency, second).siret], key_accounts=[])
    limited, everyone = site.signed_in(role), site.signed_in(Role.ADMINISTRATOR)
    told, shown = set(), 0
    for method, path in walk(site):
        names = set(re.findall(r"{(\w+)}", path))
        if method != "GET" or path == "/notifications":  # those tell what one was told when one could see it
            continue
        address = path.format(**theirs | silent, **OF_THE_DIRECTORY) + QUERIES.get(path.rpartition("/")[2], "")
        answer, whole = (each.get(address, follow_redirects=False) for each in (limited, everyone))
        asked = {silent[name] for name in names & silent.keys()}
        leaked = [mark for mark in silent.values() if mark not in asked and mark in answer.text]
        assert not leaked, (path, leaked)
        if asked:
            assert answer.status_code in (403, 404), path
        told |= {mark for mark in silent.values() if mark not in asked and mark in whole.text}
        shown += answer.status_code == 200
    assert told == set(silent.values()), "what no route tells at all cannot be hidden"
    assert shown >= 20
