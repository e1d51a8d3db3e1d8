"""The words of the pages: complete, used, and written as each language writes."""

import ast
import re
import string
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gateway import web
from gateway.alerts.conditions import Severity, conditions, team_label
from gateway.lifecycle.statuses import status
from gateway.web.badges import tone
from gateway.web.i18n import Words, texts

FOLDER = Path(web.__file__).parent
SOURCES = "\n".join(path.read_text() for path in [*FOLDER.rglob("*.html"), *FOLDER.rglob("*.py")])
FRENCH, ENGLISH = Words("fr"), Words("en")


def fields(sentence):
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("key", sorted(texts()))
def test_a_text_says_the_same_in_both_languages(key):
    text = texts()[key]
    assert text.fr.strip()
    assert text.en.strip()
    assert fields(text.fr) == fields(text.en)


def test_every_text_that_a_page_names_exists_and_every_text_is_named_somewhere():
    named = set(re.findall(r'\bt\("([a-z_.]+)"', SOURCES)) | set(re.findall(r'texts\(\)\["([a-z_.]+)"', SOURCES))
    counted = set(re.findall(r'\btn\("([a-z_.]+)"', SOURCES))
    composed = (*re.findall(r'\bt\("([a-z_.]+)" ~', SOURCES), "notices.")
    named = {key for key in named if not key.endswith((".", "_"))}
    expected = named | {f"{key}_{number}" for key in counted for number in ("one", "many")}
    assert expected <= set(texts())
    unused = {key for key in set(texts()) - expected if not key.startswith(composed)}
    assert unused == set()


def test_every_severity_and_team_that_alerts_know_has_a_name():
    for condition in conditions():
        assert team_label(condition.team).fr != condition.team
    for severity in Severity:
        assert f"severity.{severity.value}" in texts()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("205", "good"),
        ("212", "good"),
        ("213", "bad"),
        ("210", "bad"),
        ("501", "bad"),
        ("207", "hold"),
        ("200", "plain"),
    ],
)
def test_a_badge_has_the_colour_of_what_the_status_means_for_cash(code, expected):
    assert tone(status(code)) == expected


def test_a_status_that_nobody_published_is_a_plain_badge():
    assert tone(status("999")) == "plain"


def test_amounts_and_dates_are_written_as_each_language_writes_them():
    narrow, wide = "\u202f", "\u00a0"
    assert FRENCH.money(Decimal("1234567.80"), "EUR") == f"1{narrow}234{narrow}567,80{wide}€"
    assert ENGLISH.money(Decimal("-1234567.80"), "EUR") == "-€1,234,567.80"
    assert FRENCH.money(Decimal("1.005"), "EUR") == f"1,005{wide}€"
    assert FRENCH.short_day(date(2026, 10, 5)) == "5 oct. 2026"
    assert FRENCH.moment(datetime(2026, 10, 5, 22, 30, tzinfo=UTC)) == "6 oct. 2026, 00:30"


@pytest.mark.parametrize(
    ("due", "french", "english"),
    [
        (date(2026, 10, 3), "en retard de 2 jours", "2 days late"),
        (date(2026, 10, 4), "en retard de 1 jour", "1 day late"),
        (date(2026, 10, 5), "aujourd’hui", "today"),
        (date(2026, 10, 6), "6 oct. 2026", "6 Oct 2026"),
    ],
)
def test_a_deadline_is_said_as_people_say_it(due, french, english):
    today = date(2026, 10, 5)
    assert (FRENCH.deadline(due, today), ENGLISH.deadline(due, today)) == (french, english)


def test_nothing_is_singular_in_french_and_plural_in_english():
    assert FRENCH.tn("invoices.alerts", 0) == "0 alerte"
    assert ENGLISH.tn("invoices.alerts", 0) == "0 alerts"


@pytest.mark.parametrize("room", ["web", "alerts", "treasury", "collection/worklist"])
def test_an_apostrophe_of_peoples_texts_is_the_typographic_one(room):
    said = [
        part.value
        for path in (FOLDER.parent / room).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Text"
        for part in ast.walk(call)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    assert said
    said += [text.fr for text in texts().values()]
    assert [each for each in said if re.search(r"[^\W\d_]'[^\W\d_]", each)] == []
