"""What each page shows, and what its forms do."""

import re
from html import unescape

import pytest
from sqlalchemy import event
from sqlmodel import select

from gateway.access.roles import Role
from gateway.alerts.model import Alert
from gateway.collection.model import CollectionAction
from gateway.flows.model import Flow, FlowState
from tests.web.story import post

PAGES = ["/", "/alerts", "/worklist", "/invoices", "/quarantine", "/notifications"]
#: Finding the person (1), counts beside the navigation (1), `SET` and `set_config` of two transactions (4), and the
#: page's own queries, however many rows it shows.
MOST_QUERIES = {"/": 21, "/alerts": 11, "/worklist": 13, "/invoices": 10, "/quarantine": 8, "/notifications": 8}


def text_of(answer):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def first(pattern, answer):
    found = re.search(pattern, answer.text)
    assert found, pattern
    return found[1]


def assert_filters(browser, path, cases):
    """Each query shows one thing and hides another."""
    for query, shown, hidden in cases:
        text = text_of(browser.get(f"{path}?{query}"))
        assert shown in text, query
        assert hidden not in text, query


@pytest.fixture
def manager(site):
    return site.signed_in(Role.AR_MANAGER)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_page_is_shown_in_both_languages(site, manager, language):
    post(manager, "/language", {"language": language})
    for path in [*PAGES, site.invoice("rejected")]:
        answer = manager.get(path)
        assert answer.status_code == 200
        assert f'<html lang="{language}">' in answer.text


def test_the_language_switch_leads_back_to_the_page_and_stays(site, manager):
    answer = post(manager, "/language", {"language": "en", "next": "/alerts?severity=critical"})
    assert answer.headers["location"] == "/alerts?severity=critical"
    assert "Worklist" not in manager.get("/alerts").text
    assert "To handle" in manager.get("/alerts").text
    elsewhere = site.signed_in(Role.AR_MANAGER)
    assert '<html lang="en">' in elsewhere.get("/").text


def test_the_inbox_puts_the_gravest_first_and_says_what_to_do(site, manager):
    answer = manager.get("/alerts")
    text = text_of(answer)
    assert text.index("F-REJECTED rejetée") < text.index("F-REFUSED refusée")
    assert "À faire : Corrigez la facture" in text
    assert re.search(r"À traiter 3\b", text)


def test_the_inbox_filters(manager):
    assert_filters(
        manager,
        "/alerts",
        (
            ("severity=critical", "F-REJECTED rejetée", "F-REFUSED refusée"),
            ("q=f-refused", "F-REFUSED refusée", "F-REJECTED rejetée"),
            ("team=billing", "F-REJECTED rejetée", "F-REFUSED refusée"),
            ("state=closed", "Litige sur la facture F-DISPUTED", "F-REJECTED rejetée"),
            ("severity=nonsense&state=nonsense", "F-REJECTED rejetée", "F-DISPUTED"),
        ),
    )


def test_an_alert_is_taken_up_then_closed_with_its_reason_and_its_action_goes(site, manager):
    alert_id = first(r'action="/alerts/([^/]+)/acknowledge"', manager.get("/alerts?q=f-rejected"))
    post(manager, f"/alerts/{alert_id}/acknowledge", {"next": "/alerts"})
    assert "Prise en charge par Ar Manager" in text_of(manager.get("/alerts?q=f-rejected"))
    answer = post(manager, f"/alerts/{alert_id}/close", {"because": "Réémise sous F-2", "next": "/alerts"})
    assert "Alerte close" in text_of(manager.get(answer.headers["location"]))
    assert "Réémise sous F-2" in text_of(manager.get("/alerts?state=closed"))
    with site.services.database.transaction(site.story.house) as session:
        action = session.exec(select(CollectionAction).where(CollectionAction.alert_id == alert_id)).one()
    assert action.state == "cancelled"


