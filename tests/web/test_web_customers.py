"""The pages of customers and of what they owe: figures open down, forms change, limits hold."""

import re

import pytest
from sqlmodel import select

from gateway.access.roles import Role
from gateway.customers.model import Customer
from tests.web.story import Site, post

SHOWN = re.compile(r'href="(/receivables/items\?[^"]+)"')


@pytest.fixture
def debtor(site: Site) -> Customer:
    """The customer of the invoice that goes on in silence."""
    with site.services.database.transaction(site.story.house) as session:
        found = session.exec(select(Customer).order_by(Customer.name)).first()
    assert found is not None
    return found


def test_every_figure_shown_opens_on_its_items(site):
    browser = site.signed_in(Role.AR_MANAGER)
    for path in ("/customers", *(f"/receivables?by={by}" for by in ("customer", "agency", "entity", "group"))):
        page = browser.get(path)
        assert page.status_code == 200
        links = {each.replace("&amp;", "&") for each in SHOWN.findall(page.text)}
        assert links, path
        for link in links:
            opened = browser.get(link)
            assert opened.status_code == 200
            assert "/invoices/" in opened.text


@pytest.mark.parametrize("by", ["customer", "agency", "group"])
def test_a_total_opens_on_the_entities_that_it_adds_up(site, by):
    browser = site.signed_in(Role.AR_MANAGER)
    totals = browser.get(f"/receivables?by={by}").text.partition("</table>")[0]
    assert '<a href="/receivables?by=entity">' in totals
    assert SHOWN.search(browser.get("/receivables?by=entity").text)


def test_a_customer_is_found_shown_and_changed_by_the_manager(site, debtor):
    browser = site.signed_in(Role.AR_MANAGER)
    here = f"/customers/{debtor.id}"
    assert debtor.name in browser.get("/customers", params={"q": debtor.name[:6]}).text
    facts = {"name": debtor.name, "payment_terms": "90", "credit_limit": "1 000,50", "is_key_account": "yes"}
    assert post(browser, f"{here}/change", facts).headers["location"].startswith(here)
    contact = {"name": "Mme <Durand>", "email": "compta@client.example", "role": "legal"}
    assert post(browser, f"{here}/contacts", contact).status_code == 303
    cover = {"insurer": "SFAC-77", "amount": "500", "valid_from": "2026-01-01"}
    assert post(browser, f"{here}/covers", cover).status_code == 303
    assert post(browser, f"{here}/notes", {"text": "Paie le 10."}).status_code == 303
    page = browser.get(here).text
    for sentence in ("Mme &lt;Durand&gt;", "Paie le 10.", "hors la loi", "Grand compte", "Juridique", "1\u202f000,50"):
        assert sentence in page, sentence
    for removal in set(re.findall(r'action="(/customers/[^"]+/remove)"', page)):
        assert post(browser, removal, {}).status_code == 303
    left = browser.get(here).text
    assert ("SFAC-77" in left, "compta@client.example" in left) == (False, False)


def test_a_wrong_value_is_refused_with_what_to_write(site, debtor):
    browser = site.signed_in(Role.AR_MANAGER)
    refused = post(browser, f"/customers/{debtor.id}/change", {"name": debtor.name, "payment_terms": "bientôt"})
    assert refused.status_code == 422
    assert "45 FDM" in refused.text


@pytest.mark.parametrize(("role", "status"), [(Role.COLLECTOR, 403), (Role.READER, 403), (Role.TREASURER, 403)])
def test_only_the_manager_changes_what_a_customer_is_trusted_with(site, debtor, role, status):
    browser = site.signed_in(role)
    for form in ("change", "covers"):
        fields = {"name": "x", "insurer": "x", "amount": "1", "valid_from": "2026-01-01"}
        assert post(browser, f"/customers/{debtor.id}/{form}", fields).status_code == status


def test_the_pages_speak_english(site, debtor):
    browser = site.signed_in(Role.AR_MANAGER)
    browser.cookies.set("gateway_language", "en")
    assert "Credit limit" in browser.get(f"/customers/{debtor.id}").text
    assert "Receivables" in browser.get("/receivables").text


@pytest.mark.parametrize("path", ["/receivables?by=colour", "/receivables/items?figure=colour", "/customers/nobody"])
def test_what_is_no_page_is_said_so(site, path):
    assert site.signed_in(Role.AR_MANAGER).get(path).status_code == 404
