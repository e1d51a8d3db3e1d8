"""A message becomes events: the right invoice, one fingerprint whatever the copy, a date in any case."""

from dataclasses import astuple
from datetime import UTC, datetime

import pytest

from gateway.lifecycle.cdar.model import CdarDate, Identifier, Party, ReferencedDocument, StatusDetail
from gateway.lifecycle.correlation import InvoiceKey, key_of
from gateway.lifecycle.events import StatusEvent, events_of
from gateway.lifecycle.statuses import StateLine
from tests.lifecycle.making_events import START, amount, event, message

REFERENCE = ReferencedDocument(
    number="F1",
    issued=CdarDate(raw="20261001", format="102"),
    seller=Party(ids=(Identifier(scheme="0002", value="552100554"),)),
    status_code="205",
)


def reference(**changes: object) -> ReferencedDocument:
    return REFERENCE.model_copy(update=changes)


def seller(scheme: str, value: str) -> Party:
    return Party(ids=(Identifier(scheme=scheme, value=value),))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, ("F1", "552100554", 2026)),
        ({"number": "  F 1\t"}, ("F 1", "552100554", 2026)),
        ({"number": "Fe\u03011"}, ("F\u00e91", "552100554", 2026)),
        ({"number": "f1"}, ("f1", "552100554", 2026)),
        ({"issued": CdarDate(raw="20261001000000")}, ("F1", "552100554", 2026)),
        ({"issued": None}, ("F1", "552100554", 0)),
        ({"issued": CdarDate(raw="?")}, ("F1", "552100554", 0)),
        ({"seller": None}, ("F1", "", 2026)),
        ({"seller": seller("0002", "552 100 554")}, ("F1", "552100554", 2026)),
        ({"seller": seller("0009", "55210055400013")}, ("F1", "552100554", 2026)),
        ({"seller": seller("0225", "552100554_STATUTS")}, ("F1", "552100554", 2026)),
        ({"seller": seller("", "552100554")}, ("F1", "552100554", 2026)),
        ({"seller": seller("0002", "5521005541")}, ("F1", "", 2026)),
        ({"number": "X" * 20}, ("", "552100554", 2026)),
        ({"seller": seller("0002", "000000000")}, ("F1", "", 2026)),
        ({"issued": CdarDate(raw="19000101000000")}, ("F1", "552100554", 0)),
    ],
)
def test_the_key_is_number_seller_and_year_however_they_are_written(
    changes: dict[str, object], key: tuple[str, str, int]
) -> None:
    found = key_of(reference(**changes))
    assert astuple(found) == key
    assert found.is_complete == all(key)


def test_the_siren_is_taken_from_its_own_scheme_before_any_other() -> None:
    both = Party(ids=(Identifier(scheme="0009", value="73282932000074"), Identifier(scheme="0002", value="552100554")))
    assert key_of(reference(seller=both)).seller_siren == "552100554"


def test_a_message_with_several_references_gives_an_event_for_each() -> None:
    made = message("205")
    second = made.documents[0].model_copy(update={"number": "F2"})
    both = made.model_copy(update={"documents": (made.documents[0], second), "multiple": True})
    assert [each.key for each in events_of(both, START)] == [
        InvoiceKey("F1", "552100554", 2026),
        InvoiceKey("F2", "552100554", 2026),
    ]


def test_a_copy_under_another_message_id_date_and_recipient_is_the_same_event() -> None:
    original = message("210", reasons=["CMD_ERR"])
    copy = original.model_copy(
        update={
            "message_id": "other",
            "issued": CdarDate(raw="20261006000000"),
            "recipients": (Party(role="DFH"),),
            "profile": "urn.cpro.gouv.fr:1p0:CDV:einvoicingF2",
        }
    )
    assert events_of(copy, START)[0].fingerprint == events_of(original, START)[0].fingerprint


@pytest.mark.parametrize(
    "other",
    [
        event("212", 1, data=[amount("MEN", "10", "20")]),
        event("212", data=[amount("MEN", "11", "20")]),
        event("212", data=[amount("MEN", "10", "10")]),
        event("212", data=[amount("MEN", "10", "20")], number="F2"),
        event("211", data=[amount("MEN", "10", "20")]),
    ],
)
def test_a_difference_in_what_happened_makes_another_event(other: StatusEvent) -> None:
    assert other.fingerprint != event("212", data=[amount("MEN", "10", "20")]).fingerprint


def test_trailing_zeros_do_not_make_another_event() -> None:
    assert (
        event("212", data=[amount("MEN", "10.00", "20.0")]).fingerprint
        == event("212", data=[amount("MEN", "10", "20")]).fingerprint
    )


def test_absent_dates_fall_back_on_the_message_then_on_reception() -> None:
    received = datetime(2026, 11, 1, tzinfo=UTC)
    made = message("205")
    undated = made.model_copy(update={"status_at": None})
    lost = made.model_copy(update={"status_at": CdarDate(raw="hier"), "issued": None})
    assert events_of(undated, received)[0].status_at == START
    assert events_of(lost, received)[0].status_at == received


def test_reasons_of_a_recalled_status_are_history_and_not_reasons_of_this_one() -> None:
    details = (StatusDetail(reason_code="PU_ERR", status_code="207"), StatusDetail(reason_code="CMD_ERR"))
    made = message("210")
    document = made.documents[0].model_copy(update={"details": details})
    assert events_of(made.model_copy(update={"documents": (document,)}), START)[0].reasons == ("CMD_ERR",)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (event("205"), StateLine.INVOICE),
        (event("213", reasons=["REJ_COH"]), StateLine.INVOICE),
        (event("213", reasons=["DOUBLON"]), StateLine.TRANSMISSION),
        (event("221"), StateLine.TRANSMISSION),
        (event("501", reasons=["IRR_SYNTAX"]), StateLine.TRANSMISSION),
        (event("601", reasons=["REJ_RG"]), StateLine.REPORTING),
        (event("280"), StateLine.INVOICE),
    ],
)
def test_each_event_moves_its_own_line(given: StatusEvent, line: StateLine) -> None:
    assert given.line is line


def test_an_event_survives_json() -> None:
    given = event("212", data=[amount("MEN", "10.00", "20")], comment="Virement", reasons=["AUTRE"])
    assert StatusEvent.model_validate_json(given.model_dump_json()) == given
