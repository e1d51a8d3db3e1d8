"""The oracle: whatever pyfrctc's generator, which no one here wrote, can say in a CDAR is read rightly.

It writes one recipient and one referenced document, and never a VAT rate (MDT-224).
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyfrctc.pyfrctc import generate_cdar

from gateway.kernel.clock import paris_instant
from gateway.lifecycle.catalogue import codes
from gateway.lifecycle.cdar.model import CdarMessage, Identifier
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.events import events_of
from gateway.lifecycle.projection import project
from gateway.lifecycle.reasons import all_reasons, allowed_reasons
from gateway.lifecycle.statuses import Phase, StateLine, Status, all_statuses
from tests.lifecycle.making_events import START

Foreign = dict[str, Any]
AT = datetime(2026, 10, 12, 11, 30, 15)
PROFILES = ("invoice", "einvoicingF2", "flux", "einvoicingF1", "ereportingF10", "annuaire", "messageCDV")
ROLES = {"seller": "SE", "buyer": "BY", "approver": "AB", "factor": "DL", "public_portal": "DFH"}


def written(code: str = "207", **changes: Any) -> Foreign:
    """The generator's input for a status that the buyer sets, with all it can say; `None` leaves a term out."""
    said = {
        "MDT-2": "REGULATED",
        "MDT-3": "urn.cpro.gouv.fr:1p0:CDV:invoice",
        "MDT-4": f"F1_{code}_20261012113015",
        "MDT-5": "Statut",
        "MDT-8": datetime(2026, 10, 12, 11, 45),
        "MDT-21": "WK",
        "MDT-38": {"0002": "732829320"},
        "MDT-39": "Maison Lenoir",
        "MDT-40": "BY",
        "MDT-57": {"0002": "552100554", "0009": "55210055400013"},
        "MDT-58": "Ateliers du Rhône",
        "MDT-59": "SE",
        "MDT-73": "552100554_STATUTS",
        "MDT-73-1": "0225",
        "MDT-74": False,
        "MDT-77": 23,
        "MDT-78": AT,
        "MDT-87": "F1",
        "MDT-88": "46",
        "MDT-91": "380",
        "MDT-95": datetime(2026, 10, 6, 8, 0),
        "MDT-96": [{"bin": b"\x00\xffpreuve" * 30, "filename": "photo.png", "mime_type": "image/png"}],
        "MDT-100": date(2026, 10, 5),
        "MDT-105": code,
        "MDT-106": "En_litige",
        "MDT-129": {"0002": "552100554"},
        "MDG-37": [
            {
                "MDT-113": "QTE_ERR",
                "MDT-114": "Quantité",
                "MDT-121": "PIN",
                "MDT-122": "Bon de livraison",
                "MDT-126": "Il manque deux cartons.",
                "MDG-43": [
                    {"MDT-207": "MNATTC", "MDT-209": False, "MDT-215": {"float": 24.5, "currency": "EUR"}},
                    {"MDT-207": "DIV", "MDT-209": True, "MDT-219": date(2026, 10, 1)},
                ],
            },
            {"MDT-113": "PU_ERR"},
        ],
    }
    return {term: value for term, value in (said | changes).items() if value is not None}


