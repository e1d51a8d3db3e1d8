"""What is written to customers: nothing in it acts as markup, nothing promised is left out, and what leaves is kept."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lxml import html
from pypdf import PdfReader
from sqlmodel import select

from fixtures.companies import make_customers, make_seller
from fixtures.drafts import make_draft
from fixtures.pdf import to_facturx
from fixtures.profiles import Profile
from fixtures.ubl import to_ubl
from gateway.access.errors import PermissionDeniedError
from gateway.access.scope import Scope
from gateway.collection import evidence
from gateway.collection.evidence import EvidenceKeeper
from gateway.collection.law.statute import statute
from gateway.collection.messages.composing import MessageComposer
from gateway.collection.messages.errors import InvalidLetterheadError, InvalidTextsError, NoTextError
from gateway.collection.messages.keeping import letterhead_in_force, store_letterhead, store_texts, texts_in_force
from gateway.collection.messages.letterhead import Letterhead, read_letterhead
from gateway.collection.messages.printing import html_page, letter_pdf, plain_text
from gateway.collection.messages.texts import default_texts, read_texts
from gateway.collection.messages.values import CreditLine, ReminderLine, ReminderMessage
from gateway.collection.messages.wording import Accrued, last_day_to_pay, word
from gateway.collection.scenarios import Channel, default_book
from gateway.customers.values import Contact, ContactRole
from gateway.invoices.limits import ReadingLimits
from gateway.kernel.clock import ManualClock
from gateway.ledger.checkpoints import checkpoint_of
from gateway.ledger.errors import ChainBrokenError
from gateway.ledger.evidence_verifier import verify as verify_evidence
from gateway.ledger.model import LedgerEntry
from gateway.ledger.signing import load_key
from gateway.lifecycle.model import InvoiceRecord
from tests.collection.agreeing import House
from tests.collection.owing import NOW, Collecting
from tests.lifecycle.following import record

ON = date(2026, 11, 17)
HEAD = Letterhead(
    name="Négoce Valbrune",
    address=("4 quai des Bateliers", "44000 Nantes"),
    reply_to="recouvrement@valbrune.example.fr",
    iban="FR7630006000011234567890189",
    bic="AGRIFRPP",
    mentions="SAS · SIREN 167 981 018",
)
CONTACT = Contact(
    ContactRole.ACCOUNTING, "Inès Marlaud", "compta@x.example", None, "fr", ("12 rue du Moulin", "35000 Rennes")
)
EVERYTHING = Scope.everything()


def line(number: str = "F1", claimed: str = "1200.00", **changes: object) -> ReminderLine:
    amount = Decimal(claimed)
    made = ReminderLine(uuid4(), number, "167981018", date(2026, 10, 1), date(2026, 10, 31), 17, amount, amount, amount)
    return replace(made, **changes)


def message(*lines: ReminderLine, **changes: object) -> ReminderMessage:
    lines = lines or (line(),)
    made = ReminderMessage(
        reminder_id=uuid4(),
        customer_id=uuid4(),
        customer_name="Plomberie Escarbielle SA",
        contact=CONTACT,
        language="fr",
        channel=Channel.EMAIL,
        template="relance_1",
        tone=1,
        on=ON,
        currency="EUR",
        lines=lines,
        credits=(),
        unallocated=Decimal(0),
        total=sum((each.claimed for each in lines), Decimal(0)),
    )
    return replace(made, **changes)


def paper(data: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(data)).pages).split())


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_template_that_the_scenarios_name_has_its_text(language):
    templates = {step.template for scenario in default_book(ON).scenarios for step in scenario.steps}
    for template in templates:
        worded = word(message(template=template, language=language), HEAD, default_texts())
        assert worded.subject
        assert "{" not in plain_text(worded, HEAD)


@pytest.mark.parametrize("template", [each.key for each in default_texts().texts])
def test_no_line_of_a_french_message_breaks_before_a_double_mark(template):
    owing = [Accrued(treatment, Decimal("3.10"), Decimal(40)) for treatment in ("announced", "claimed")]
    credit = CreditLine(uuid4(), "A7", date(2026, 10, 5), Decimal("-100.00"))
    told = message(template=template, credits=(credit,), unallocated=Decimal("-50.00"))
    worded = word(told, HEAD, default_texts(), owing, approved=True)
    for shown in (worded.subject, plain_text(worded, HEAD), html_page(worded, HEAD, "fr")):
        assert re.findall(r".{10} [;:?!%»](?!\w)|« .{10}|\w'\w", shown) == []


def test_credit_notes_and_unallocated_money_stand_in_the_message_and_lower_its_total():
    credit = CreditLine(uuid4(), "A7", date(2026, 10, 5), Decimal("-100.00"))
    told = message(credits=(credit,), unallocated=Decimal("-50.00"), total=Decimal("1050.00"))
    text = plain_text(word(told, HEAD, default_texts()), HEAD)
    assert re.search(r"Avoir A7\s: -100,00\s€", text)
    assert re.search(r"Règlement reçu, non affecté\s: -50,00\s€", text)
    assert re.search(r"Total à régler\s: 1\s050,00\s€", text)


def test_amounts_are_told_as_each_language_punctuates():
    text = plain_text(word(message(language="en"), HEAD, default_texts()), HEAD)
    assert "17 days: €1,200.00\nTotal to pay: €1,200.00" in text


def test_one_invoice_and_several_are_said_in_their_number():
    one = word(message(), HEAD, default_texts()).opening[0]
    assert "règlement de la facture ci-dessous" in one
    assert (
        "règlement des 2 factures ci-dessous" in word(message(line("F1"), line("F2")), HEAD, default_texts()).opening[0]
    )
    plan = message(line(is_instalment=True), template="echeance")
    assert "l’échéance ci-dessous du plan" in word(plan, HEAD, default_texts()).opening[0]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_second_reminder_that_is_the_first_to_be_sent_does_not_speak_of_an_earlier_one(language):
    text = plain_text(word(message(template="relance_2", language=language), HEAD, default_texts()), HEAD)
    assert not re.search(r"rappel[ ,]|deuxième|second|spite", text.replace("sans qu’un rappel", ""), re.IGNORECASE)


def test_a_letter_speaks_to_whoever_opens_it_and_a_mail_to_the_person():
    letter = word(message(template="mise_en_demeure", channel=Channel.REGISTERED_LETTER), HEAD, default_texts())
    mail = word(message(template="mise_en_demeure"), HEAD, default_texts())
    assert (letter.greeting, mail.greeting) == ("Madame, Monsieur,", f"Bonjour {CONTACT.name},")
    assert letter.regards.startswith("Nous vous prions d’agréer, Madame, Monsieur,")
    assert mail.regards == "Cordialement,"


def test_approval_is_only_told_to_who_has_approved():
    said = word(message(), HEAD, default_texts(), approved=True)
    assert any("Vous avez approuvé" in each for each in said.closing)
    assert not any("approuvé" in each for each in word(message(), HEAD, default_texts()).closing)


def test_a_formal_notice_names_its_article_its_last_day_and_what_the_law_adds():
    told = message(template="mise_en_demeure")
    accrued = [Accrued("announced", Decimal("12.34"), Decimal("40.00"))]
    text = plain_text(word(told, HEAD, default_texts(), accrued), HEAD)
    assert "article 1344 du code civil" in text
    assert "au plus tard le 25 novembre 2026" in text
    assert re.search(r"12,34\s€ au 17 novembre 2026, article L441-10", text)
    assert re.search(r"40,00\s€, article D441-5", text)


def test_a_formal_notice_leaves_a_working_day_to_pay():
    assert last_day_to_pay(date(2026, 12, 17), 8) == date(2026, 12, 28)


def test_the_letter_shows_sender_recipient_table_and_account():
    told = message(line("F1"), line("F2", "300.50"), channel=Channel.REGISTERED_LETTER)
    text = paper(letter_pdf(told, word(told, HEAD, default_texts()), HEAD))
    for said in ("Négoce Valbrune", "Plomberie Escarbielle SA", "12 rue du Moulin", "F1", "F2", "300,50", "1 500,50"):
        assert said in text.replace("\u202f", " ").replace("\xa0", " ")
    assert "Lettre recommandée avec accusé de réception" in text
    assert "FR76 3000 6000 0112 3456 7890 189" in text


def test_the_same_letter_is_the_same_bytes():
    told = message()
    worded = word(told, HEAD, default_texts())
    assert letter_pdf(told, worded, HEAD) == letter_pdf(told, worded, HEAD)


@hypothesis_settings(max_examples=40)
@given(st.text(alphabet="#[]$*_`\\\"'<>&{}@/=ab \n", min_size=1, max_size=40))
def test_what_a_customer_is_called_acts_neither_on_the_page_nor_on_the_subject(name):
    told = message(line(name), customer_name=name, note=name)
    worded = word(told, HEAD, default_texts())
    page = html.document_fromstring(html_page(worded, HEAD, "fr"))
    plain = html.document_fromstring(html_page(word(message(note="x"), HEAD, default_texts()), HEAD, "fr"))
    assert [each.tag for each in page.iter()] == [each.tag for each in plain.iter()]
    assert "\n" not in worded.subject
    assert "\r" not in worded.subject


@hypothesis_settings(max_examples=8)
@given(st.text(alphabet="#[]$*_`\\\"'<>&{}@/=ab", min_size=1, max_size=20))
def test_what_a_customer_is_called_is_shown_by_a_letter_as_it_is(name):
    told = message(customer_name=f"AB{name}CD")
    assert f"AB{name}CD" in paper(letter_pdf(told, word(told, HEAD, default_texts()), HEAD)).replace(" ", "")


def test_a_text_that_names_an_unknown_fact_is_refused_by_its_name():
    book = default_texts().model_dump(by_alias=True, mode="json")
    book["text"][0]["subject"]["fr"] = "Payez {tout.__class__}"
    with pytest.raises(InvalidTextsError) as refused:
        read_texts(book)
    assert "{tout.__class__} is not one of" in str(refused.value)
    assert refused.value.where == "text[1].subject.fr"


def test_a_template_without_text_is_named():
    with pytest.raises(NoTextError, match="sommation"):
        word(message(template="sommation"), HEAD, default_texts())


@pytest.mark.parametrize(
    ("field", "value"),
    [("iban", "FR7630006000011234567890188"), ("bic", "NONSENSE!"), ("logo", "PHN2Zy8+"), ("reply_to", "a b@c.fr")],
)
def test_a_letterhead_that_would_mislead_is_refused_by_its_field(field, value):
    with pytest.raises(InvalidLetterheadError) as refused:
        read_letterhead({"name": "Valbrune", field: value})
    assert refused.value.where == field


def test_the_latest_letterhead_and_texts_hold_and_the_ledger_tells_of_them(database, organisation):
    with database.transaction(organisation) as session:
        assert letterhead_in_force(session).name == "Comptoir des Matériaux"
        store_letterhead(session, EVERYTHING, {"name": "Avant"}, by="t", now=NOW)
        store_letterhead(session, EVERYTHING, {"name": "Après"}, by="t", now=NOW.replace(hour=11))
        own = default_texts().model_dump(by_alias=True, mode="json")
        own["days_to_pay"] = 15
        store_texts(session, EVERYTHING, own, comment="plus long", by="t", now=NOW)
    with database.transaction(organisation) as session:
        assert letterhead_in_force(session).name == "Après"
        assert texts_in_force(session, NOW).days_to_pay == 15
        kinds = session.exec(select(LedgerEntry.kind)).all()
    assert sorted(kinds) == ["letterhead.stored", "letterhead.stored", "texts.stored"]


def test_who_sees_a_part_of_the_organisation_does_not_change_what_it_writes(database, organisation):
    limited = Scope.limited_to([uuid4()], [])
    with database.transaction(organisation) as session, pytest.raises(PermissionDeniedError):
        store_letterhead(session, limited, {"name": "Autre"}, by="t", now=NOW)


@pytest.fixture
def collecting(database, organisation):
    return Collecting(database, organisation, ManualClock(NOW))


def composer(documents, clock, **changes: object) -> MessageComposer:
    made = MessageComposer(
        documents,
        clock,
        ReadingLimits(),
        lambda: statute(None),
        evidence=lambda _session, _language: lambda record: f"proof of {record.number}".encode(),
        most_bytes=8_000_000,
        most_invoices=25,
    )
    return replace(made, **changes)


def owed(collecting, documents, data: bytes, syntax: str) -> ReminderMessage:
    """A message about an invoice whose file is in the store."""
    owing = collecting.owe("F1")
    with collecting.database.transaction(collecting.organisation) as session:
        row = session.exec(select(InvoiceRecord).where(InvoiceRecord.id == owing.id)).one()
        row.document_sha256, row.syntax = documents.put(data), syntax
    collecting.run()
    (reminder,) = collecting.reminders()
    return message(line("F1", invoice_id=owing.id), customer_id=reminder.customer_id)


def draft():
    from random import Random

    seller = make_seller(1)
    return make_draft(
        Random(1), seller, seller.agencies[0], make_customers(1, 1)[0], number="F1", issue_date=date(2026, 10, 1)
    )


def test_a_mail_carries_the_statement_and_each_invoice_as_a_person_reads_it(collecting, documents):
    told = owed(collecting, documents, to_ubl(draft()), "UBL")
    with collecting.database.transaction(collecting.organisation) as session:
        composed = composer(documents, collecting.clock)(session, told)
    assert [each.name for each in composed.attachments] == ["Relevé de compte.pdf", "F1.pdf"]
    statement, invoice = (paper(documents.get(each.sha256)) for each in composed.attachments)
    assert "Solde du compte" in statement
    assert "Facture F1" in invoice
    assert "les factures concernées" in composed.text


def test_a_factur_x_goes_as_it_was_sent(collecting, documents):
    sent = to_facturx(draft(), Profile.EN_16931)
    told = owed(collecting, documents, sent, "Factur-X")
    with collecting.database.transaction(collecting.organisation) as session:
        composed = composer(documents, collecting.clock)(session, told)
    assert documents.get(composed.attachments[-1].sha256) == sent


def test_invoices_too_large_together_stay_and_the_message_says_so(collecting, documents):
    told = owed(collecting, documents, to_ubl(draft()), "UBL")
    with collecting.database.transaction(collecting.organisation) as session:
        composed = composer(documents, collecting.clock, most_bytes=1000)(session, told)
    assert [each.name for each in composed.attachments] == ["Relevé de compte.pdf"]
    assert "les factures vous seront envoyées sur demande" in composed.text


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("both", "les factures dont nous avons le fichier\u202f; les autres vous seront envoyées sur demande"),
        ("books", "les factures vous seront envoyées sur demande"),
    ],
)
def test_what_only_the_books_know_has_no_paper_and_the_message_says_so(collecting, documents, lines, said):
    told = owed(collecting, documents, to_ubl(draft()), "UBL")
    record(collecting.database, collecting.organisation, "205", 1, number="F1")
    known = line("V1", books_only=True)
    told = replace(told, lines=(*told.lines, known) if lines == "both" else (known,), template="relance_2")
    with collecting.database.transaction(collecting.organisation) as session:
        composed = composer(documents, collecting.clock)(session, told)
    assert [each.name for each in composed.attachments] == ["Relevé de compte.pdf", *["F1.pdf"] * (lines == "both")]
    assert said in composed.text
    assert "V1" in composed.text
    assert "approuv" not in composed.text


def test_the_letter_comes_first_among_the_papers_of_a_letter(collecting, documents):
    told = replace(owed(collecting, documents, to_ubl(draft()), "UBL"), channel=Channel.LETTER, language="en")
    with collecting.database.transaction(collecting.organisation) as session:
        composed = composer(documents, collecting.clock)(session, told)
    assert [each.name for each in composed.attachments] == ["Letter.pdf", "Statement of account.pdf", "F1.pdf"]


def test_a_call_has_words_and_no_papers(collecting, documents):
    told = replace(owed(collecting, documents, to_ubl(draft()), "UBL"), channel=Channel.CALL, template="appel")
    with collecting.database.transaction(collecting.organisation) as session:
        composed = composer(documents, collecting.clock)(session, told)
    assert composed.subject.startswith("Appeler Plomberie Escarbielle SA")
    assert "F1" in composed.text
    assert "Bonjour" not in composed.text
    assert "Cordialement" not in composed.text
    assert composed.attachments == ()


def test_a_thank_you_asks_for_nothing_and_carries_no_papers(collecting, documents):
    told = replace(owed(collecting, documents, to_ubl(draft()), "UBL"), template="remerciement")
    with collecting.database.transaction(collecting.organisation) as session:
        store_letterhead(session, EVERYTHING, {"name": "Vendeur", "iban": HEAD.iban}, by="t", now=NOW)
        composed = composer(documents, collecting.clock)(session, told)
    assert composed.attachments == ()
    assert "Total réglé" in composed.text
    assert "FR76" not in composed.text


def test_a_formal_notice_is_kept_with_the_evidence_file_of_each_invoice(collecting, documents):
    told = owed(collecting, documents, to_ubl(draft()), "UBL")
    notice = replace(told, channel=Channel.REGISTERED_LETTER, template="mise_en_demeure")
    with collecting.database.transaction(collecting.organisation) as session:
        composed = composer(documents, collecting.clock)(session, notice)
        other = composer(documents, collecting.clock)(session, told)
    kinds = [each.kind for each in composed.attachments]
    assert kinds == ["letter", "statement", "invoice", "evidence"]
    assert composed.attachments[-1].name == "Dossier de preuve F1.zip"
    assert documents.get(composed.attachments[-1].sha256) == b"proof of F1"
    assert "evidence" not in [each.kind for each in other.attachments]


def test_a_formal_notice_does_not_leave_without_its_proof(collecting, documents):
    told = owed(collecting, documents, to_ubl(draft()), "UBL")
    notice = replace(told, channel=Channel.REGISTERED_LETTER, template="mise_en_demeure")

    def broken(session, language):
        raise ChainBrokenError(3, "hash")

    with (
        collecting.database.transaction(collecting.organisation) as session,
        pytest.raises(ChainBrokenError),
    ):
        composer(documents, collecting.clock, evidence=broken)(session, notice)


def test_evidence_files_prove_themselves_and_the_chain_is_proved_on_from_the_last_time(
    database, organisation, documents, tmp_path, monkeypatch
):
    house = House(database, organisation)
    keeper = EvidenceKeeper(documents, lambda: load_key(tmp_path / "ledger.key"), lambda: NOW)
    starts = []

    def watched(session, key, *, now, since):
        starts.append(since.position if since else 0)
        return checkpoint_of(session, key, now=now, since=since)

    monkeypatch.setattr(evidence, "checkpoint_of", watched)
    for number in ("F1", "F2"):
        owing = house.owes(number)
        documents.put(number.encode())
        with database.transaction(organisation) as session:
            data = keeper(session, "fr")(session.get_one(InvoiceRecord, owing.id))
        file = tmp_path / f"{number}.zip"
        file.write_bytes(data)
        assert verify_evidence(str(file))
    assert starts[0] == 0
    assert starts[1] > 0
