"""Every rule can be explained: in our own words, in two languages, with its official text beside them."""

import json
import tomllib
from importlib.resources import files

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.validation.catalog import installed_catalog
from gateway.validation.errors import UnknownRuleError
from gateway.validation.explaining import accounts_of
from gateway.validation.official import official_rules
from gateway.validation.own.checker import OWN_CHECKS
from gateway.validation.rulebook import explained_rules, explanation_of

CATALOG = installed_catalog()
#: Rules of the catalogue that nobody has explained yet. It may only grow shorter.
WITHOUT_EXPLANATION: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def official() -> frozenset[str]:
    """The ids of all rules of the catalogue."""
    return frozenset(rule.rule for rule in official_rules(CATALOG.artefacts) if rule.rule)


def test_every_rule_of_the_catalogue_that_has_an_id_is_explained(official: frozenset[str]) -> None:
    assert len(official) > 3000
    assert official - explained_rules() == WITHOUT_EXPLANATION


def test_nothing_is_explained_that_no_artefact_asks_for(official: frozenset[str]) -> None:
    assert explained_rules() - official == frozenset()


def test_a_rule_without_an_id_only_forbids_what_a_factur_x_profile_does_not_use() -> None:
    nameless = {rule.message for rule in official_rules(CATALOG.artefacts) if not rule.rule}
    assert nameless
    assert {message for message in nameless if "marked as not used in the given context" not in message} == set()


def test_no_rule_is_explained_twice() -> None:
    seen: set[str] = set()
    for place in (files("schemas") / "explanations").iterdir():
        rules = tomllib.loads(place.read_text(encoding="utf-8"))
        assert seen.isdisjoint(rules), place.name
        seen |= set(rules)
    assert seen == explained_rules()


def test_a_table_read_alone_says_what_its_file_says() -> None:
    for place in (files("schemas") / "explanations").iterdir():
        for rule, entry in tomllib.loads(place.read_text(encoding="utf-8")).items():
            known = explanation_of(rule)
            assert known is not None
            assert (known.wants.fr, known.fix.en, list(known.terms)) == (entry["fr"], entry["fix_en"], entry["terms"])


def test_every_explanation_speaks_both_languages_in_our_own_words() -> None:
    texts = {rule.rule: rule.message for rule in official_rules(CATALOG.artefacts)}
    for rule in explained_rules():
        known = explanation_of(rule)
        assert known is not None
        for text in (known.wants, known.fix):
            assert text.fr.strip(), rule
            assert text.en.strip(), rule
            assert text.fr != text.en, rule
        assert known.wants.en not in texts[rule]
        assert known.wants.fr not in texts[rule]


def test_an_account_holds_the_official_text_of_each_artefact_that_has_the_rule() -> None:
    (account,) = accounts_of("BR-CO-15", CATALOG)
    assert {each.artefact.id for each in account.official} >= {"en16931-ubl", "factur-x-en16931"}
    assert all(each.message.startswith("[BR-CO-15]") for each in account.official)
    assert "BT-112" in account.terms


@pytest.mark.parametrize(
    ("name", "first"), [("br-co-15", "BR-CO-15"), ("BR-FR-05", "BR-FR-05_BT-22-1"), ("gw-04", "GW-04")]
)
def test_a_rule_is_found_by_its_id_in_any_case_or_by_the_beginning_of_it(name: str, first: str) -> None:
    assert accounts_of(name, CATALOG)[0].rule == first


def test_every_own_check_is_explained_with_its_reason() -> None:
    for check in OWN_CHECKS:
        (account,) = accounts_of(check.id, CATALOG)
        assert account.why == check.why


@pytest.mark.parametrize(
    ("name", "rule", "says"),
    [
        ("GW-LIMIT", "GW-LIMIT", "n’ont pas été contrôlées"),
        ("gw-stopped", "GW-STOPPED", "n’a pas pu être évaluée"),
        ("GW-MORE", "GW-MORE", "plus d’erreurs"),
        ("FX-NOT-USED-DueDateDateTime/DateTimeString", "FX-NOT-USED", "profil (BT-24)"),
        ("cvc-complex-type.2.4.b", "cvc", "schéma XSD"),
    ],
)
def test_a_name_that_the_gateway_gave_says_what_it_stands_for(name: str, rule: str, says: str) -> None:
    (account,) = accounts_of(name, CATALOG)
    assert account.rule == rule
    assert says in account.wants.fr
    assert account.official == ()


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(UnknownRuleError, match="BR-999"):
        accounts_of("BR-999", CATALOG)


def test_the_command_says_what_who_and_how_in_the_language_asked_for() -> None:
    french = CliRunner().invoke(app, ["explain", "BR-CO-15"])
    assert french.exit_code == 0
    assert "Qui corrige : " in french.stdout
    assert "Texte officiel (" in french.stdout
    english = CliRunner().invoke(app, ["explain", "GW-08", "--lang", "en"]).stdout
    assert "Who mends it: the seller" in english
    assert "Why: " in english


def test_the_command_gives_programs_the_same_as_json() -> None:
    (account,) = json.loads(CliRunner().invoke(app, ["explain", "BR-CO-15", "--format", "json"]).stdout)
    assert (account["rule"], account["who"]) == ("BR-CO-15", "software")
    assert account["official"][0]["flag"] == "fatal"
