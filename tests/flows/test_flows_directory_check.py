"""Whether an invoice can be sent to an address: what an address is, what the directory's answer means, pure."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from gateway.flows.directory.addresses import LONGEST_ADDRESS, ElectronicAddress, read_address
from gateway.flows.directory.checking import AddressVerdict, Lookup, check, malformed, not_checked, not_offered
from gateway.flows.directory.preflight import PreflightMode, decide
from gateway.flows.directory.resources import DirectoryLine
from gateway.kernel.dated import data_file

SIREN = "166909655"
SIRET = "16690965500010"
ASKED = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)


def line(**changes: object) -> DirectoryLine:
    """A line where an accredited platform receives, with some properties changed."""
    unit = {"siren": SIREN, "businessName": "Plomberie Escarbielle SA", "administrativeStatus": "A"}
    enabled = {"addressingIdentifier": SIREN, "platformType": "WK", "directoryLineStatus": "Enabled", "siren": SIREN}
    return DirectoryLine.model_validate(enabled | {"legalUnit": unit} | changes)


def address(text: str) -> ElectronicAddress:
    found = read_address(text)
    assert found is not None
    return found


def answer(*lines: DirectoryLine, at: str = SIREN, others: tuple[DirectoryLine, ...] = ()):
    return check(address(at), Lookup(lines=lines, others=others), ASKED)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (SIREN, (None, None, None)),
        (f"{SIREN}_{SIRET}", (SIRET, None, None)),
        (f"{SIREN}_{SIRET}_ACHATS", (SIRET, "ACHATS", None)),
        (f"{SIREN}_{SIRET}_ACHATS_2", (SIRET, "ACHATS_2", None)),
        (f"{SIREN}_COMPTA", (None, None, "COMPTA")),
        (f"{SIREN}_compta_2.b-c", (None, None, "compta_2.b-c")),
        (f"{SIREN}_73282932000074", (None, None, "73282932000074")),  # the SIRET of another company is a suffix
    ],
)
def test_an_address_is_taken_apart(text, parts):
    found = address(text)
    assert (found.siren, found.siret, found.routing_identifier, found.suffix) == (SIREN, *parts)
    assert found.is_bare == (text == SIREN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ACHATS",
        "166909656",
        "16690965",
        "1669096550",
        "１６６９０９６５５",
        f"0009:{SIREN}",
        f"{SIREN}_",
        f"{SIREN}-A",
        f"{SIREN}_é",
        f"{SIREN}_a b",
        f"{SIREN}_a/b",
        f"{SIREN}_a\0",
        f"{SIREN}_{'x' * LONGEST_ADDRESS}",
    ],
)
def test_what_is_no_address_is_told_apart(text):
    assert read_address(text) is None


def test_scheme_and_spaces_around_an_address_do_not_matter():
    assert read_address(f" 0225:{SIREN}_COMPTA ") == read_address(f"{SIREN}_COMPTA")


@given(st.from_regex(r"\A[0-9]{8}\Z"), st.from_regex(r"\A[A-Za-z0-9._-]{1,40}\Z"))
def test_every_address_of_a_right_siren_is_read_back_to_the_letter(digits, rest):
    siren = digits + luhn.calc_check_digit(digits)
    found = address(f"{siren}_{rest}")
    parts = [part for part in (found.siret, found.routing_identifier, found.suffix) if part is not None]
    assert "_".join([siren, *parts]) in (found.text, found.text.rstrip("_"))


def test_an_enabled_line_can_be_sent_to():
    found = answer(line())
    assert (found.verdict, found.is_addressable, found.platform_type) == (AddressVerdict.ADDRESSABLE, True, "WK")
    assert (found.name, found.asked_at) == ("Plomberie Escarbielle SA", ASKED)


def test_a_line_of_the_public_portal_says_so():
    found = answer(line(platformType="DFH"))
    assert (found.verdict, found.is_addressable) == (AddressVerdict.PUBLIC_PORTAL, True)


def test_an_upcoming_line_tells_its_first_day_when_the_directory_gives_it():
    upcoming = {"directoryLineStatus": "Upcoming"}
    dated = answer(line(**upcoming, effectiveStartDate="2027-01-01"))
    assert (dated.verdict, dated.effective_from) == (AddressVerdict.UPCOMING, date(2027, 1, 1))
    assert "01/01/2027" in dated.says.fr
    assert "1 January 2027" in dated.says.en
    undated = answer(line(**upcoming))
    assert (undated.verdict, undated.effective_from) == (AddressVerdict.UPCOMING, None)
    assert "plus tard" in undated.says.fr


def test_on_a_day_to_come_a_line_whose_first_day_has_come_then_receives():
    upcoming = line(directoryLineStatus="Upcoming", effectiveStartDate="2027-01-01")
    told = Lookup(lines=(line(directoryLineStatus="Disabled"), upcoming))
    before, then = (check(address(SIREN), told, ASKED, on) for on in (date(2026, 12, 31), date(2027, 1, 1)))
    assert (before.verdict, before.effective_from, before.on) == (
        AddressVerdict.UPCOMING,
        date(2027, 1, 1),
        date(2026, 12, 31),
    )
    assert (then.verdict, then.effective_from) == (AddressVerdict.ADDRESSABLE, None)
    assert then.says.fr.startswith("Pour le 01/01/2027, selon l’annuaire d’aujourd’hui : L’adresse")
    assert then.says.en.startswith("For 1 January 2027, as the directory stands today: Address")
    undated = check(address(SIREN), Lookup(lines=(line(directoryLineStatus="Upcoming"),)), ASKED, date(2099, 1, 1))
    assert undated.verdict is AddressVerdict.UPCOMING, "nobody told its first day"


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ({}, None),
        ({"platformType": "DFH"}, "B2G"),
        ({"legalUnit": {"entityType": "Public", "administrativeStatus": "A"}}, "B2G"),
        ({"legalUnit": {"entityType": "Public"}, "directoryLineStatus": "Disabled"}, "B2G"),
    ],
)
def test_a_public_entity_or_portal_makes_the_rule_b2g_whatever_the_verdict(told, rule):
    assert decide(answer(line(**told)), PreflightMode.WARN).rule == rule


def test_a_disabled_line_with_one_to_come_is_upcoming_and_an_enabled_one_is_in_force_already():
    to_come, disabled = line(directoryLineStatus="Upcoming"), line(directoryLineStatus="Disabled", platformType="WK")
    assert answer(disabled, to_come).verdict is AddressVerdict.UPCOMING
    assert answer(to_come, line()).verdict is AddressVerdict.ADDRESSABLE


def test_the_disabled_line_of_a_bare_siren_is_the_default_line_without_platform():
    assert answer(line(directoryLineStatus="Disabled")).verdict is AddressVerdict.NO_PLATFORM
    suffixed = line(directoryLineStatus="Disabled", addressingIdentifier=f"{SIREN}_A")
    assert answer(suffixed, at=f"{SIREN}_A").verdict is AddressVerdict.DISABLED


@pytest.mark.parametrize(
    "closed",
    [
        {"legalUnit": {"administrativeStatus": "C"}},
        {"facility": {"administrativeStatus": "C"}},
        {"routingCode": {"routingIdentifier": "A", "administrativeStatus": "C"}},
    ],
)
def test_a_closed_company_facility_or_desk_cannot_be_sent_to_even_on_an_enabled_line(closed):
    assert answer(line(**closed)).verdict is AddressVerdict.CEASED


def test_an_unknown_address_proposes_the_others_of_the_company():
    found = answer(at=f"{SIREN}_A", others=(line(), line(addressingIdentifier=f"{SIREN}_B")))
    assert (found.verdict, found.others) == (AddressVerdict.UNKNOWN, (SIREN, f"{SIREN}_B"))
    assert f"{SIREN}, {SIREN}_B" in found.to_do.fr


def test_every_verdict_has_its_sentences_in_both_languages():
    for verdict in AddressVerdict:
        table = data_file("directory.toml")["verdict"][verdict.value]
        assert all(table[key] for key in ("fr", "en", "to_do_fr", "to_do_en")), verdict


def test_no_sentence_leaves_a_placeholder_open():
    answers = [answer(line()), answer(), answer(line(directoryLineStatus="Upcoming")), malformed("x"), not_checked("x")]
    answers.append(answer(line(legalUnit={"administrativeStatus": "C"})))
    for found in answers:
        said = (found.says.fr, found.says.en, found.to_do.fr, found.to_do.en)
        assert not [sentence for sentence in said if "{" in sentence]


def test_a_good_answer_makes_no_remark_whatever_the_mode():
    for mode in PreflightMode:
        decision = decide(answer(line()), mode)
        assert (decision.remarks, decision.told, decision.hold) == ((), None, None)


def test_a_bad_answer_warns_and_tells_somebody_or_holds_when_asked_to():
    bad = answer()
    warned = decide(bad, PreflightMode.WARN)
    assert [(remark.level, remark.item) for remark in warned.remarks] == [("Warning", "BT-49")]
    assert (warned.told, warned.hold) == (bad, None)
    held = decide(bad, PreflightMode.HOLD)
    assert held.told is None
    assert held.hold is not None
    assert SIREN in held.hold.where


def test_no_answer_is_told_and_neither_alerts_nor_holds():
    decision = decide(not_checked(SIREN), PreflightMode.HOLD)
    assert [remark.level for remark in decision.remarks] == ["Warning"]
    assert (decision.told, decision.hold) == (None, None)


def test_where_no_directory_is_offered_an_invoice_leaves_without_a_remark():
    for mode in PreflightMode:
        decision = decide(not_offered(SIREN), mode)
        assert (decision.remarks, decision.told, decision.hold) == ((), None, None)
