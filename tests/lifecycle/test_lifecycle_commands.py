"""`gateway cdar make` writes only what the official rules let pass; `gateway cdar show` says what a message holds."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gateway.cli import app
from gateway.flows.errors import MessageNotSendableError
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.errors import (
    InvalidStatusMessageError,
    MissingRecipientError,
    MissingStatusDataError,
    NotALifecycleMessageError,
    ReasonNotAllowedError,
    WrongIssuerError,
)
from gateway.lifecycle.statuses import all_statuses
from tests.lifecycle.official_cdar import assert_passes

SELLER, BUYER = "552100554", "732829320"
INVOICE = ("--invoice", "F2026-0042", "--date", "2026-10-05", "--seller", SELLER)
BY_SELLER = ("--issuer", f"SE:{SELLER}:Ateliers du Rhône", "--to", f"BY:{BUYER}")
BY_BUYER = ("--issuer", f"BY:{BUYER}:Maison Lenoir", "--to", f"SE:{SELLER}:{SELLER}_STATUTS")
TO_PORTAL = ("--to-portal", "--platform", "0042")
RECEIPT = ("--status", "212", "--collected", "20=60.00", "--collected", "5.5=21.10")
BY_PLATFORM = ("--issuer", "WK", "--to", f"SE:{SELLER}")
IBAN = "FR7630006000011234567890189"
MADE = {
    **{code: ("--status", code, *BY_PLATFORM) for code in ("200", "201", "202", "203", "500")},
    "200-portal": ("--status", "200", "--issuer", "WK", *TO_PORTAL),
    "213": ("--status", "213", *BY_PLATFORM, "--reason", "REJ_COH"),
    "213-portal": ("--status", "213", "--issuer", "WK", *TO_PORTAL, "--reason", "REJ_COH"),
    "221": ("--status", "221", *BY_PLATFORM, "--reason", "ROUTAGE_ERR"),
    "501": ("--status", "501", *BY_PLATFORM, "--reason", "IRR_SYNTAX"),
    "204": ("--status", "204", *BY_BUYER),
    "205": ("--status", "205", *BY_BUYER),
    "206": ("--status", "206", *BY_BUYER, "--reason", "PU_ERR:CNP", "--not-approved", "12.00"),
    "207": ("--status", "207", *BY_BUYER, "--reason", "QTE_ERR", "--reason", "PU_ERR", "--comment", "Il en manque."),
    "207-seller": ("--status", "207", *BY_SELLER, "--reason", "QTE_ERR", "--comment", "Livraison conforme."),
    "208": ("--status", "208", *BY_BUYER, "--reason", "JUSTIF_ABS"),
    "210": ("--status", "210", *BY_BUYER, "--reason", "CMD_ERR:NIN"),
    "210-portal": ("--status", "210", *BY_BUYER[:2], *TO_PORTAL, "--reason", "CMD_ERR", "--comment", "Inconnue."),
    "211": ("--status", "211", *BY_BUYER, "--paid", "82.00@2026-11-02"),
    "211-seller": ("--status", "211", *BY_SELLER, "--paid", "82.00@2026-11-02"),
    "212": (*RECEIPT, *BY_SELLER),
    "212-portal": (*RECEIPT, *BY_SELLER[:2], *TO_PORTAL),
    "214": ("--status", "214", "--issuer", f"AB:{BUYER}:Maîtrise d’œuvre", "--to", f"SE:{SELLER}"),
    **{code: ("--status", code, *BY_SELLER) for code in ("220", "224", "225", "226", "228")},
    "209": ("--status", "209", *BY_SELLER, "--comment", "Bon de livraison 4711."),
    "225-factor": ("--status", "225", "--issuer", "DL:775665019:Affactureur", "--to", f"BY:{BUYER}"),
    "227": ("--status", "227", *BY_SELLER, "--bank-account", IBAN),
}


def run(*arguments: str, stdin: bytes | None = None):
    return CliRunner().invoke(app, ["cdar", *arguments], input=stdin)


@pytest.mark.parametrize("kind", MADE)
def test_a_message_made_passes_the_official_schema_and_rules_under_saxon(kind, tmp_path):
    written = tmp_path / "message.xml"
    made = run("make", *INVOICE, *MADE[kind], "--output", str(written))
    assert made.exit_code == 0, made.exception
    data = written.read_bytes()
    assert_passes(data)
    message = read_cdar(data)
    assert message.deviations == ()
    assert (message.documents[0].number, message.documents[0].status_code) == ("F2026-0042", kind.partition("-")[0])
    assert ("einvoicingF2" in message.profile) == ("portal" in kind)


def test_every_status_that_the_portal_does_not_set_can_be_made():
    exchanged = {each.code for each in all_statuses() if set(each.set_by) != {"public_portal"}}
    assert {kind.partition("-")[0] for kind in MADE} == exchanged


def test_an_account_that_is_no_iban_is_refused_in_words(tmp_path):
    made = run("make", *INVOICE, "--status", "227", *BY_SELLER, "--bank-account", IBAN[:-1] + "8")
    assert made.exit_code == 2
    assert "IBAN" in made.output


def test_without_a_file_the_message_goes_to_standard_output():
    made = run("make", *INVOICE, *MADE["204"])
    assert read_cdar(made.stdout.encode()).documents[0].status_code == "204"


def test_what_was_asked_for_is_what_is_written(tmp_path):
    slip = tmp_path / "bon.pdf"
    slip.write_bytes(b"%PDF-1.4 bon")
    at = ("--at", "2026-10-12T09:30:15")
    made = run("make", *INVOICE, "--status", "209", *BY_SELLER, "--attach", str(slip), "--comment", "Joint.", *at)
    message = read_cdar(made.stdout.encode())
    (document,) = message.documents
    assert message.status_at.raw == "20261012093015"
    assert [(each.filename, each.mime_type, each.content) for each in document.attachments] == [
        ("bon.pdf", "application/pdf", b"%PDF-1.4 bon")
    ]
    assert document.details[0].notes[0].content == "Joint."
    assert (message.issuer.name, message.recipients[0].address.value) == ("Ateliers du Rhône", BUYER)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--status", "207", *BY_BUYER), MissingStatusDataError),
        (("--status", "207", *BY_BUYER, "--reason", "REJ_COH"), ReasonNotAllowedError),
        (("--status", "212", *BY_SELLER), InvalidStatusMessageError),
        (("--status", "204", *BY_BUYER[:2]), MissingRecipientError),
        (("--status", "204", "--issuer", "BY", *BY_BUYER[2:]), WrongIssuerError),
        (("--status", "210", *BY_BUYER[:2], *TO_PORTAL, "--reason", "CMD_ERR"), MissingStatusDataError),
        (("--status", "204", "--issuer", f"XX:{BUYER}", *BY_BUYER[2:]), MessageNotSendableError),
        (("--status", "204", *BY_BUYER, "--type", "999"), MessageNotSendableError),
    ],
)
def test_a_message_that_the_rules_refuse_is_never_written(arguments, error, tmp_path):
    written = tmp_path / "message.xml"
    refused = run("make", *INVOICE, *arguments, "-o", str(written))
    assert isinstance(refused.exception, error)
    assert not written.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ("--collected", "20"),
        ("--collected", "x=1"),
        ("--collected", "20=NaN"),
        ("--paid", "12"),
        ("--paid", "12@hier"),
        ("--not-approved", "douze"),
    ],
)
def test_an_amount_that_is_none_is_bad_usage(wrong):
    assert run("make", *INVOICE, "--status", "212", *BY_SELLER, *wrong).exit_code == 2


@settings(max_examples=15)
@given(
    amounts=st.dictionaries(st.sampled_from(["20", "10", "5.5"]), st.decimals(-(10**9), 10**9, places=2), min_size=1)
)
def test_the_amounts_read_back_are_those_given_whatever_they_are(amounts):
    given_amounts = [part for rate, amount in amounts.items() for part in ("--collected", f"{rate}={amount:f}")]
    made = run("make", *INVOICE, "--status", "212", *BY_SELLER, *given_amounts)
    data = read_cdar(made.stdout.encode()).documents[0].details[0].characteristics
    assert {f"{each.percent:f}": each.amount for each in data} == amounts


def test_a_message_is_shown_in_french_and_in_english(tmp_path):
    written = tmp_path / "message.xml"
    run("make", *INVOICE, *MADE["206"], "-o", str(written))
    french, english = (run("show", str(written), "--lang", language).stdout for language in ("fr", "en"))
    assert "206 Approuvée partiellement" in french
    assert "12,00 EUR" in french
    assert f"BY Acheteur Maison Lenoir 0002:{BUYER}" in french
    assert "206 Partially approved" in english
    assert "12.00 EUR" in english
    for shown in (french, english):
        assert "F2026-0042" in shown
        assert "PU_ERR" in shown
        assert "CNP" in shown
        assert f"0225:{SELLER}_STATUTS" in shown


def test_deviations_from_the_norm_are_shown():
    made = run("make", *INVOICE, *MADE["204"]).stdout.encode()
    start, end = made.index(b"<ram:ReferenceTypeCode>"), made.index(b"</ram:ReferenceTypeCode>")
    without = made[:start] + made[end + len(b"</ram:ReferenceTypeCode>") :]
    assert "Écart" not in run("show", "-", stdin=made).stdout
    shown = run("show", "-", stdin=without).stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("Écart à la norme")]
    assert "MDT-97" in line


def test_the_json_of_a_message_holds_its_every_field():
    made = run("make", *INVOICE, *MADE["212"]).stdout.encode()
    shown = json.loads(run("show", "-", "--format", "json", stdin=made).stdout)
    assert shown == read_cdar(made).model_dump(mode="json")


def test_what_is_no_message_is_refused_by_its_name(tmp_path):
    path = tmp_path / "other.xml"
    path.write_text("<a/>")
    assert isinstance(run("show", str(path)).exception, NotALifecycleMessageError)
    assert run("show", str(Path("/nowhere.xml"))).exit_code == 2


def test_the_statuses_of_a_day_are_listed_with_what_their_messages_must_carry():
    listed = run("statuses", "--on", "2026-10-05", "--format", "json")
    found = {each["code"]: each for each in json.loads(listed.output)}
    assert list(found) == [each.code for each in all_statuses(date(2026, 10, 5))]
    assert found["212"]["requires"] == [["receipt"]]
    assert found["227"]["requires"] == [["account", "attachment"]]
    assert (found["210"]["requires"], found["210"]["portal_requires"]) == ([["reason"]], [["comment"]])
    assert found["221"]["reasons"] == ["ROUTAGE_ERR"]
    assert found["205"]["requires"] == found["205"]["reasons"] == []
    text = run("statuses", "--lang", "en").output
    assert "212  Payment received, set by seller, mandatory when VAT is due on receipt, copied to the public" in text
    assert "requires: an attachment (MDT-96) or a comment (MDT-126)" in text
    assert "of a refund the public portal requires too: a comment (MDT-126)" in text
