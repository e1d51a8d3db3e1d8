"""What was reminded of when the books alone knew it counts, once its invoice has arrived, before a court too."""

import io
import json
import zipfile
from datetime import date

from sqlmodel import select

from gateway.app.services import build_services
from gateway.collection.law.dossier import write_dossier
from gateway.collection.law.formal_notice import Need
from gateway.collection.law.handing_over import hand_over, readiness_of
from gateway.collection.law.statute import statute
from gateway.customers.model import Customer
from gateway.kernel.clock import ManualClock
from gateway.lifecycle.model import InvoiceRecord
from tests.collection.owing import NOW
from tests.collection.test_collection_books import BUYER_SIREN, EVERYTHING, Books


def test_the_hand_over_file_of_an_invoice_holds_what_was_sent_when_the_books_alone_knew_it(
    database, organisation, settings
):
    house = Books(database, organisation, ManualClock(NOW))
    house.owe("F1", on=date(2026, 11, 13))
    house.books("V1")
    house.chase_books()
    house.send()
    house.arrives("V1")
    services = build_services(settings, clock=house.clock, database=database)
    output = io.BytesIO()
    with database.transaction(organisation) as session:
        arrived = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "V1")).one()
        customer = session.get_one(Customer, house.customer())
        facts = {"handed_to": "Me X", "by": "user:1", "now": house.clock()}
        formal_notice, _ = readiness_of(session, customer, [arrived], statute(), house.clock())[arrived.id]
        row, _ = hand_over(session, EVERYTHING, BUYER_SIREN, [arrived.id], statute(), **facts)
    assert Need.NO_REMINDER not in {each.need for each in formal_notice.missing}
    with database.transaction(organisation) as session:
        write_dossier(output, session, EVERYTHING, row, services.law, lambda _invoice: b"proof", house.clock())
    archive = zipfile.ZipFile(output)
    (sent,) = [name for name in archive.namelist() if name.startswith("relances/") and name.endswith("envoi.json")]
    told = json.loads(archive.read(sent))
    assert (told["invoices"], "V1" in told["text"]) == (["V1"], True)
    assert "<td>V1</td>" in archive.read("index.html").decode().partition("Relances envoyées")[2]
    services.flows.connections.close()
