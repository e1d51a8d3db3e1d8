"""Who gets in, which forms count, and the headers browsers protect people by."""

import re
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlmodel import func, select

from gateway.access import service
from gateway.access.model import SignInAttempt, User, UserSession
from gateway.access.roles import Role
from gateway.web.addresses import local_path
from gateway.web.routes import FORMS, PAGES, WebContext, error_page, router
from tests.web.story import PASSWORD, PEOPLE, TestClient, csrf_of, post

CREDENTIALS = {"email": PEOPLE[Role.READER], "password": PASSWORD}
OPEN_TO_STRANGERS = {"/sign-in", "/invoice.css"}


def concrete(path):
    return re.sub(r"{\w+}", str(uuid4()), path)


def test_a_stranger_is_led_to_sign_in_on_every_page(site):
    browser = site.browser()
    for path in set(PAGES) - OPEN_TO_STRANGERS:
        answer = browser.get(concrete(path), follow_redirects=False)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/sign-in?next=%2F")


def test_after_sign_in_one_is_where_one_wanted_to_go(site):
    browser = site.browser()
    sign_in_page = browser.get("/invoices?q=a%26b", follow_redirects=False).headers["location"]
    wanted = re.search(r'name="next" value="([^"]+)"', browser.get(sign_in_page).text)[1]
    answer = post(browser, "/sign-in", CREDENTIALS | {"next": wanted}, seen_on="/sign-in")
    assert answer.headers["location"] == "/invoices?q=a%26b"
    assert browser.get("/invoices").status_code == 200


def test_a_stranger_changes_nothing(site):
    browser = site.browser()
    for path in set(FORMS) - {"/sign-in", "/language", "/sign-out"}:
        answer = post(browser, concrete(path), {}, seen_on="/sign-in")
        assert answer.headers["location"].startswith("/sign-in"), path


@pytest.mark.parametrize("token", [None, "", "guessed", "é"])
def test_no_form_counts_without_the_token_of_this_browser(site, token):
    browser = site.signed_in(Role.ADMINISTRATOR)
    fields = {"language": "en", "because": "x", "outcome": "x"} | ({} if token is None else {"csrf": token})
    for path in FORMS:
        answer = browser.post(concrete(path), data=fields, follow_redirects=False)
        assert answer.status_code == 403, path
        assert "Ce formulaire n’est plus valable" in answer.text


def test_the_token_of_another_person_does_not_count(site):
    theirs = csrf_of(site.signed_in(Role.READER), "/notifications")
    mine = site.signed_in(Role.ADMINISTRATOR)
    assert mine.post("/notifications/read", data={"csrf": theirs}, follow_redirects=False).status_code == 403


def test_a_form_sent_by_another_site_does_not_count(site):
    browser = site.signed_in(Role.ADMINISTRATOR)
    fields = {"csrf": csrf_of(browser, "/notifications")}
    answer = browser.post("/notifications/read", data=fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_a_form_beyond_all_measure_is_not_even_read(site):
    answer = site.browser().post("/sign-in", data={"email": "a" * 70_000})
    assert answer.status_code == 403


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(site):
    browser = site.browser()
    answer = post(browser, "/sign-in", CREDENTIALS, seen_on="/sign-in")
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("gateway_session=")]
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_a_wrong_password_and_an_unknown_person_see_the_same_page(site):
    pages = []
    for email, password in ((PEOPLE[Role.READER], "une autre phrase"), ("personne@maison.example", PASSWORD)):
        browser = site.browser()
        answer = post(browser, "/sign-in", {"email": email, "password": password}, seen_on="/sign-in")
        assert answer.status_code == 401
        pages.append(re.sub(r'value="[^"]*"', "", answer.text))
    assert pages[0] == pages[1]
    assert "Adresse e-mail ou mot de passe incorrect." in pages[0]


def test_too_many_attempts_are_told_when_to_come_back(site):
    browser, fields = site.browser(), {"email": "personne@maison.example", "password": "x"}
    with site.services.database.system_transaction() as session:
        limit = site.services.settings.sign_in_attempts
        session.add_all(SignInAttempt(subject="address:testclient", at=site.clock()) for _ in range(limit))
    answer = post(browser, "/sign-in", fields, seen_on="/sign-in")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")


def test_signing_out_ends_the_session_on_the_server_too(site):
    browser = site.signed_in(Role.READER)
    cookie = browser.cookies["gateway_session"]
    post(browser, "/sign-out", {})
    browser.cookies.clear()
    browser.cookies.set("gateway_session", cookie)
    assert browser.get("/", follow_redirects=False).status_code == 303


def test_a_session_that_is_over_leads_to_sign_in(site):
    browser = site.signed_in(Role.READER)
    site.clock.advance(site.services.settings.session_length)
    assert browser.get("/", follow_redirects=False).headers["location"].startswith("/sign-in")


def test_a_deactivated_person_loses_the_pages_at_once(site):
    browser = site.signed_in(Role.READER)
    with site.services.database.transaction(site.story.house) as session:
        user = session.exec(select(User).where(User.email == PEOPLE[Role.READER])).one()
        service.deactivate_user(session, user)
    assert browser.get("/", follow_redirects=False).status_code == 303


