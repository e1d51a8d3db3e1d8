"""Every status that may be sent passes the official XSD and Schematron; what the rules forbid is refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from lxml import etree

from gateway.lifecycle.cdar.building import (
    GivenReason,
    InvoiceReference,
    build_status,
    collected,
    company,
    not_approved,
    paid,
    platform,
    public_portal,
)
from gateway.lifecycle.cdar.model import Attachment, CdarMessage, Identifier, ReferencedDocument
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.errors import (
    InvalidStatusMessageError,
    MissingRecipientError,
    MissingStatusDataError,
    NotForPublicPortalError,
    ReasonNotAllowedError,
    UnknownStatusError,
    UnwritableMessageError,
    WrongIssuerError,
)
from gateway.lifecycle.reasons import all_reasons, allowed_reasons
from tests.lifecycle.official_cdar import broken_rules, schema

AT = datetime(2026, 10, 12, 9, 30, 15, tzinfo=UTC)
INVOICE = InvoiceReference("F2026-0042", date(2026, 10, 5), "552100554", received_at=AT - timedelta(days=6))
SELLER = company("552100554", "SE", "Ateliers du Rhône", "552100554_STATUTS")
BUYER = company("732829320", "BY", "Maison Lenoir", "732829320")
TWO_RATES = (collected(Decimal("60.00"), Decimal("20")), collected(Decimal("22.00"), Decimal("10")))
REASONS = {
    "206": "PU_ERR",
    "207": "QTE_ERR",
    "208": "JUSTIF_ABS",
    "210": "CMD_ERR",
    "213": "REJ_COH",
    "221": "ROUTAGE_ERR",
    "501": "IRR_SYNTAX",
    "601": "REJ_ENCAISSEMENT",
}
AMOUNTS = {
    "206": (not_approved(Decimal("12.00")),),
    "211": (paid(Decimal("82.00"), date(2026, 11, 2)),),
    "212": TWO_RATES,
}
TRANSMISSION = {"200", "201", "202", "203", "213", "221", "501"}
SENT_BY_THE_SELLER = {"209", "212", "220"}
SENDABLE = [*map(str, range(200, 214)), "220", "221", "501"]


def built(code: str, **changes: object) -> CdarMessage:
    """A valid message of one status between parties, with some arguments replaced."""
    issuer = platform() if code in TRANSMISSION else SELLER if code in SENT_BY_THE_SELLER else BUYER
    arguments: dict[str, object] = {
        "invoice": INVOICE,
        "status": code,
        "issuer": issuer,
        "recipients": [BUYER if issuer is SELLER else SELLER],
        "at": AT,
        "reasons": [GivenReason(REASONS[code], action="OTH")] if code in REASONS else [],
        "amounts": AMOUNTS.get(code, ()),
        "comment": "Écart constaté à la livraison.",
    }
    return build_status(**(arguments | changes))  # type: ignore[arg-type]


def test_a_message_to_the_public_portal_is_signed_by_the_platform() -> None:
    message = built("212", recipients=[public_portal()], sending_platform="0123")
    assert message.sender is not None
    assert message.sender.id_in("0238") == "0123"


def test_a_status_rejected_by_the_portal_breaks_only_the_rules_that_are_not_meant_for_it() -> None:
    written = write_cdar(built("601", issuer=public_portal(), recipients=[platform()]))
    schema().assertValid(etree.fromstring(written))
    assert {rule for rule, _ in broken_rules(written)} == {
        "BR-FR-04_MDT-91",
        "BR-FR-CDV-02_MDT-3",
        "BR-FR-CDV-CL-02_MDT-21_305",
        "BR-FR-CDV-CL-03_MDT-40_305",
        "BR-FR-CDV-CL-09_MDT-113",
    }


@pytest.mark.parametrize("public_sector", [False, True])
@pytest.mark.parametrize("code", SENDABLE)
def test_the_matrix_of_reasons_is_that_of_the_official_rules(code: str, public_sector: bool) -> None:
    """One message carries every reason; the official file says which of them it refuses."""
    given = [each.code for each in all_reasons()]
    base = built(code)
    document = base.documents[0]
    details = tuple(
        document.details[0].model_copy(update={"reason_code": each, "sequence": number})
        for number, each in enumerate(given, start=1)
    )
    update: dict[str, object] = {"documents": (document.model_copy(update={"details": details}),)}
    if public_sector:
        assert base.sender is not None
        update["sender"] = base.sender.model_copy(update={"ids": (Identifier(scheme="0238", value="9999"),)})
    failures = broken_rules(write_cdar(base.model_copy(update=update)))
    refused = set()
    for rule, location in failures:
        assert rule.startswith("BR-FR-CDV-CL-09"), rule
        place = location.rpartition("SpecifiedDocumentStatus")[2]
        refused.add(given[int(place.split("]")[1].strip("[")) - 1])
    assert set(given) - refused == allowed_reasons(code, public_sector)


def test_two_partial_receipts_of_one_day_have_different_message_ids() -> None:
    part, other_part = (collected(Decimal(amount), Decimal("20")) for amount in ("41.00", "41.01"))
    moment, evening = timedelta(microseconds=1), AT + timedelta(hours=9)
    messages = [
        built("212", amounts=[part], sent_at=evening),
        built("212", amounts=[other_part], sent_at=evening),
        built("212", amounts=[part], at=AT + moment, sent_at=evening),
        built("212", amounts=[part], sent_at=evening + moment),
    ]
    assert len({each.message_id for each in messages}) == len(messages)


def test_the_same_status_built_twice_has_the_same_message_id() -> None:
    assert built("205").message_id == built("205").message_id


def test_times_are_written_in_paris_and_read_back_to_the_same_instant() -> None:
    message = read_cdar(write_cdar(built("205")))
    assert message.status_at is not None
    assert message.status_at.raw == "20261012113015"
    assert message.status_at.instant == AT


def test_a_built_message_is_read_back_without_deviation() -> None:
    message = built("209", attachments=[Attachment(filename="bl.pdf", mime_type="application/pdf", content=b"%PDF")])
    assert read_cdar(write_cdar(message)) == message


REFUSED: list[tuple[str, dict[str, object], type[InvalidStatusMessageError]]] = [
    ("280", {"issuer": BUYER}, UnknownStatusError),
    ("209", {"comment": ""}, MissingStatusDataError),
    ("211", {"amounts": []}, MissingStatusDataError),
    ("211", {"amounts": [AMOUNTS["211"][0].model_copy(update={"on": None})]}, MissingStatusDataError),
    ("227", {"issuer": SELLER}, MissingStatusDataError),
    ("207", {"reasons": []}, MissingStatusDataError),
    ("210", {"reasons": [GivenReason("QTE_ERR")]}, ReasonNotAllowedError),
    ("212", {"amounts": []}, MissingStatusDataError),
    ("212", {"amounts": [paid(Decimal(1), date(2026, 11, 2))]}, MissingStatusDataError),
    ("212", {"amounts": [TWO_RATES[0].model_copy(update={"percent": None})]}, MissingStatusDataError),
    ("205", {"recipients": []}, MissingRecipientError),
    ("205", {"recipients": [company("552100554", "SE")]}, MissingRecipientError),
    ("205", {"issuer": platform()}, WrongIssuerError),
    ("203", {"issuer": BUYER}, WrongIssuerError),
    ("205", {"issuer": BUYER.model_copy(update={"ids": ()})}, WrongIssuerError),
    ("205", {"recipients": [public_portal()]}, NotForPublicPortalError),
    ("200", {"recipients": [public_portal()], "attachments": [Attachment(filename="a")]}, NotForPublicPortalError),
    ("212", {"recipients": [public_portal()], "amounts": [*TWO_RATES, *AMOUNTS["206"]]}, NotForPublicPortalError),
    ("210", {"recipients": [public_portal()], "comment": ""}, MissingStatusDataError),
    (
        "212",
        {"recipients": [public_portal()], "comment": "", "amounts": [collected(Decimal(-5), Decimal(20))]},
        MissingStatusDataError,
    ),
]


@pytest.mark.parametrize(("code", "fault", "error"), REFUSED)
def test_a_message_that_breaks_a_rule_is_refused_with_its_name(
    code: str, fault: dict[str, object], error: type[InvalidStatusMessageError]
) -> None:
    with pytest.raises(error) as refusal:
        built(code, **fault)
    assert refusal.value.where


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        built("205", at=AT.replace(tzinfo=None))


def test_a_text_that_xml_cannot_carry_is_refused_with_its_element() -> None:
    with pytest.raises(UnwritableMessageError, match="ram:Content"):
        write_cdar(built("205", comment="bruit \x00"))


def test_a_credit_note_keeps_its_type() -> None:
    message = built("200", invoice=replace(INVOICE, type_code="381"))
    document: ReferencedDocument = message.documents[0]
    assert document.type_code == "381"
