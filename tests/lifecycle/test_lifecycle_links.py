"""What an invoice corrects and what corrects it are known both ways, whatever came first."""

from datetime import date
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.access.scope import Scope
from gateway.cli.timeline import as_text
from gateway.invoices.model import PrecedingInvoice
from gateway.lifecycle.model import Direction
from gateway.lifecycle.repository import invoice_by_id
from gateway.lifecycle.timeline import Timeline, timeline_of
from tests.lifecycle.following import invoice, record, register
from tests.lifecycle.making_events import START


def naming(number, *preceding, **changes):
    """An invoice that refers to others, by number or by number and date of issue."""
    named = tuple(
        PrecedingInvoice(number=each) if isinstance(each, str) else PrecedingInvoice(number=each[0], issue_date=each[1])
        for each in preceding
    )
    return invoice(number, preceding_invoices=named, **changes)


def registered(database, organisation, *invoices, **how):
    return {
        each.number: register(database, organisation, each, content=each.number.encode(), **how).invoice
        for each in invoices
    }


def timeline(database, organisation, row, scope=None) -> Timeline:
    with database.transaction(organisation) as session:
        return timeline_of(
            session, scope or Scope.everything(), invoice_by_id(session, Scope.everything(), row.id), START
        )


def numbers(links):
    return [each.number for each in links]


def test_a_corrected_invoice_and_what_it_corrects_show_each_other_with_their_status(database, organisation):
    rows = registered(database, organisation, naming("F1"), naming("F2", "F1", type_code="384"))
    record(database, organisation, "210", 1, reasons=["TX_TVA_ERR"])
    old, new = (timeline(database, organisation, rows[each]) for each in ("F1", "F2"))
    [later], [earlier] = old.corrected_by, new.corrects
    assert (later.number, later.type_code, later.invoice_id) == ("F2", "384", rows["F2"].id)
    assert (earlier.number, earlier.status, earlier.invoice_id) == ("F1", "210", rows["F1"].id)
    assert old.corrects == new.corrected_by == ()


def test_after_a_rejection_and_another_the_whole_chain_shows_from_each_of_its_invoices(database, organisation):
    rows = registered(database, organisation, naming("F3", "F2"), naming("F1"), naming("F2", "F1"))
    first, middle, last = (timeline(database, organisation, rows[each]) for each in ("F1", "F2", "F3"))
    assert [(each.number, each.through) for each in first.corrected_by] == [("F2", "F1"), ("F3", "F2")]
    assert (numbers(middle.corrects), numbers(middle.corrected_by)) == (["F1"], ["F3"])
    assert [(each.number, each.through) for each in last.corrects] == [("F2", "F3"), ("F1", "F2")]


def test_a_reference_to_an_invoice_never_seen_is_told_until_that_invoice_comes(database, organisation):
    credit = registered(database, organisation, naming("A1", "  F1 ", type_code="381"))["A1"]
    [unknown] = timeline(database, organisation, credit).corrects
    assert (unknown.number, unknown.invoice_id) == ("F1", None)
    registered(database, organisation, naming("F1"))
    [known] = timeline(database, organisation, credit).corrects
    assert known.invoice_id is not None


def test_the_year_of_a_reference_tells_two_invoices_of_one_number_apart(database, organisation):
    registered(database, organisation, naming("F1", issue_date=date(2025, 3, 1)), naming("F1"))
    rows = registered(database, organisation, naming("A1", ("F1", date(2025, 3, 1))), naming("A2", "F1"))
    assert [each.issue_date for each in timeline(database, organisation, rows["A1"]).corrects] == [date(2025, 3, 1)]
    assert len(timeline(database, organisation, rows["A2"]).corrects) == 2


def test_what_we_owe_is_never_linked_to_what_we_are_owed(database, organisation):
    ours = registered(database, organisation, naming("F1"))["F1"]
    registered(database, organisation, naming("A1", "F1"), direction=Direction.PAYABLE)
    assert timeline(database, organisation, ours).corrected_by == ()


def test_a_person_sees_no_correction_of_another_agency_and_only_the_number_of_what_is_corrected(database, organisation):
    agency, other = uuid4(), uuid4()
    rows = registered(database, organisation, naming("F1"), agency_id=agency)
    rows |= registered(database, organisation, naming("F2", "F1"), agency_id=other)
    limited = timeline(database, organisation, rows["F1"], Scope.limited_to([agency], []))
    assert limited.corrected_by == ()
    [named] = timeline(database, organisation, rows["F2"], Scope.limited_to([other], [])).corrects
    assert (named.number, named.invoice_id, named.total_with_vat) == ("F1", None, None)


def test_the_command_shows_the_chain_with_where_each_invoice_stands(database, organisation):
    rows = registered(database, organisation, naming("F1"), naming("F2", "F1"), naming("F3", "F2"))
    record(database, organisation, "213", 1, reasons=["REJ_SEMAN"])
    assert "rectifie / corrects: F1  380  120,00\xa0€  213 Rejetée" in as_text(
        timeline(database, organisation, rows["F2"]), "fr"
    )
    assert "rectifiée par / corrected by: F3  ← F2" in as_text(timeline(database, organisation, rows["F1"]), "fr")


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=10), st.uuids())
def test_any_references_even_in_circles_show_each_linked_invoice_once(database, organisation, edges, run):
    """Seen from both ends: whoever corrects an invoice is told by it."""
    name = [f"P{node}-{run.hex[:8]}" for node in range(5)]
    rows = registered(
        database,
        organisation,
        *(naming(name[node], *(name[to] for frm, to in sorted(edges) if frm == node)) for node in range(5)),
    )
    told = {number: timeline(database, organisation, row) for number, row in rows.items()}
    for number, each in told.items():
        known = [link.number for link in each.corrects if link.invoice_id]
        assert len(known) == len(set(known))
        assert number not in known
        assert all(number in numbers(told[other].corrected_by) for other in known)