def test_a_role_does_not_do_what_it_may_not(site):
    for role, path in (
        (Role.READER, "/alerts/{alert_id}/acknowledge"),
        (Role.TREASURER, "/alerts/{alert_id}/close"),
        (Role.READER, "/worklist/{action_id}/complete"),
        (Role.COLLECTOR, "/quarantine/{flow_id}/replay"),
    ):
        answer = post(site.signed_in(role), concrete(path), {"because": "x", "outcome": "x"})
        assert answer.status_code == 403, path
        assert "Votre rôle ne permet pas cette opération." in answer.text


def test_a_reader_is_offered_no_button_that_would_be_refused(site):
    browser = site.signed_in(Role.READER)
    for path in ("/alerts", "/worklist", site.invoice("rejected")):
        page = browser.get(path).text
        assert 'action="/alerts/' not in page
        assert 'action="/worklist/' not in page
    assert browser.get("/quarantine").status_code == 403
    assert "/quarantine" not in browser.get("/").text


def test_every_page_carries_the_protecting_headers(site):
    browser = site.signed_in(Role.AR_MANAGER)
    for path in PAGES:
        answer = browser.get(concrete(path), follow_redirects=False)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == ("no-store" if path != "/invoice.css" else "public, max-age=604800")


def test_no_page_has_script_or_style_inside_or_from_elsewhere(site):
    browser = site.signed_in(Role.AR_MANAGER)
    for path in [*(path for path in PAGES if "{" not in path), site.invoice("rejected")]:
        page = browser.get(path, follow_redirects=False).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"<style|<[^>]+\s(style|on\w+)=", page), path
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page), path


def test_what_is_not_there_and_what_is_not_ones_own_say_the_same(site):
    browser = site.signed_in(Role.AR_MANAGER)
    french = browser.get(f"/invoices/{uuid4()}")
    assert french.status_code == 404
    assert browser.get("/invoices/not-a-number").status_code == 404
    post(browser, "/language", {"language": "en"})
    english = browser.get("/invoices/not-a-number")
    assert "There is no such page." in english.text


def test_a_parameter_that_makes_no_sense_is_no_failure_of_ours(site):
    browser = site.signed_in(Role.AR_MANAGER)
    for address in ("/invoices?q=%00", "/alerts?q=%00", "/alerts?after=x", "/invoices?after=W10", "/worklist?team=%00"):
        assert 400 <= browser.get(address).status_code < 500, address


def test_an_address_that_no_route_knows_gets_the_same_page(site):
    services = site.services
    rest = {"replay_flow": lambda *_: None, "resend_delivery": lambda *_: None, "previews": services.previews}
    context = WebContext(
        services.database, services.documents, services.clock, services.settings, None, services.limits, **rest
    )
    app = FastAPI()
    app.include_router(router(context))

    @app.exception_handler(404)
    async def not_found(request, error):
        return await error_page(context, request, error)

    answer = TestClient(app, base_url="https://testserver").get("/nowhere")
    assert answer.status_code == 404
    assert "Cette page n’existe pas." in answer.text
    assert "content-security-policy" in answer.headers


def test_a_failure_is_a_calm_page_that_gives_nothing_away(site, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("the secret reason")

    monkeypatch.setattr("gateway.web.pages.alerts.list_alerts", fail)
    answer = site.signed_in(Role.AR_MANAGER).get("/alerts")
    assert answer.status_code == 500
    assert "Une erreur est survenue de notre côté" in answer.text
    assert "secret reason" not in answer.text


def test_a_database_that_fails_is_a_calm_page_too(site, monkeypatch):
    browser = site.signed_in(Role.AR_MANAGER)
    monkeypatch.setattr("gateway.web.security.resume_session", lambda *args: 1 / 0)
    answer = browser.get("/alerts")
    assert answer.status_code == 500
    assert "Une erreur est survenue de notre côté" in answer.text
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/\n/evil", "", "\\\\e"]
)
def test_no_address_of_another_site_is_local(elsewhere):
    assert local_path(elsewhere) == "/"


def test_sign_in_leads_to_no_other_site(site):
    fields = CREDENTIALS | {"next": "//evil.example"}
    assert post(site.browser(), "/sign-in", fields, seen_on="/sign-in").headers["location"] == "/"


def test_the_demo_signs_its_person_in_and_says_so(site):
    page = site.browser(demo=True).get("/alerts")
    assert page.status_code == 200
    assert "Mode démonstration\u00a0: connecté automatiquement" in page.text
    assert "Ar Manager" in page.text


def test_the_demo_still_refuses_forms_that_are_not_its_own(site):
    browser = site.browser(demo=True)
    browser.get("/alerts")
    assert browser.post("/notifications/read", data={"csrf": "guessed"}).status_code == 403
    assert post(browser, "/notifications/read", {}).status_code == 303


def test_nothing_but_the_demo_signs_anyone_in(site):
    assert site.browser().get("/alerts", follow_redirects=False).status_code == 303
    assert "Mode démonstration" not in site.signed_in(Role.AR_MANAGER).get("/").text


def test_visits_leave_no_sessions_behind_but_sign_ins(site):
    for _ in range(3):
        site.browser().get("/sign-in")
        site.browser(demo=True).get("/")
    with site.services.database.system_transaction() as session:
        assert session.exec(select(func.count()).select_from(UserSession)).one() == 0