def test_an_alert_is_not_closed_without_a_reason(site, manager):
    alert_id = first(r'action="/alerts/([^/]+)/close"', manager.get("/alerts"))
    answer = post(manager, f"/alerts/{alert_id}/close", {"because": "  "})
    assert answer.status_code == 422
    with site.services.database.transaction(site.story.house) as session:
        assert session.get_one(Alert, alert_id).state == "open"


def test_the_worklist_filters(manager):
    assert_filters(
        manager,
        "/worklist",
        (
            ("q=f-refused", "F-REFUSED", "F-REJECTED"),
            ("team=billing", "F-REJECTED", "F-REFUSED"),
            ("whose=mine", "Aucune action ici", "F-REJECTED"),
            ("whose=nobody", "F-REJECTED", "Aucune action ici"),
            ("state=cancelled", "F-DISPUTED", "F-REJECTED"),
        ),
    )


def test_the_worklist_shows_what_is_at_stake_and_lets_one_take_and_complete_it(manager):
    page = manager.get("/worklist")
    assert "Corriger et réémettre" in text_of(page)
    action_id = first(r'action="/worklist/([^/]+)/assign"', page)
    post(manager, f"/worklist/{action_id}/assign", {})
    assert "Ar Manager s’en charge" in text_of(manager.get("/worklist?whose=mine"))
    answer = post(manager, f"/worklist/{action_id}/complete", {"outcome": "Appel : réémise demain"})
    assert "Action terminée" in text_of(manager.get(answer.headers["location"]))
    assert "Appel : réémise demain" in text_of(manager.get("/worklist?state=done"))
    assert "Appel : réémise demain" not in text_of(manager.get("/worklist"))
    assert post(manager, f"/worklist/{action_id}/complete", {"outcome": "encore"}).status_code == 409


def test_the_invoices_are_found_by_number_status_direction_and_alert(manager):
    assert_filters(
        manager,
        "/invoices",
        (
            ("q=f-paid", "F-PAID", "F-SILENT"),
            ("status_code=213", "F-REJECTED", "F-PAID"),
            ("alert=open", "F-REFUSED", "F-PAID"),
            ("direction=payable", "Aucune facture ne correspond", "F-PAID"),
            ("direction=nonsense", "F-PAID", "Aucune facture"),
        ),
    )


def test_an_invoice_is_found_by_its_customer_and_by_the_customers_siren(site, manager):
    siren = first(r'class="quiet">(\d{9})', manager.get("/invoices?q=F-PAID"))
    assert "F-PAID" in manager.get(f"/invoices?q={siren[:3]}+{siren[3:6]}+{siren[6:]}").text


def test_an_invoice_page_tells_its_whole_life(site, manager):
    page = manager.get(site.invoice("paid"))
    text = text_of(page)
    for word in ("Encaissée", "Déposée", "Cycle de vie", "Validation", "Facture lisible", "message d’origine"):
        assert word in text
    assert '<article class="invoice"' in page.text
    life = text[text.index("Cycle de vie") :]
    assert life.index("Encaissée") < life.index("Approuvée") < life.index("Déposée")


def test_a_rejected_invoice_page_says_why_who_and_what_to_do(site, manager):
    text = text_of(manager.get(site.invoice("rejected")))
    assert "Critique" in text
    assert "Motif :" in text
    assert "Corriger et réémettre" in text


def test_the_documents_are_saved_as_they_came(site, manager):
    path = site.invoice("paid")
    document = manager.get(f"{path}/document")
    assert document.headers["content-disposition"] == "attachment; filename*=UTF-8''F-PAID.xml"
    assert document.headers["content-type"] == "application/xml"
    assert b"F-PAID" in document.content
    message = first(rf'href="({path}/messages/[^"]+)"', manager.get(path))
    assert b"CrossDomainAcknowledgementAndResponse" in manager.get(message).content
    assert manager.get(f"{path}/messages/{site.story.house}").status_code == 404


