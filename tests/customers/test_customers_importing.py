"""A file of customers is shown before it is taken, taken once, and each row that is refused is named."""

import io
import zipfile
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from gateway.access.model import User
from gateway.access.scope import Scope
from gateway.customers.changes import ChangeKind
from gateway.customers.errors import RefusedValueError, UnreadableCustomerFileError
from gateway.customers.fields import FIELDS, read_amount, read_key
from gateway.customers.importing import read_customers
from gateway.customers.model import Customer, CustomerContact, CustomerCover, CustomerInvoice
from gateway.customers.repository import find_customer
from gateway.customers.statutory_terms import statutory_terms
from gateway.customers.table_file import Limits, read_table
from gateway.customers.taking import ImportResult, import_customers
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import verify
from tests.customers.test_customers_linking import ESTABLISHMENT, SIRET, follow
from tests.lifecycle.making_events import BUYER_SIREN, START

LIMITS = Limits(100_000, 1_000_000, 100)
HEADER = "SIREN;Nom;Segment;Délai de paiement;Limite de crédit;Courriel;Contact"
LINE = f"{BUYER_SIREN};Bâtir Ensemble;Grands comptes;45 FDM;12 000,50;compta@batir.example;Mme Durand"


def table(*lines: str, header: str = HEADER) -> bytes:
    return "\r\n".join((header, *lines)).encode()


def take(database, organisation, data: bytes, *, dry_run: bool = False) -> ImportResult:
    with database.transaction(organisation) as session:
        return import_customers(session, data, statutory_terms(), dry_run=dry_run, by="a test", now=START)


def refused(*lines: str, header: str = HEADER) -> list[tuple[int, str, str]]:
    """Line, column and value of what is refused."""
    read = read_customers(read_table(table(*lines, header=header), LIMITS), {})
    return [(each.line, each.column, each.value) for each in read.refused]


def known(database, organisation, named: str = BUYER_SIREN) -> Customer:
    with database.transaction(organisation) as session:
        return find_customer(session, Scope.everything(), named)


def test_a_row_makes_a_customer_with_its_contact(database, organisation):
    result = take(database, organisation, table(LINE))
    assert result.counts[ChangeKind.CREATED] == 1
    customer = known(database, organisation)
    assert (customer.name, customer.segment, customer.payment_terms, customer.credit_limit) == (
        "Bâtir Ensemble", "grands comptes", "45 FDM", Decimal("12000.50"),
    )  # fmt: skip
    with database.transaction(organisation) as session:
        contact = session.exec(select(CustomerContact)).one()
        entry = session.exec(select(LedgerEntry).where(LedgerEntry.kind == "customer.imported")).one()
        assert verify(session).holds
    assert (contact.name, contact.email, contact.role) == ("Mme Durand", "compta@batir.example", "accounting")
    assert entry.content["by"] == "a test"


def test_a_dry_run_shows_what_the_real_one_does_and_writes_nothing(database, organisation):
    shown = take(database, organisation, table(LINE), dry_run=True)
    with database.transaction(organisation) as session:
        assert session.exec(select(Customer)).all() == []
        assert session.exec(select(LedgerEntry)).all() == []
    done = take(database, organisation, table(LINE))
    assert (shown.changes, shown.counts, shown.refused) == (done.changes, done.counts, done.refused)


def test_the_same_file_again_changes_nothing(database, organisation):
    data = table(LINE, f"{BUYER_SIREN};;;;;direction@batir.example;M. Petit")
    take(database, organisation, data)
    again = take(database, organisation, data)
    assert again.counts == {ChangeKind.CREATED: 0, ChangeKind.CHANGED: 0, ChangeKind.UNCHANGED: 1}
    with database.transaction(organisation) as session:
        assert len(session.exec(select(CustomerContact)).all()) == 2
        assert len(session.exec(select(LedgerEntry)).all()) == 1


def test_what_changes_is_shown_before_and_after_an_empty_cell_says_nothing_and_a_dash_erases(database, organisation):
    take(database, organisation, table(LINE))
    result = take(database, organisation, table(f"{BUYER_SIREN};;-;30;;;"))
    (change,) = result.changes
    assert {(each.field, each.before, each.after) for each in change.fields} == {
        ("segment", "grands comptes", None), ("payment_terms", "45 FDM", "30"),
    }  # fmt: skip
    customer = known(database, organisation)
    assert (customer.segment, customer.name, customer.credit_limit) == (None, "Bâtir Ensemble", Decimal("12000.50"))