def assert_read(said: Foreign, *, prefixed: bool = True) -> CdarMessage:
    """What the generator writes of `said` is read as said, every term of it, and nothing else."""
    message = read_cdar(generate_cdar(said, prefixed_namespaces=prefixed))
    assert message.sender
    assert message.issuer
    assert message.issued
    assert message.status_at
    assert (message.process, message.profile) == (said.get("MDT-2", ""), said["MDT-3"])
    assert (message.message_id, message.name) == (said["MDT-4"], said.get("MDT-5", ""))
    assert message.issued.instant == paris_instant(said["MDT-8"])
    assert (message.sender.ids, message.sender.role) == ((), said["MDT-21"])
    assert message.issuer.ids == ids_of(said["MDT-38"])
    assert (message.issuer.name, message.issuer.role) == (said["MDT-39"], said["MDT-40"])
    [recipient] = message.recipients
    assert recipient.ids == ids_of(said["MDT-57"])
    assert (recipient.name, recipient.role) == (said["MDT-58"], said["MDT-59"])
    assert recipient.address == Identifier(scheme=said["MDT-73-1"], value=said["MDT-73"])
    assert (message.multiple, message.phase) == (said["MDT-74"], str(said["MDT-77"]))
    assert message.status_at.instant == paris_instant(said["MDT-78"])
    [document] = message.documents
    assert (document.number, document.uncl_code) == (said["MDT-87"], said.get("MDT-88", ""))
    assert (document.type_code, document.global_id, document.reference_type) == (said["MDT-91"], None, "")
    assert (document.received.instant if document.received else None) == (
        paris_instant(said["MDT-95"]) if "MDT-95" in said else None
    )
    files = [(each.content, each.filename, each.mime_type) for each in document.attachments]
    assert files == [(each["bin"], each["filename"], each["mime_type"]) for each in said.get("MDT-96", [])]
    assert document.issued
    assert document.issued.day == said["MDT-100"]
    assert (document.status_code, document.status_label) == (said["MDT-105"], said["MDT-106"])
    assert document.seller
    assert document.seller.ids == ids_of(said["MDT-129"])
    told = said.get("MDG-37", [])
    assert [detail_of(each) for each in document.details] == [
        expected_detail(each, place) for place, each in enumerate(told, start=1)
    ]
    assert {each.code for each in message.deviations} <= {
        "MDT-97-ABSENT", "LABEL-UNDERSCORE", "STATUS-UNKNOWN", "REASON-UNKNOWN"
    }  # fmt: skip
    return message


def ids_of(said: dict[str, str]) -> tuple[Identifier, ...]:
    return tuple(Identifier(scheme=scheme, value=value) for scheme, value in said.items())


def detail_of(detail: Any) -> tuple[object, ...]:
    """A status block as read, in the order of `expected_detail`."""
    data = [
        (each.type_code, each.changed, each.amount, each.currency, each.on.day if each.on else None, each.percent)
        for each in detail.characteristics
    ]
    comments = [note.content for note in detail.notes]
    return (
        detail.reason_code, detail.reason, detail.action_code, detail.action, detail.sequence, comments, data,
        detail.status_code,
    )  # fmt: skip


def expected_detail(said: Foreign, place: int) -> tuple[object, ...]:
    data = [
        (
            each.get("MDT-207", ""),
            each.get("MDT-209"),
            Decimal(str(each["MDT-215"]["float"])) if "MDT-215" in each else None,
            each["MDT-215"]["currency"] if "MDT-215" in each else "",
            each.get("MDT-219"),
            None,
        )
        for each in said.get("MDG-43", [])
    ]
    comments = [said["MDT-126"]] if "MDT-126" in said else []
    words = (said.get(term, "") for term in ("MDT-113", "MDT-114", "MDT-121", "MDT-122"))
    return (*words, said.get("MDT-124-2", place), comments, data, "")


@pytest.mark.parametrize("prefixed", [True, False])
def test_a_message_that_says_everything_is_read_rightly(prefixed: bool) -> None:
    message = assert_read(written(), prefixed=prefixed)
    assert {each.code for each in message.deviations} == {"MDT-97-ABSENT", "LABEL-UNDERSCORE"}


SET = [(status, by) for status in all_statuses() for by in status.set_by]


