"""The pages as a person meets them: a real browser, a real server, a mouse and a keyboard."""

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from gateway.access.roles import Role
from gateway.app.service import create_app
from tests.web.story import PASSWORD, PEOPLE, Site

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: The promise is 300 ms on a quiet machine; a test machine runs other tests at the same time.
LONGEST_MS = 2000
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here: pages are not looked at")


@contextmanager
def served(site: Site, *, demo: bool) -> Iterator[str]:
    """The site on a free port, in a thread; its address."""
    app = create_app(site.services, demo_user_id=site.demo_user_id if demo else None)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def opened(chromium, address, size):
    """A page that fails the test for anything the browser complains about."""
    context = chromium.new_context(viewport=size, base_url=address, locale="fr-FR")
    page, complaints = context.new_page(), []
    page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def test_a_person_signs_in_settles_an_alert_and_signs_out(site, chromium):
    with served(site, demo=False) as address, opened(chromium, address, DESK) as page:
        page.goto("/alerts")
        page.get_by_label("Adresse e-mail").fill(PEOPLE[Role.AR_MANAGER])
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/alerts")
        alert = page.locator("article", has_text="F-REJECTED rejetée")
        alert.get_by_role("button", name="Prendre en charge").click()
        assert page.get_by_role("status").inner_text() == "Alerte prise en charge."
        alert.get_by_text("Clore", exact=True).click()
        alert.get_by_label("Pourquoi est-ce réglé ?").fill("Réémise sous un nouveau numéro")
        alert.get_by_role("button", name="Clore l’alerte").click()
        page.wait_for_url("**done=closed")
        assert page.get_by_text("F-REJECTED rejetée").count() == 0
        page.get_by_role("button", name="Se déconnecter").click()
        page.wait_for_url("**/sign-in")


def test_the_list_is_searched_from_the_keyboard_and_filtered_by_a_choice(site, chromium):
    with served(site, demo=True) as address, opened(chromium, address, DESK) as page:
        page.goto("/invoices")
        page.keyboard.press("/")
        page.keyboard.type("f-paid")
        page.keyboard.press("Enter")
        page.wait_for_url("**/invoices?q=f-paid")
        assert page.locator("tbody tr").count() == 1
        page.goto("/invoices")
        page.get_by_label("Statut").select_option(label="Rejetée")
        page.wait_for_url("**/invoices?status_code=213")
        page.get_by_role("link", name="F-REJECTED").click()
        assert page.get_by_role("heading", name="Cycle de vie").is_visible()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_fits_the_screen_is_quick_and_gives_every_field_a_name(site, chromium, size):
    invoice = site.invoice("rejected")
    work, money = ("/", "/alerts", "/worklist", "/reminders"), ("/customers", "/receivables")
    cut = "[...document.querySelectorAll('.table')].filter(each => each.scrollWidth > each.clientWidth + 1).length"
    with served(site, demo=True) as address, opened(chromium, address, size) as page:
        page.goto("/")
        for path in (*work, *money, "/invoices", invoice, "/quarantine", "/notifications"):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
            assert page.evaluate(cut) == 0, path
            assert page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd") < LONGEST_MS, path
            assert page.locator("h1").count() == (2 if path == invoice else 1), path
            unnamed = "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
            assert page.evaluate(f"{unnamed}.filter(each => !each.labels.length).length") == 0, path


def test_the_pages_are_read_in_english_after_the_switch(site, chromium):
    with served(site, demo=True) as address, opened(chromium, address, DESK) as page:
        page.goto("/worklist")
        page.get_by_role("button", name="English").click()
        page.wait_for_load_state()
        assert page.url.endswith("/worklist")
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.get_by_text("What brings cash in").is_visible()
        page.get_by_role("button", name="Français").click()
        page.wait_for_load_state()
        assert page.locator("html").get_attribute("lang") == "fr"