def test_a_contact_is_completed_and_not_repeated(database, organisation):
    take(database, organisation, table(LINE))
    header = "SIREN;Courriel;Téléphone;Adresse"
    take(
        database,
        organisation,
        table(f"{BUYER_SIREN};compta@batir.example;01 23 45 67 89;1 rue du Port / 69002 Lyon", header=header),
    )
    with database.transaction(organisation) as session:
        contact = session.exec(select(CustomerContact)).one()
    assert (contact.phone, contact.postal) == ("01 23 45 67 89", ["1 rue du Port", "69002 Lyon"])


def test_covers_are_permanent_or_dated_and_follow_the_insurer(database, organisation):
    header = "SIREN;Assureur;Police;Garantie;Garantie du;Garantie au"
    lines = f"{BUYER_SIREN};Assur;P1;10000;2026-01-01;", f"{BUYER_SIREN};Assur;T1;5000;01/10/2026;31/12/2026"
    take(database, organisation, table(*lines, header=header))
    take(database, organisation, table(f"{BUYER_SIREN};Assur;P1;8000;2026-01-01;", header=header))
    with database.transaction(organisation) as session:
        covers = session.exec(select(CustomerCover).order_by(CustomerCover.reference)).all()
    assert [(each.reference, each.amount, each.valid_until) for each in covers] == [
        ("P1", Decimal("8000.00"), None),
        ("T1", Decimal("5000.00"), date(2026, 12, 31)),
    ]


def test_an_account_of_an_establishment_takes_its_invoices_over_and_keeps_the_others(database, organisation):
    follow(database, organisation, "F1", ESTABLISHMENT)
    result = take(database, organisation, table(f"{SIRET};Lyon", header="SIRET;Nom"))
    assert result.moved == 1
    site = known(database, organisation, f"siret:{SIRET}")
    with database.transaction(organisation) as session:
        assert session.exec(select(CustomerInvoice.customer_id)).one() == site.id
    assert site.siren == BUYER_SIREN


def test_a_customer_known_by_its_invoices_is_completed_and_not_doubled(database, organisation):
    follow(database, organisation, "F1", ESTABLISHMENT)
    result = take(database, organisation, table(LINE))
    assert result.counts[ChangeKind.CHANGED] == 1
    with database.transaction(organisation) as session:
        assert len(session.exec(select(Customer)).all()) == 1


def test_a_collector_is_a_person_of_the_organisation(database, organisation, other_organisation):
    for where, email in ((organisation, "ana@house.example"), (other_organisation, "bob@elsewhere.example")):
        with database.transaction(where) as session:
            session.add(
                User(
                    organisation_id=where, email=email, name="A", password_hash="x", role="collector", created_at=START
                )
            )
    header = "SIREN;Chargé de recouvrement"
    result = take(
        database,
        organisation,
        table(f"{BUYER_SIREN};ana@house.example", "443061841;bob@elsewhere.example", header=header),
    )
    assert [(each.line, each.column) for each in result.refused] == [(3, "Chargé de recouvrement")]
    with database.transaction(organisation) as session:
        person = session.exec(select(User)).one()
    assert known(database, organisation).collector_id == person.id


def test_terms_past_the_law_are_taken_and_remarked(database, organisation):
    result = take(database, organisation, table(f"{BUYER_SIREN};;;90;;;"))
    assert "L441-10" in result.changes[0].remarks[0].fr
    assert known(database, organisation).payment_terms == "90"


def test_a_customer_of_another_organisation_is_out_of_reach(database, organisation, other_organisation):
    take(database, other_organisation, table(LINE))
    assert take(database, organisation, table(LINE)).counts[ChangeKind.CREATED] == 1


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("732829321;Nom;;;;;", "SIREN", "732829321"),
        (f"{BUYER_SIREN};Nom;;soon;;;", "Délai de paiement", "soon"),
        (f"{BUYER_SIREN};Nom;;;12,345;;", "Limite de crédit", "12,345"),
        (f"{BUYER_SIREN};Nom;;;-5;;", "Limite de crédit", "-5"),
        (f"{BUYER_SIREN};Nom;;;;nowhere;", "Courriel", "nowhere"),
        (f"{BUYER_SIREN};-;;;;;", "Nom", "-"),
        (";;vip;;;;", "key", ""),
    ],
)
def test_each_wrong_cell_is_named_with_its_line_and_column_and_only_its_row_is_left_out(line, column, value):
    assert refused(line, "443061841;Autre;;;;;") == [(2, column, value)]


def test_rows_that_contradict_each_other_or_themselves_are_refused():
    assert refused(LINE, f"{BUYER_SIREN};Autre nom;;;;;") == [(3, "Nom", "Autre nom")]
    other = "siren:443061841"
    assert refused(f"{other};{BUYER_SIREN}", header="Clé;SIREN") == [(2, "SIREN", BUYER_SIREN)]
    assert refused(f"55210055400013;{BUYER_SIREN}", header="SIRET;SIREN") == [(2, "SIRET", "55210055400013")]