@pytest.mark.parametrize(("status", "by"), SET, ids=lambda each: getattr(each, "code", each))
def test_every_status_by_whoever_sets_it_is_read_with_every_reason_it_may_carry_and_moves_its_line(
    status: Status, by: str
) -> None:
    allowed = sorted(allowed_reasons(status.code)) or [each.code for each in all_reasons()]
    by_platform = status.phase is Phase.TRANSMISSION
    message = assert_read(
        written(
            status.code,
            **{"MDT-40": ROLES.get(by, "WK"), "MDT-77": int(status.phase or 23), "MDT-88": status.uncl or None},
            **({"MDT-38": {}} if by_platform else {}),
            **{"MDT-106": status.label.fr, "MDG-37": [{"MDT-113": code} for code in allowed]},
        )
    )
    assert {each.code for each in message.deviations} == {"MDT-97-ABSENT"}
    [event] = events_of(message, START)
    assert (event.status, event.reasons) == (status, tuple(allowed))
    assert event.line is status.line
    assert event.status_at == paris_instant(AT)
    moves = status.line is StateLine.INVOICE and status.advances
    assert project([event]).status == (status.code if moves else None)


@pytest.mark.parametrize("kind", codes("characteristic"))
def test_every_kind_of_amount_is_read_with_its_money_and_its_day(kind: str) -> None:
    data = {"MDT-207": kind, "MDT-209": True, "MDT-215": {"float": -1234.56, "currency": "CHF"}}
    message = assert_read(written("212", **{"MDG-37": [{"MDG-43": [data, {**data, "MDT-219": date(2026, 9, 30)}]}]}))
    [event] = events_of(message, START)
    assert [each.amount for each in event.data(kind)] == [Decimal("-1234.56")] * 2


@pytest.mark.parametrize("action", codes("action"))
def test_every_action_asked_for_is_read(action: str) -> None:
    [event] = events_of(assert_read(written("207", **{"MDG-37": [{"MDT-113": "AUTRE", "MDT-121": action}]})), START)
    assert event.actions == (action,)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_read(profile: str) -> None:
    assert_read(written("601", **{"MDT-3": f"urn.cpro.gouv.fr:1p0:CDV:{profile}", "MDT-91": "305"}))


_WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=12)
_CENTS = st.integers(-10_000_000, 10_000_000).map(lambda cents: cents / 100)
_DATA = st.fixed_dictionaries(
    {},
    optional={
        "MDT-207": st.sampled_from(codes("characteristic")),
        "MDT-209": st.booleans(),
        "MDT-215": st.fixed_dictionaries({"float": _CENTS, "currency": st.sampled_from(["EUR", "USD"])}),
        "MDT-219": st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    },
)
_DETAIL = st.fixed_dictionaries(
    {},
    optional={
        "MDT-113": st.sampled_from([*codes("reason"), "MOTIF_MAISON"]),
        "MDT-114": _WORDS,
        "MDT-121": st.sampled_from(codes("action")),
        "MDT-122": _WORDS,
        "MDT-124-2": st.integers(1, 99),
        "MDT-126": _WORDS,
        "MDG-43": st.lists(_DATA, max_size=3),
    },
)
_MESSAGES = st.builds(
    lambda changes, left_out: written(**{"code": changes["MDT-105"], **changes, **dict.fromkeys(left_out)}),
    st.fixed_dictionaries(
        {
            "MDT-105": st.sampled_from([*codes("status"), "280", "600"]),
            "MDT-40": st.sampled_from(codes("role")),
            "MDT-59": st.sampled_from(codes("role")),
            "MDT-74": st.booleans(),
            "MDT-77": st.sampled_from([23, 305]),
            "MDT-78": st.datetimes(AT, datetime(2030, 12, 31)).map(lambda at: at.replace(microsecond=0)),
            "MDT-39": _WORDS,
            "MDT-106": _WORDS,
            "MDG-37": st.lists(_DETAIL, max_size=4),
        }
    ),
    st.sets(st.sampled_from(["MDT-5", "MDT-88", "MDT-95", "MDT-96", "MDG-37"])),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(_MESSAGES)
def test_any_message_that_it_can_make_is_read_rightly(said: Foreign) -> None:
    assert_read(said)