def test_each_figure_of_the_overview_opens_the_invoices_behind_it(site, manager):
    page = manager.get("/")
    links = {unescape(link) for link in re.findall(r'href="(/invoices\?figure=[^"]+)"', page.text)}
    assert len(links) == 8
    total = text_of(manager.get("/invoices?figure=aged:EUR:total"))
    assert "Factures ouvertes (EUR)" in total
    assert "F-SILENT" in total
    assert "F-PAID" not in total
    for link in links:
        assert manager.get(link).status_code == 200
    assert manager.get("/invoices?figure=aged:EUR:nonsense").status_code == 404


def test_the_treasury_is_shown_only_to_those_who_read_it(site):
    collector = site.signed_in(Role.COLLECTOR)
    assert "Balance âgée" not in text_of(collector.get("/"))
    assert collector.get("/invoices?figure=aged:EUR:total").status_code == 403
    assert "Balance âgée" in text_of(site.signed_in(Role.TREASURER).get("/"))


def test_a_file_refused_here_has_a_page_with_its_report(manager):
    page = manager.get("/alerts?q=broken")
    flow = manager.get(first(r'<h2><a href="(/alerts/[^"]+)"', page))
    text = text_of(flow)
    assert flow.url.path.startswith("/flows/")
    assert "broken.xml" in text
    assert "UNKNOWN_FORMAT" in text
    assert manager.get(f"{flow.url.path}/document").content == b"Bonjour, ci-joint la facture."


def test_the_quarantine_says_why_and_replays(site, manager):
    page = manager.get("/quarantine")
    assert "Un document manque sur le disque." in text_of(page)
    flow_id = first(r'action="/quarantine/([^/]+)/replay"', page)
    post(manager, f"/quarantine/{flow_id}/replay", {})
    with site.services.database.transaction(site.story.house) as session:
        assert session.get_one(Flow, flow_id).state == FlowState.RECEIVED.value
    assert "La quarantaine est vide." in text_of(manager.get("/quarantine"))


def test_notifications_are_counted_until_read(manager):
    page = manager.get("/notifications")
    assert "Nouvelle" in text_of(page)
    post(manager, "/notifications/read", {})
    assert "Nouvelle" not in text_of(manager.get("/notifications"))


def test_a_list_goes_on_on_the_next_page_with_its_filters(site, manager, monkeypatch):
    from gateway.web.pages import invoices

    search = invoices.search_invoices
    monkeypatch.setattr(invoices, "search_invoices", lambda *args, **kwargs: search(*args, **kwargs, limit=4))
    page = manager.get("/invoices?direction=receivable")
    after = manager.get("/invoices" + unescape(first(r'rel="next" href="([^"]+)"', page)))
    numbers = [re.findall(r">(F-[A-Z]+)</a>", each.text) for each in (page, after)]
    assert [len(each) for each in numbers] == [4, 2]
    assert len({*numbers[0], *numbers[1]}) == 6
    assert "direction=receivable" in first(r'rel="next" href="([^"]+)"', page)
    assert manager.get("/invoices?after=nonsense").status_code in (400, 404, 422)


def test_a_page_asks_few_queries_however_many_rows_it_shows(site, manager):
    asked = []
    event.listen(site.services.database.engine, "before_cursor_execute", lambda *about: asked.append(about[2]))
    for path, most in (MOST_QUERIES | {site.invoice("paid"): 25}).items():
        asked.clear()
        manager.get(path)
        assert len(asked) <= most, "\n".join([path, *asked])


def test_nothing_from_a_document_becomes_markup(site, manager):
    path = site.invoice("rejected")
    with site.services.database.transaction(site.story.house) as session:
        for alert in session.exec(select(Alert)):
            alert.title_fr = alert.reason_fr = "<script>alert(1)</script>"
    for page in ("/", "/alerts", path):
        assert "<script>alert" not in manager.get(page).text
