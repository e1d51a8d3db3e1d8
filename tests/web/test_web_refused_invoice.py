"""An invoice that validation refuses is shown with what is wrong next to its fields."""

from datetime import date
from random import Random

import pytest
from lxml import etree, html

from fixtures.companies import make_customers, make_seller
from fixtures.drafts import make_draft
from fixtures.ubl import to_ubl
from gateway.access.roles import Role
from gateway.flows.intake import PROCESS_TASK, Submission, accept_flow
from gateway.jobs.queue import enqueue
from tests.web.story import Site


@pytest.fixture
def invoice() -> etree._Element:
    """A valid invoice of the house."""
    seller = make_seller(1, agencies=2)
    (customer,) = make_customers(1, 1)
    draft = make_draft(Random(1), seller, seller.agencies[0], customer, issue_date=date(2026, 9, 24))
    return etree.fromstring(to_ubl(draft))


def _page(site: Site, data: bytes) -> html.HtmlElement:
    """The page of a file, once processed."""
    services = site.services
    with services.database.transaction(site.story.house) as session:
        submission = Submission(data=data, name="late.xml", source="api", tracking_id="late")
        flow_id = accept_flow(session, services.documents, submission, now=services.clock()).flow.id
        enqueue(session, PROCESS_TASK)
    services.engine.run_until_idle()
    answer = site.signed_in(Role.AR_MANAGER).get(f"/flows/{flow_id}")
    assert answer.status_code == 200
    return html.document_fromstring(answer.text)


def _remarks(page: html.HtmlElement) -> list[tuple[str, str]]:
    """For each remark on the readable invoice the field it stands after and the rule."""
    found = page.xpath("//section[@id='readable']//small[contains(@class, 'remark')]")
    fields = (each.xpath("preceding-sibling::*[@data-term][1]/@data-term")[0] for each in found)
    return list(zip(fields, (each.text.partition(" ")[0] for each in found), strict=True))


def test_a_refused_invoice_is_shown_with_its_faults_next_to_their_fields(site: Site, invoice: etree._Element) -> None:
    second = list(invoice.iter("{*}InvoiceLine"))[1]
    second.find("{*}Price/{*}PriceAmount").text = "-1.00"
    invoice.find("{*}LegalMonetaryTotal/{*}PayableAmount").text = "1.00"
    page = _page(site, etree.tostring(invoice))
    assert _remarks(page) == [("BT-146", "BR-27"), ("BT-146", "BR-FR-DEC-03_BT-146"), ("BT-115", "BR-CO-16")]
    rows = page.xpath("//section[@id='readable']//tr[@data-group='BG-25']")
    assert [bool(row.xpath(".//small")) for row in rows] == [False, True, *[False] * (len(rows) - 2)]
    assert page.xpath("//link[@rel='stylesheet'][contains(@href, 'invoice.css')]")


def test_an_invoice_with_a_value_that_cannot_be_read_says_so_in_its_place(site: Site, invoice: etree._Element) -> None:
    invoice.find("{*}IssueDate").text = "2026-02-31"
    (card,) = _page(site, etree.tostring(invoice)).xpath("//section[@id='readable']")
    assert "2026-02-31" in card.text_content()
    assert not card.xpath(".//article")


def test_a_file_that_holds_no_invoice_has_no_readable_one(site: Site) -> None:
    assert not _page(site, b"Bonjour, ci-joint une autre facture.").xpath("//section[@id='readable']")