def test_a_cover_needs_its_insurer_amount_and_first_day_and_ends_after_it_begins():
    header = "SIREN;Assureur;Garantie;Garantie du;Garantie au"
    assert refused(f"{BUYER_SIREN};Assur;10;;", header=header) == [(2, "Garantie du", "")]
    assert refused(f"{BUYER_SIREN};Assur;10;2026-02-01;2026-01-01", header=header) == [(2, "Garantie au", "2026-01-01")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_any_common_separator_and_encoding_is_read(encoding, separator):
    text = separator.join(("SIREN", "Nom", "Segment")) + "\n" + separator.join((BUYER_SIREN, "Bâtir", "Été"))
    read = read_customers(read_table(text.encode(encoding), LIMITS), {})
    assert read.customers[f"siren:{BUYER_SIREN}"].fields == {"siren": BUYER_SIREN, "name": "Bâtir", "segment": "été"}


def test_an_excel_file_is_read_with_its_numbers_and_days():
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["SIREN", "Limite de crédit", "Grand compte", "Assureur", "Garantie", "Garantie du"])
        sheet.write_row(1, 0, [int(BUYER_SIREN), 1234.5, True, "Assur", 10])
        sheet.write_datetime(1, 5, date(2026, 1, 1), book.add_format({"num_format": "dd/mm/yyyy"}))
    told = read_customers(read_table(buffer.getvalue(), LIMITS), {}).customers[f"siren:{BUYER_SIREN}"]
    assert (told.fields["credit_limit"], told.fields["is_key_account"]) == (Decimal("1234.50"), True)
    assert [each.valid_from for each in told.covers.values()] == [date(2026, 1, 1)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01\x02",
        b"PK\x03\x04 not a workbook",
        b"\xd0\xcf\x11\xe0 not a workbook",
        b"Couleur;Taille\nrouge;3",
        b"SIREN;Nom;siren\n732829320;A;732829320",
        b'SIREN;Nom\n732829320;"A',
        b"SIREN\n" + b"732829320\n" * 101,
        b"x" * 100_001,
    ],
)
def test_what_is_no_table_of_customers_is_refused_whole(data):
    with pytest.raises(UnreadableCustomerFileError):
        read_customers(read_table(data, LIMITS), {})


def test_a_workbook_that_would_not_fit_is_not_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "0" * 1_000_001)
    with pytest.raises(UnreadableCustomerFileError, match="too large"):
        read_table(buffer.getvalue(), LIMITS)


@given(st.decimals(Decimal(0), Decimal("999999999.99"), places=2))
def test_an_amount_is_read_in_french_and_in_english(amount):
    english = f"{amount:,.2f}"
    french = english.replace(",", "\u202f").replace(".", ",")
    assert read_amount(english) == read_amount(french) == read_amount(str(amount)) == amount


@given(st.sampled_from(sorted(FIELDS)), st.text(max_size=40))
def test_whatever_is_written_is_read_or_refused_by_name(field, text):
    with suppress(RefusedValueError):
        value = FIELDS[field](text)
        assert FIELDS[field](str(value)) == value or isinstance(value, bool)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("732 829 320", "siren:732829320"),
        ("73282932000074", "siret:73282932000074"),
        ("name:Atelier  du Port", "name:atelier du port"),
        ("vat:DE136695976", "vat:DE136695976"),
    ],
)
def test_a_key_is_written_whole_or_by_the_bare_number(written, key):
    assert read_key(written) == key


def test_contacts_speak_as_their_customer_unless_it_is_told_and_an_empty_cell_changes_no_language(
    database, organisation
):
    def speak() -> dict[str, str]:
        with database.transaction(organisation) as session:
            return dict(session.exec(select(CustomerContact.name, CustomerContact.language)).all())

    header = "SIREN;Langue;Contact;Langue du contact"
    take(database, organisation, table(f"{BUYER_SIREN};;Anne;", f"{BUYER_SIREN};;Klaus;en", header=header))
    assert speak() == {"Anne": "fr", "Klaus": "en"}
    take(database, organisation, table(f"{BUYER_SIREN};;Klaus;", header=header))
    assert speak() == {"Anne": "fr", "Klaus": "en"}
    take(database, organisation, table(f"{BUYER_SIREN};en;;", header=header))
    assert speak() == {"Anne": "en", "Klaus": "en"}
    take(database, organisation, table(f"{BUYER_SIREN};;Zoe;", header=header))
    assert speak() == {"Anne": "en", "Klaus": "en", "Zoe": "en"}
